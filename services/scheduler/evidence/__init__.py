"""Slots that wait for evidence: which calls the carrier is asked about, and what it answers."""
