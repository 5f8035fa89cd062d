"""The commands, a module for each first word of them."""
