"""What the routes that write do: read bodies strictly, and carry them out."""
