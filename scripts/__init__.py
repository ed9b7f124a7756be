"""What the commands in this folder need."""
