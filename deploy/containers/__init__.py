"""The compose file, run for real: an engine at hand or one of our own, stand-in images, and the check of it all."""
