"""The global limit, shared among shards by grants."""
