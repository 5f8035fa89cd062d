"""Where the carrier's callbacks enter."""
