"""Jobs: accepted, moved chunk by chunk, told of, and ended; each chunk is one transaction with what it makes."""
