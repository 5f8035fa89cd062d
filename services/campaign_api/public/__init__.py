"""Routes that need no credential: health, metrics, the front page, the documentation for people."""
