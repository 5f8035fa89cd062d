"""Stores the contacts that customers publish to Kafka: each row checked by itself, each batch once.

Consumes:  contact.batches
Publishes: org.events (ContactsAdded, a hint); contact.batches.dlq
Reads:     api_keys, organizations, campaigns, configurations, do_not_call
Writes:    contacts (customer's fields), external_ids, counters_in, ingest_batches
"""
