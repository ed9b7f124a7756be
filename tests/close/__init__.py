"""The tap against a sandbox of Close."""
