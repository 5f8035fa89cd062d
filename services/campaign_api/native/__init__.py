"""The native API, at the root: `/campaign/…`."""
