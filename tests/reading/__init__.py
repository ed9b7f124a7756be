"""The reading algorithms against a listing in memory: no HTTP, no CRM."""
