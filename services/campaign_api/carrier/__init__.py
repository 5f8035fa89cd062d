"""The carrier's callbacks enter here."""
