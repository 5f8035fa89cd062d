"""What documents have: one model for each collection, with a default for every field that is younger than it."""
