"""The routes of this API."""
