"""Numbers and reasons for people: counters, standings, the diagnosis. Reads only."""
