"""Bodies and answers."""
