"""Sends webhooks: each fact to each subscription that wants it, until it is accepted or given up. Scales out.

Consumes:  org.facts
Publishes: org.facts.dlq
Reads:     webhooks, and what a dialect's renderer asks the engine for
Writes:    deliveries; webhooks (active and off_because, when a receiver is gone), organizations (fact_types, with them)
"""
