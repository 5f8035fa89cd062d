"""Small organizations beside a large one: what their share of the slots is, and how they are given contacts."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import aiohttp

from shared.clock import monotonic
from shared.domain.ids import SHARDS
from shared.store.client import Document, Store
from tests.bench.batches import new_credential
from tests.factories import add_campaign, add_configuration, add_organization

COUNT = 20
# So many of them share the large one's shard; each of the others has a shard with nobody of note.
BESIDE = COUNT - (SHARDS - 1)
LIMITS = (5, 10, 20)
# Contacts for each slot of the limit.
CONTACTS = 2


@dataclass(frozen=True, slots=True)
class SmallOne:
    """One small organization with an active campaign without contacts. `slots`: its share, at least the one of a
    turn; `beside`: whether the large one is in its shard."""

    organization: Document
    campaign: Document
    credential: str
    slots: int
    contacts: int
    beside: bool


@dataclass(frozen=True, slots=True)
class Given:
    """The contacts one of them was given, and when that was acknowledged (monotonic)."""

    at: float
    contacts: frozenset[str]


async def add_small_ones(store: Store, *, large_limit: int, slots: int, shard: int) -> list[SmallOne]:
    """Twenty of them, where the large one has `large_limit` and all share `slots`; `shard` is the large one's."""
    limits = [LIMITS[number % len(LIMITS)] for number in range(COUNT)]
    everybody = large_limit + sum(limits)
    small = []
    for number, limit in enumerate(limits):
        beside = number < BESIDE
        its_shard = shard if beside else (shard + 1 + number - BESIDE) % SHARDS
        organization = await add_organization(store, concurrency_limit=limit, shard=its_shard)
        campaign = await add_campaign(store, organization, await add_configuration(store, organization))
        share = max(1, slots * limit // everybody)
        credential = await new_credential(store, organization)
        small.append(SmallOne(organization, campaign, credential, share, CONTACTS * limit, beside))
    return small


async def give_contacts(
    client: aiohttp.ClientSession, small: Sequence[SmallOne], how_many: Callable[[SmallOne], int], *, first: int
) -> list[Given]:
    """Post contacts for all of them at one moment; `first` makes the numbers of the first contact."""

    async def give(one: SmallOne) -> Given:
        rows = [{"phone_numbers": [f"+1415{2000000 + first + n:07d}"]} for n in range(how_many(one))]
        path = f"/campaign/campaigns/{one.campaign['_id']}/contacts"
        headers = {"Authorization": f"Bearer {one.credential}"}
        async with client.post(path, json={"contacts": rows}, headers=headers) as answer:
            answer.raise_for_status()
            result = await answer.json()
        return Given(monotonic(), frozenset(result["contact_ids"]))

    return list(await asyncio.gather(*(give(one) for one in small)))
