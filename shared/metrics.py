"""Every metric, once, with its kind, unit and meaning. Exposed by each service under `/metrics`."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_LATENCY_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

CLAIMED: Final = Counter("dialstream_contacts_claimed_total", "Contacts a scheduler has locked for an attempt.")
FINISHED: Final = Counter("dialstream_attempts_finished_total", "Attempts that ended, by outcome.", ["outcome"])
UPGRADED: Final = Counter(
    "dialstream_attempts_upgraded_total",
    "Attempts whose provisional ending, by outcome, the carrier's own has replaced: finished counts both.",
    ["outcome"],
)
RESTING: Final = Counter(
    "dialstream_rests_begun_total", "Rests begun or begun again because a carrier's refusal speaks of us.", ["subject"]
)
RELEASED: Final = Counter(
    "dialstream_jobs_released_total", "Dial jobs given back before a call, by reason.", ["reason"]
)
EXPIRED: Final = Counter("dialstream_claims_expired_total", "Claims that nobody started in time.")
TAKE_OVERS: Final = Counter("dialstream_shard_take_overs_total", "Shards this scheduler has taken over.")
OWNERSHIP_LOST: Final = Counter(
    "dialstream_shard_ownership_lost_total", "Writes refused because another owner is newer."
)
SHARDS_OWNED: Final = Gauge("dialstream_shards_owned", "Shards this scheduler owns now.")
DUE: Final = Gauge(
    "dialstream_contacts_due",
    "Contacts due now in the campaigns that may call, as far as this scheduler looks ahead: up to 1,000 of a campaign.",
)
HELD: Final = Gauge("dialstream_slots_held", "Slots held in the shards this scheduler owns.")
WAITING_FOR_EVIDENCE: Final = Gauge(
    "dialstream_slots_waiting_for_evidence",
    "Slots held by calls whose ending nobody has reported and which the carrier does not say are up.",
)
SHARD_TRANSACTION_SECONDS: Final = Histogram(
    "dialstream_shard_transaction_seconds", "One scheduler transaction: finishes and claims.", buckets=_LATENCY_SECONDS
)
ENDINGS_REPEATED: Final = Counter(
    "dialstream_endings_repeated_total", "Endings that were known before: told twice, or read again from Kafka."
)
TRANSACTIONS_REPEATED: Final = Counter(
    "dialstream_transactions_repeated_total", "Transactions begun again: somebody wrote the same, or the primary went."
)
TRANSACTIONS_ENDED: Final = Counter(
    "dialstream_transactions_ended_total", "Transactions of others that this scheduler ended: nobody worked on them."
)
REFILL_SECONDS: Final = Histogram(
    "dialstream_refill_seconds", "From a finished call read to the next dial job published.", buckets=_LATENCY_SECONDS
)

STARTED: Final = Counter("dialstream_jobs_started_total", "Dial jobs this executor has started.")
JOBS_NOT_OURS: Final = Counter(
    "dialstream_jobs_not_ours_total", "Dial jobs that START refused: read again from Kafka, given back or expired."
)
PLACED: Final = Counter("dialstream_calls_placed_total", "Calls the carrier accepted.")
REFUSED: Final = Counter("dialstream_calls_refused_total", "Calls the carrier refused, by outcome.", ["outcome"])
DENIED: Final = Counter(
    "dialstream_calls_denied_total",
    "Calls the carrier refused for a reason that speaks of us, by what it speaks of.",
    ["subject"],
)
PLACEMENTS_UNKNOWN: Final = Counter(
    "dialstream_placements_unknown_total", "Placements whose answer was lost; never repeated, resolved by evidence."
)
PLACING: Final = Gauge("dialstream_placements_in_flight", "Jobs between start and the carrier's answer.")
SECOND_SINK: Final = Counter("dialstream_results_second_sink_total", "Finished calls stored because Kafka was slow.")

UNREAD: Final = Gauge(
    "dialstream_unread_records",
    "Kafka's records behind the last one read, in the partitions that this process reads.",
    ["topic"],
)
AWAY: Final = Gauge("dialstream_server_away", "1 while this process does not reach a server, else 0.", ["server"])
DEAD_LETTERS: Final = Counter(
    "dialstream_dead_letters_total", "Messages nobody could use, by topic and error class.", ["topic", "error"]
)
INGESTED: Final = Counter(
    "dialstream_ingested_contacts_total", "Rows of contact batches, by what became of them.", ["result"]
)
CALLBACKS: Final = Counter(
    "dialstream_provider_callbacks_total", "Provider callbacks, by what became of them.", ["result"]
)
HTTP_REQUESTS: Final = Counter(
    "dialstream_http_requests_total", "Requests, by method and status.", ["method", "status"]
)
FACTS_RELAYED: Final = Counter("dialstream_facts_relayed_total", "Facts that Kafka has acknowledged on org.facts.")

WEBHOOK_DELIVERIES: Final = Counter(
    "dialstream_webhook_deliveries_total", "Events to be delivered, one for each subscription that wants one."
)
WEBHOOK_TRIES: Final = Counter(
    "dialstream_webhook_tries_total",
    "Tries to deliver an event, by result: delivered, or why not; address: it was private, and nothing was sent.",
    ["result"],
)
WEBHOOK_DEAD_LETTERS: Final = Counter("dialstream_webhook_dead_letters_total", "Deliveries given up.")
WEBHOOK_DELAY_SECONDS: Final = Histogram(
    "dialstream_webhook_delay_seconds",
    "From what an event tells of to its receiver's acceptance.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 43200),
)
WEBHOOKS_IN_HAND: Final = Gauge(
    "dialstream_webhooks_in_hand", "Deliveries that this sender has taken and not marked yet."
)
RECEIVERS_REFUSED: Final = Counter(
    "dialstream_webhook_receivers_refused_total", "Webhooks that were not made or changed because of their address."
)
