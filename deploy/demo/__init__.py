"""The demo of `make run`: a list shaped like a CRM's export, loaded and dialed over the public API alone."""
