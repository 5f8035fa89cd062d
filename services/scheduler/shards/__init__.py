"""The loops of the shards that this process owns, and what each remembers."""
