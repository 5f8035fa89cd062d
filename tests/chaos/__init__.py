"""Breaks a running system at random and lets the carrier's own record judge it (docs/reliability.md)."""
