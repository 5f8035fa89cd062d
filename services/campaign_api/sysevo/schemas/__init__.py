"""Bodies and answers of this API."""
