"""Places the calls: starts each dial job exactly once, looks a last time, asks the carrier, reports. Scales out.

Consumes:  dial.jobs
Publishes: org.events (CallFinished, JobReleased, OutcomeUnknown)
Reads:     contacts, campaigns, configurations, organizations, budgets, do_not_call
Writes:    contacts (locked to in_progress, and the carrier's call id), executors, results
"""
