"""What the routes that write do: checks what they are given, and carries it out."""
