"""How every world begins: two organizations in two shards, three campaigns, eight contacts, a carrier.

Numbers: Ann and Bob are called from one exclusive caller number; Ann's telephone also stands in another
campaign of the organization (Amy) and in the other organization (Abe, who is somebody else's customer). Cat and
Gus have two numbers; Gus's are in another country.
"""

import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final

from shared.domain.caller_numbers import NumberChoice, end_of_day, utc_day
from shared.domain.facts import FactType
from shared.domain.ids import default_campaign_id
from shared.store.catalog.caller_numbers import NewNumber, register_number
from shared.store.catalog.campaigns import edit_campaign
from shared.store.catalog.organizations import DEFAULT_CONCURRENCY_LIMIT
from shared.store.client import Document, Store
from shared.telephony.provider import CallMode
from tests.factories import ALWAYS_OPEN, contact_document
from tests.integration.protocol.carrier import Carrier
from tests.integration.protocol.promises import Promises
from tests.integration.protocol.rules_in_force import NO_CAPS, Caps, History, NumberRules, RulesInForce
from tests.integration.protocol.world import DIALING, START_OF_TIME, World

COLLECTIONS: Final = (
    "organizations",
    "configurations",
    "campaigns",
    "contacts",
    "external_ids",
    "attempts",
    "counters",
    "counters_in",
    "budgets",
    "shards",
    "global_budget",
    "do_not_call",
    "results",
    "asks",
    "call_results",
    "answering_machines",
    "caller_numbers",
    "people",
    "facts",
    "facts_in",
    "relays",
    "campaign_log",
)
EXCLUSIVE: Final = "+14155550199"
DEFAULT_NUMBER: Final = "+14155550100"
# Registered numbers of worlds that have any: Summer calls from Acme's as a pool, Autumn from Beta's as a list.
POOL: Final = "west-coast"
REGISTERED: Final = ("+14155550111", "+14155550112")
NUMBER_CHANGES: Final[tuple[dict[str, Any], ...]] = (
    {"active": False},
    {"active": True},
    *({"max_calls": limit} for limit in (1, 2, None)),
    *({"daily_limit": limit} for limit in (1, 2, None)),
)
# What the carrier may take no call for, until that is lifted.
REFUSABLE: Final = (
    "account",
    *(f"caller_number:{number}" for number in (EXCLUSIVE, DEFAULT_NUMBER, REGISTERED[0])),
    "country:GB",
    "country:US",
)
# So close to midnight (UTC) such a world begins that claims are carried over it.
SECONDS_TO_MIDNIGHT: Final = 20
PHONES: Final = (*(f"+1415200000{digit}" for digit in range(6)), "+442079460006", "+442079460007")
# One mobile phone in Mexico as it is written today, and as before 2019.
ONE_PHONE: Final = ("+525512345678", "+5215512345678")
RETRY: Final = {"retry": True, "delay_seconds": 5}


def _id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


ACME, BETA = _id("acme"), _id("beta")
ORGANIZATIONS: Final = (ACME, BETA)
SPRING, SUMMER, AUTUMN = _id("spring"), _id("summer"), _id("autumn")
CAMPAIGNS: Final = {SPRING: ACME, SUMMER: ACME, AUTUMN: BETA}
ANN, BOB, AMY, CAT, GUS, ABE, EVE, FAY = (
    _id(name) for name in ("ann", "bob", "amy", "cat", "gus", "abe", "eve", "fay")
)
# What is done with machines; Spring leaves that to the operator.
MACHINES: Final[dict[str, dict[str, Any]]] = {
    SUMMER: {"action": "leave_message", "message": "Please call us back."},
    AUTUMN: {"action": "hang_up"},
}
# How often a contact may be called in all: as often as `_configuration` says, and without one as the built-in rules.
CEILING: Final = 2
BUILT_IN_CEILING: Final = 5


@dataclass(frozen=True, slots=True)
class Halts:
    """What halts the runs of all campaigns: so many calls, and a circuit breaker as it is stored; None: nothing."""

    max_calls: int | None = None
    circuit_breaker: dict[str, Any] | None = None


NO_HALTS: Final = Halts()
BREAKER: Final[dict[str, Any]] = {"threshold": 0.5, "window_seconds": 120, "min_calls": 2}


@dataclass(frozen=True, slots=True)
class Plan:
    """What differs between worlds. `grants` are those of shards 0 and 1; the rest of the limit is free.

    `numbers`: there are registered caller numbers, and how campaigns choose among them.
    """

    mode: CallMode = CallMode.CALLBACK
    can_look_up: bool = True
    global_limit: int = 3
    grants: tuple[int, int] = (1, 1)
    organization_limit: int = 2
    caps: Caps = NO_CAPS
    numbers: NumberChoice | None = None
    halts: Halts = NO_HALTS


async def new_world(store: Store, plan: Plan | None = None) -> World:
    """A world in which nothing has happened yet, except that scheduler 0 owns shard 0, and 1 owns 1."""
    plan = plan or Plan()
    for collection in COLLECTIONS:
        await store[collection].delete_many({})
    rules = RulesInForce(History(plan.global_limit))
    carrier = Carrier(rules, DIALING, plan.mode, plan.can_look_up, START_OF_TIME)
    world = World(store, rules, carrier, Promises(store))
    await _add_limits(world, plan)
    await _add_customers(world, plan)
    await _add_contacts(world)
    if plan.numbers is not None:
        await _add_numbers(world, plan.numbers)
        midnight = end_of_day(utc_day(START_OF_TIME))
        world.now = carrier.now = midnight - timedelta(seconds=SECONDS_TO_MIDNIGHT)
    for seat in (0, 1):
        await world.take_over(seat, seat)
    return world


async def _add_limits(world: World, plan: Plan) -> None:
    shards = [
        {"_id": shard, "epoch": 0, "held": 0, "grant": grant, "want": {}} for shard, grant in enumerate(plan.grants)
    ]
    await world.store["shards"].insert_many(shards)
    await world.store["global_budget"].insert_one({"_id": "global", "limit": plan.global_limit, "moves": 0})


async def _add_customers(world: World, plan: Plan) -> None:
    rules = world.rules
    for shard, organization_id in enumerate(ORGANIZATIONS):
        world.shard_of[organization_id] = shard
        rules.organization_limits[organization_id] = History(plan.organization_limit)
        rules.exclusive.add((organization_id, EXCLUSIVE))
        rules.caps[organization_id] = plan.caps
        rules.ceilings[default_campaign_id(organization_id)] = BUILT_IN_CEILING
    await world.store["organizations"].insert_many([_organization(world, key, plan) for key in ORGANIZATIONS])
    for campaign_id, organization_id in CAMPAIGNS.items():
        world.shard_of[campaign_id] = world.shard_of[organization_id]
        rules.campaign_limits[campaign_id] = History(None)
        rules.max_calls[campaign_id] = History(plan.halts.max_calls)
        rules.ceilings[campaign_id] = CEILING
        rules.active[campaign_id] = History(True)
        rules.ended[campaign_id] = History(False)
        rules.windows_open[campaign_id] = History(True)
    await world.store["configurations"].insert_many([_configuration(key, plan) for key in CAMPAIGNS])
    await world.store["campaigns"].insert_many([_campaign(world, key) | asdict(plan.halts) for key in CAMPAIGNS])


async def _add_numbers(world: World, choice: NumberChoice) -> None:
    """Two numbers for each organization, one of them for a call at once and both for three a day."""
    for organization_id in ORGANIZATIONS:
        ids = []
        for number, max_calls in zip(REGISTERED, (1, None), strict=True):
            new = NewNumber(number, "", 1, max_calls, 3, True, [POOL])
            made, _ = await register_number(world.store, organization_id, new, world.now)
            ids.append(made.entry.id)
            world.numbers[organization_id, number] = made.entry.id
            limits = NumberRules(History(max_calls), History(3), History(True))
            world.rules.registered[organization_id, number] = limits
        campaign_id = SUMMER if organization_id == ACME else AUTUMN
        kind = {"caller_number_pool": POOL} if organization_id == ACME else {"caller_numbers": listed(ids)}
        fields = {**kind, "caller_number_choice": choice}
        await edit_campaign(world.store, organization_id, campaign_id, fields, START_OF_TIME)


def listed(ids: Iterable[str]) -> list[Document]:
    """Numbers as a campaign lists them."""
    return [{"id": number_id, "weight": None} for number_id in ids]


async def _add_contacts(world: World) -> None:
    contacts = [
        _contact(world, ANN, ACME, SPRING, PHONES[0], agent_number=EXCLUSIVE),
        _contact(world, BOB, ACME, SPRING, PHONES[1], agent_number=EXCLUSIVE),
        _contact(world, AMY, ACME, SUMMER, PHONES[0]),
        _contact(world, CAT, ACME, SUMMER, PHONES[2], PHONES[3]),
        _contact(world, GUS, ACME, SUMMER, PHONES[6], PHONES[7]),
        _contact(world, ABE, BETA, AUTUMN, PHONES[0]),
        _contact(world, EVE, BETA, AUTUMN, PHONES[4]),
        _contact(world, FAY, BETA, None, PHONES[5]),
    ]
    await world.store["contacts"].insert_many(contacts)
    world.contacts = [contact["_id"] for contact in contacts]
    for contact in contacts:
        world.rules.numbers[contact["_id"]] = History(tuple(contact["phone_numbers"]))
        counted = {name: contact[name] for name in ("campaign_id", "organization_id", "shard")}
        has_own_number = contact["agent_number"] is not None
        await world.store["counters_in"].update_one(
            {"_id": f"{contact['campaign_id']}/api-0"},
            {"$inc": {"added": 1, "added_skipped": 0}, "$set": counted, "$max": {"own_numbers": has_own_number}},
            upsert=True,
        )


def _organization(world: World, organization_id: str, plan: Plan) -> Document:
    assert plan.organization_limit <= DEFAULT_CONCURRENCY_LIMIT
    return {
        "_id": organization_id,
        "name": "Acme",
        "shard": world.shard_of[organization_id],
        "concurrency_limit": plan.organization_limit,
        "default_agent_number": DEFAULT_NUMBER,
        "exclusive_caller_numbers": [EXCLUSIVE],
        "max_attempts_per_number_per_day": plan.caps.day,
        "max_attempts_per_number_per_week": plan.caps.week,
        "min_minutes_between_calls": plan.caps.gap_minutes,
        # Acme wants to be told of everything, Beta of nothing.
        "fact_types": list(FactType) if organization_id == ACME else [],
        "created_at": START_OF_TIME,
        "changed_at": START_OF_TIME,
    }


def _configuration(campaign_id: str, plan: Plan) -> Document:
    """Each campaign has one of its own, under the campaign's id."""
    return {
        "_id": campaign_id,
        "organization_id": CAMPAIGNS[campaign_id],
        "name": "Always",
        "default_windows": ALWAYS_OPEN,
        "max_attempts": CEILING,
        "max_attempts_per_day": plan.caps.contact_day,
        "retry_rules": {name: RETRY for name in ("no_answer", "busy", "interrupted", "voicemail")},
        "voicemail": MACHINES.get(campaign_id),
        "agent_id": "agent-1",
        "campaign_count": 1,
    }


def _campaign(world: World, campaign_id: str) -> Document:
    return {
        "_id": campaign_id,
        "organization_id": CAMPAIGNS[campaign_id],
        "shard": world.shard_of[campaign_id],
        "name": "Spring",
        "intent": "running",
        "generation": 1,
        "priority": 1,
        "configuration_id": campaign_id,
        "agent_id": None,
        "agent_version": None,
        "agent_number": None,
        "concurrency_limit": None,
        "created_at": START_OF_TIME,
        "updated_at": START_OF_TIME,
    }


def _contact(
    world: World, contact_id: str, organization_id: str, campaign_id: str | None, *numbers: str, **fields: Any
) -> Document:
    organization = {"_id": organization_id, "shard": world.shard_of[organization_id]}
    campaign = {"_id": campaign_id} if campaign_id else None
    world.shard_of[default_campaign_id(organization_id)] = world.shard_of[organization_id]
    number = world.steps
    given = {"_id": contact_id, "phone_numbers": list(numbers), "created_at": START_OF_TIME, **fields}
    return contact_document(organization, campaign, number, **given)
