"""How ids and keys are made: each recipe once, for MongoDB's documents, Kafka's records and the carrier's calls.

The recipes are parts of what is stored: a changed one no longer finds what an older version has written.
"""

import functools
import hashlib
import uuid
import zlib
from typing import Final

# The shard of an organization is the partition of `org.events` that its events go to. It is stored on
# the organization when that is created, so this number is fixed for the life of a deployment.
SHARDS: Final = 16
# What the APIs and messages call the contacts of no campaign.
DEFAULT_CAMPAIGN: Final = "default"
# Counters of added contacts are spread over so many documents a service, to keep processes out of each other's way.
COUNTER_SOURCES: Final = 16

_OF_NO_CAMPAIGN: Final = f"{DEFAULT_CAMPAIGN}:"
_ORGANIZATION_BUDGET: Final = "org:"
_HEX_DIGITS: Final = 32
# Rows of the requests that a process stores at once: an upload derives each id as it looks, matches, stores and files.
_IDS_KEPT: Final = 16_384


def shard_of(organization_id: str) -> int:
    """The shard a new organization is given, 0 to SHARDS - 1; read it from the organization afterwards."""
    return partition_of(event_key(organization_id), SHARDS)


def partition_of(key: bytes, partitions: int) -> int:
    """The partition our own producers use for `key`: CRC-32, at C speed, the same in every process."""
    return zlib.crc32(key) % partitions


def event_key(organization_id: str) -> bytes:
    """The key of an organization's events on `org.events`."""
    return organization_id.encode()


def job_key(attempt_id: str) -> bytes:
    """The key of a dial job: not the contact's, so that its next job may reach another executor."""
    return attempt_id.encode()


def default_campaign_id(organization_id: str) -> str:
    """The `campaign_id` under which an organization's contacts of no campaign are stored."""
    return _OF_NO_CAMPAIGN + organization_id


def is_default_campaign(campaign_id: str) -> bool:
    """Whether a stored `campaign_id` stands for contacts of no campaign."""
    return campaign_id.startswith(_OF_NO_CAMPAIGN)


def organization_of_default(campaign_id: str) -> str:
    """The organization whose contacts of no campaign are stored under this `campaign_id`."""
    return campaign_id.removeprefix(_OF_NO_CAMPAIGN)


@functools.lru_cache(maxsize=_IDS_KEPT)
def contact_id_of(organization_id: str, campaign_id: str, external_id: str) -> str:
    """The id that a contact with this external_id is first tried under, in a campaign as stored.

    Raises `ValueError` when the campaign's id, or the organization's for contacts of no campaign, is no UUID.
    """
    namespace = organization_id if is_default_campaign(campaign_id) else campaign_id
    return _uuid5(namespace, external_id)


def contact_id_of_person(campaign_id: str, person_id: str) -> str:
    """The id of a person's contact in a campaign, whatever external_id it has. Raises `ValueError`: no UUID."""
    # The person's id is the namespace: a campaign's is that of the external_ids in it.
    return _uuid5(person_id, campaign_id)


def agent_key(organization_id: str, agent_id: str) -> str:
    """The document of an agent, whose own id its customer may have chosen."""
    return f"{organization_id}/{agent_id}"


def file_copy_id_of(campaign_id: str, key: str) -> str:
    """The id of a campaign's own copy of the file under a key. Raises `ValueError` when the campaign's is no UUID."""
    return _uuid5(campaign_id, key)


def contact_id_in(job_id: str, row: int) -> str:
    """The id of the contact that a job makes of a row of its file, where the row has no external_id.

    Raises `ValueError` when the job's id is no UUID.
    """
    return _uuid5(job_id, f"row {row}")


def redialed_id_of(campaign_id: str, contact_id: str) -> str:
    """The id of a contact's copy in the campaign that calls it again. Raises `ValueError` for a campaign's no UUID."""
    return _uuid5(campaign_id, contact_id)


def job_message_key(job_id: str) -> bytes:
    """The key of what is said of a job on `jobs`."""
    return job_id.encode()


def callback_id(contact_id: str, waiting: int) -> str:
    """The id of a callback: of this one waiting of the contact, the `waiting`-th in which it came to wait anew."""
    return f"{contact_id}-{waiting}"


def of_callback(reference: str) -> tuple[str, int] | None:
    """The contact and its waiting number that the id of a callback is made of; None for any other text."""
    contact_id, _, waiting = reference.rpartition("-")
    try:
        parsed = str(uuid.UUID(contact_id)), int(waiting)
    except ValueError:
        return None
    return parsed if callback_id(*parsed) == reference.lower() else None


def attempt_id_of(contact_id: str, claim_id: str) -> str:
    """The attempt that a claim makes at a contact. Raises `ValueError` when the contact's id is no UUID."""
    return _uuid5(contact_id, claim_id)


def conversation_id_of(attempt_id: str) -> str:
    """The id under which the voice agent files the conversation of an attempt."""
    try:
        return _uuid5(attempt_id, "conversation")
    except ValueError:
        # Not one of our attempts. Its report is recorded like any other: raising would stop the shard for good.
        return _uuid5(str(uuid.uuid5(uuid.NAMESPACE_OID, attempt_id)), "conversation")


def organization_budget(organization_id: str) -> str:
    """The budget of an organization: its concurrency limit."""
    return _ORGANIZATION_BUDGET + organization_id


def organization_of_budget(budget: str) -> str | None:
    """The organization whose budget this is; None for a campaign's or a caller number's."""
    return budget.removeprefix(_ORGANIZATION_BUDGET) if budget.startswith(_ORGANIZATION_BUDGET) else None


def campaign_budget(campaign_id: str) -> str:
    """The budget of a campaign."""
    return f"campaign:{campaign_id}"


def number_budget(organization_id: str, caller_number: str) -> str:
    """The budget of a caller number, which is one call where the number is exclusive."""
    return f"number:{organization_id}:{caller_number}"


def counter_source(service: str, number: int) -> str:
    """The name under which a process counts the contacts that it adds.

    `service` is `api` or `ingest`; `number` is taken at random below COUNTER_SOURCES.
    """
    return f"{service}-{number}"


def counter_id(campaign_id: str, source: str) -> str:
    """The document in which a source counts the contacts that it adds to a campaign."""
    return f"{campaign_id}/{source}"


def listing_id(organization_id: str, number: str) -> str:
    """The do-not-call entry of a number in the spelling given; see shared/store/catalog/do_not_call.py for which."""
    return f"{organization_id}:{number}"


def batch_key(organization_id: str, batch_id: str) -> str:
    """The document of a batch, whose own id its customer has chosen."""
    return f"{organization_id}:{batch_id}"


def _uuid5(namespace: str, name: str) -> str:
    """The text of `uuid.uuid5`, without the objects: every call takes three of them. Raises `ValueError` as it does."""
    plain = namespace.replace("-", "")
    digits = plain if len(plain) == _HEX_DIGITS and plain.isalnum() else uuid.UUID(namespace).hex
    digest = bytearray(hashlib.sha1(bytes.fromhex(digits) + name.encode(), usedforsecurity=False).digest()[:16])
    # RFC 9562, 5.5: version 5, variant 10.
    digest[6], digest[8] = digest[6] & 0x0F | 0x50, digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
