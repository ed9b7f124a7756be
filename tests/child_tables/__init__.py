"""Arrays of records as streams of their own."""
