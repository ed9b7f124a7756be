"""The tap as the SDK sees it."""
