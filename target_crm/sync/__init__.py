"""One run: from records to settled writes."""
