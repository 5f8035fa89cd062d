"""Work that comes round by the clock, for all shards of the process."""
