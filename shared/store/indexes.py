"""Every index, once. Each costs every write of its collection: add one only with a measurement.

A claim with three indexes on contacts runs at 0.64 of one. Those on `contacts` below are partial, so that a contact
stands in one or two of them at a time, but for `listing` and `phones`. Their fields change by inserts and edits alone;
of a call's writes the server only compares their keys, which for `phones` is a tenth of what a claim costs it.
"""

from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel

# An external_id, where there is one, is unique in its organization.
_EXTERNAL_ID: Final = IndexModel(
    [("organization_id", ASCENDING), ("external_id", ASCENDING)],
    unique=True,
    partialFilterExpression={"external_id": {"$type": "string"}},
    name="external_id",
)
_NEWEST_FIRST: Final = [("organization_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)]

INDEXES: Final[dict[str, list[IndexModel]]] = {
    "organizations": [
        IndexModel([("shard", ASCENDING), ("changed_at", ASCENDING)]),
        # The few with request limits of their own: asked for once a second by every campaign-api.
        IndexModel(
            [("request_limits", ASCENDING)],
            partialFilterExpression={"request_limits": {"$type": "string"}},
            name="request_limits",
        ),
    ],
    "api_keys": [IndexModel([("kind", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)])],
    "agents": [
        _EXTERNAL_ID,
        IndexModel([("organization_id", ASCENDING), ("number", ASCENDING)], unique=True, name="number"),
        IndexModel(_NEWEST_FIRST, name="listing"),
    ],
    "companies": [_EXTERNAL_ID, IndexModel([*_NEWEST_FIRST, ("search", ASCENDING)], name="listing")],
    "people": [
        _EXTERNAL_ID,
        # With what is searched: a search reads the index alone, and those it finds.
        IndexModel([*_NEWEST_FIRST, ("search", ASCENDING)], name="listing"),
        # Whole numbers and e-mail addresses.
        IndexModel([("organization_id", ASCENDING), ("keys", ASCENDING)], name="keys"),
        # Empty, and so without cost, for those who are in no campaign, or at no company.
        IndexModel(
            [("campaigns", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)],
            partialFilterExpression={"campaigns": {"$exists": True}},
            name="campaigns",
        ),
        IndexModel(
            [("organization_id", ASCENDING), ("company_id", ASCENDING)],
            partialFilterExpression={"company_id": {"$type": "string"}},
            name="company",
        ),
    ],
    "configurations": [
        IndexModel([("organization_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)]),
        # Those that are shared, among many that are not; and those of one campaign.
        IndexModel(
            [
                ("organization_id", ASCENDING),
                ("campaign_id", ASCENDING),
                ("created_at", DESCENDING),
                ("_id", DESCENDING),
            ],
            name="of_campaign",
        ),
    ],
    "campaigns": [
        IndexModel(
            [("organization_id", ASCENDING), ("external_id", ASCENDING)],
            unique=True,
            partialFilterExpression={"external_id": {"$type": "string"}},
            name="external_id",
        ),
        IndexModel(
            [("organization_id", ASCENDING), ("number", ASCENDING)],
            unique=True,
            partialFilterExpression={"number": {"$exists": True}},
            name="number",
        ),
        IndexModel([("organization_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)], name="listing"),
    ],
    "contacts": [
        # Who is next: equality on the campaign, a merge over tiers and open zones, sorted by due time.
        IndexModel(
            [
                ("campaign_id", ASCENDING),
                ("tier", ASCENDING),
                ("timezone", ASCENDING),
                ("due_at", ASCENDING),
                ("seq", ASCENDING),
            ],
            partialFilterExpression={"status": "pending"},
            name="ready",
        ),
        # Claims that have not been started, by when they expire, and calls under way, by when they were started: one
        # index for both, because of each that there is MongoDB 6.0 reads the description twice for every contact that a
        # transaction changes (docs/benchmarks.md).
        IndexModel(
            [("shard", ASCENDING), ("status", ASCENDING), ("start.at", ASCENDING), ("lock.expires_at", ASCENDING)],
            partialFilterExpression={"status": {"$in": ["in_progress", "locked"]}},
            name="active",
        ),
        IndexModel(
            [("organization_id", ASCENDING), ("lock.phone", ASCENDING)],
            partialFilterExpression={"lock.phone": {"$exists": True}},
            name="live_phone",
        ),
        # The customer's view; its fields never change.
        IndexModel([("campaign_id", ASCENDING), ("created_at", ASCENDING), ("seq", ASCENDING)], name="listing"),
        # Everybody with a number: do-not-call, one phone in several contacts, search.
        IndexModel([("organization_id", ASCENDING), ("phone_numbers", ASCENDING)], name="phones"),
    ],
    "attempts": [
        IndexModel([("contact_id", ASCENDING)]),
        # An agent may know its call by the conversation alone.
        IndexModel([("conversation_id", ASCENDING)], name="conversation"),
        # Lists of calls, newest first: of an organization, of one number called, and of a campaign, all its outcomes or
        # some of them, each a range of its own. What they cost a call: docs/benchmarks.md.
        IndexModel(
            [("organization_id", ASCENDING), ("created_at", DESCENDING), ("call_number", DESCENDING)], name="listing"
        ),
        IndexModel(
            [
                ("organization_id", ASCENDING),
                ("phone_number", ASCENDING),
                ("created_at", DESCENDING),
                ("call_number", DESCENDING),
            ],
            name="called",
        ),
        IndexModel(
            [
                ("campaign_id", ASCENDING),
                ("outcome", ASCENDING),
                ("created_at", DESCENDING),
                ("call_number", DESCENDING),
            ],
            name="by_outcome",
        ),
        # The attempts that caps on phones count. Empty, and so without cost, where no organization has one.
        IndexModel(
            [("organization_id", ASCENDING), ("phone", ASCENDING), ("counted_at", ASCENDING), ("ended_at", ASCENDING)],
            partialFilterExpression={"capped": True},
            name="capped",
        ),
    ],
    "campaign_log": [
        IndexModel([("campaign_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)], name="listing")
    ],
    "caller_numbers": [
        IndexModel([("organization_id", ASCENDING), ("number", ASCENDING)], unique=True),
        IndexModel(
            [("organization_id", ASCENDING), ("serial", ASCENDING)],
            unique=True,
            partialFilterExpression={"serial": {"$exists": True}},
            name="serial",
        ),
        IndexModel([("organization_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)], name="listing"),
    ],
    "telephony_accounts": [
        IndexModel([("organization_id", ASCENDING), ("number", ASCENDING)], unique=True, name="number"),
        IndexModel([("organization_id", ASCENDING), ("name", ASCENDING)], unique=True, name="name"),
    ],
    "counters": [IndexModel([("shard", ASCENDING)])],
    "counters_in": [
        IndexModel([("campaign_id", ASCENDING)]),
        IndexModel([("shard", ASCENDING), ("changed_at", ASCENDING)]),
    ],
    "do_not_call": [
        IndexModel([("organization_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)]),
        # What is new, of all organizations, oldest first: the scheduler's sweep.
        IndexModel([("created_at", ASCENDING), ("_id", ASCENDING)], name="sweep"),
    ],
    "ingest_batches": [
        IndexModel([("organization_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)]),
    ],
    # Those that the sweep looks at some time: uploads that no campaign uses.
    "files": [IndexModel([("sweep_at", ASCENDING)], partialFilterExpression={"sweep_at": {"$type": "date"}})],
    # What GridFS asks for, made before the first upload.
    "file_contents.files": [IndexModel([("filename", ASCENDING), ("uploadDate", ASCENDING)])],
    "file_contents.chunks": [IndexModel([("files_id", ASCENDING), ("n", ASCENDING)], unique=True)],
    "idempotency_keys": [IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)],
    "request_counts": [IndexModel([("ends_at", ASCENDING)], expireAfterSeconds=0)],
    "jobs": [
        IndexModel([("organization_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)], name="listing"),
        IndexModel(
            [
                ("organization_id", ASCENDING),
                ("campaign_id", ASCENDING),
                ("created_at", DESCENDING),
                ("_id", DESCENDING),
            ],
            name="of_campaign",
        ),
        # Those that are told again when they do not move.
        IndexModel([("moved_at", ASCENDING)], partialFilterExpression={"state": "running"}, name="running"),
    ],
    "job_rows": [IndexModel([("job_id", ASCENDING), ("row", ASCENDING), ("_id", ASCENDING)], name="of_job")],
    "results": [IndexModel([("shard", ASCENDING)])],
    "facts_in": [
        IndexModel([("shard", ASCENDING), ("at", ASCENDING)], name="waiting"),
        IndexModel([("campaign_id", ASCENDING)], name="of_campaign"),
    ],
    "asks": [IndexModel([("shard", ASCENDING)])],
    "schedulers": [IndexModel([("seen_at", ASCENDING)], expireAfterSeconds=24 * 3600)],
    # Read until the call has its ending, which takes some hours at most while the engine runs.
    "answering_machines": [IndexModel([("at", ASCENDING)], expireAfterSeconds=30 * 24 * 3600)],
    "deletions": [IndexModel([("shard", ASCENDING)]), IndexModel([("campaign_id", ASCENDING)])],
    "expiries": [IndexModel([("shard", ASCENDING), ("at", ASCENDING)])],
    "webhooks": [
        IndexModel(
            [
                ("organization_id", ASCENDING),
                ("campaign_id", ASCENDING),
                ("created_at", DESCENDING),
                ("_id", DESCENDING),
            ],
            name="of_campaign",
        ),
        IndexModel([("organization_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)], name="listing"),
    ],
    "deliveries": [
        # What waits, by subscription: the first of each is one look, however many wait for the others.
        IndexModel(
            [("queue", ASCENDING), ("due_at", ASCENDING)],
            partialFilterExpression={"queue": {"$gt": ""}},
            name="due",
        ),
        IndexModel(
            [("webhook_id", ASCENDING), ("state", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)],
            name="listing",
        ),
        IndexModel(
            [("kept_until", ASCENDING)],
            expireAfterSeconds=0,
            partialFilterExpression={"kept_until": {"$type": "date"}},
            name="kept",
        ),
    ],
}
