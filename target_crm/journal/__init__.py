"""What was meant, sent and settled: kept so that no death of the process doubles or loses a write."""
