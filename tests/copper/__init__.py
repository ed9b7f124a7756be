"""The tap against a sandbox of Copper."""
