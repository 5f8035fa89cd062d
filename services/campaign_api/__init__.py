"""The gateway: the public HTTP interface, and where the carrier's callbacks enter.

Consumes: HTTP requests of customers and the operator; signed status callbacks of the carrier.
Publishes: `org.events` (ContactsAdded, CampaignChanged, LimitsChanged as hints; CallAnswered, CallFinished).
Reads: every collection that it writes, `contacts`, `attempts`, `counters`, `budgets`, `ingest_batches`.
Writes: `organizations`, `api_keys`, `configurations`, `campaigns`, `do_not_call`, the customer's fields of
`contacts`, `counters_in`; `results` when Kafka does not take a finished call.
"""
