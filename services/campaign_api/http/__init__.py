"""HTTP as all dialects share it; no dialect is known here."""
