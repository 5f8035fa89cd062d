"""Telephony providers behind one `Protocol`."""
