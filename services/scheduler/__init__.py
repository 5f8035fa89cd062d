"""Decides who is called next, within every limit, and what becomes of a contact when a call ends.

Consumes:  org.events (the shards Kafka assigns to this process)
Publishes: dial.jobs
Reads:     organizations, campaigns, configurations, do_not_call, counters_in, executors, results
Writes:    contacts (dialing state), attempts, budgets, counters, shards, global_budget
"""
