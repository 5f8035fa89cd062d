"""Stored secrets are encrypted anew with the newest key: where they are, and how it is done while services run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.errors import SecretUnreadable
from shared.store.client import Store, translates
from shared.stored_secrets import SecretCipher

# Collection and field of every stored secret; a field is a text that `SecretCipher.encrypt` has made, null or absent.
ENCRYPTED_FIELDS: Final[tuple[tuple[str, str], ...]] = (
    ("telephony_accounts", "credentials"),
    ("webhooks", "secret"),
    ("webhooks", "old_secret"),
)


@dataclass(frozen=True, slots=True)
class Reencrypted:
    """What became of the secrets of one collection; `unreadable` are the ids of those that no key opens."""

    collection: str
    field: str
    changed: int
    already: int
    unreadable: tuple[str, ...]


@translates
async def reencrypt(
    store: Store, cipher: SecretCipher, places: Sequence[tuple[str, str]] = ENCRYPTED_FIELDS
) -> list[Reencrypted]:
    """Have the newest key write every stored secret. Safe to run twice, at once, killed and while services run.

    A secret that changes meanwhile is left alone: what writes it has a key of its own, the newest once all services
    have it. Raises `SecretKeyMissing` without a key and `Unavailable` when MongoDB is away: run it again.
    """
    return [await _reencrypt(store, cipher, collection, field) for collection, field in places]


async def _reencrypt(store: Store, cipher: SecretCipher, collection: str, field: str) -> Reencrypted:
    changed, already, unreadable = 0, 0, []
    async for document in store[collection].find({field: {"$type": "string"}}, {field: 1}):
        stored = document[field]
        if cipher.is_by_newest(stored):
            already += 1
            continue
        try:
            anew = cipher.encrypt(cipher.decrypt(stored))
        except SecretUnreadable:
            unreadable.append(str(document["_id"]))
            continue
        done = await store[collection].update_one({"_id": document["_id"], field: stored}, {"$set": {field: anew}})
        changed += done.modified_count
    return Reencrypted(collection, field, changed, already, tuple(unreadable))
