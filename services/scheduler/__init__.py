"""The scheduler: which contacts are called next, within every limit, and what follows the end of a call.

Consumes:  org.events (the shards Kafka assigns to this process)
Publishes: dial.jobs
Reads:     organizations, campaigns, configurations, do_not_call, counters_in, executors, results
Writes:    contacts (dialing state), attempts, budgets, counters, shards, global_budget
"""
