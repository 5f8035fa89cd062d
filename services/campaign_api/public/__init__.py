"""What needs no credential: health, metrics, the front page, the documentation for people."""
