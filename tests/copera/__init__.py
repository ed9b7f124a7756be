"""Reading Copera, end to end: the command against the sandbox."""
