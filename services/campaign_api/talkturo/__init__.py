"""Dialect for clients of Talkturo: `/talkturo/api/…`."""
