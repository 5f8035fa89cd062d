"""Stores the contacts that customers publish to Kafka, each row checked by itself, each batch once; does jobs.

A job brings the contacts of a CSV file, or of another campaign, into a campaign.

Consumes:  contact.batches, jobs
Publishes: org.events (ContactsAdded, CampaignChanged, hints); jobs (those that do not move); contact.batches.dlq
Reads:     api_keys, organizations, campaigns, configurations, do_not_call, attempts, files
Writes:    contacts (customer's fields), external_ids, counters_in, ingest_batches, jobs, job_rows, campaigns (imports)
"""
