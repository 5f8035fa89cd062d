"""The form of the database's documents has a number, and steps that bring the documents of an older release to it."""
