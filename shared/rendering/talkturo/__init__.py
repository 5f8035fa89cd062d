"""Dialstream's things as Talkturo's clients know them: one form for answers and for webhooks."""
