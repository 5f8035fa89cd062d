"""Contacts as customers add, change, read and delete them."""
