"""What each caller number of a registry has in use, and which of them rest. Reads only."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.caller_numbers import UNUSED
from shared.domain.ids import organization_budget
from shared.domain.refusal import RefusalSubject, Rest, rest_key
from shared.store.client import Store, translates
from shared.store.dialing.number_use import NumbersInForce, read_registries
from shared.store.dialing.rests import read_rests


@dataclass(frozen=True, slots=True)
class NumberInUse:
    """A registered number (E.164) at one moment.

    `active_calls` are up or about to be; `calls_today` count from midnight UTC. `rest` is there while the carrier is
    not asked for it.
    """

    id: str
    number: str
    active_calls: int
    calls_today: int
    rest: Rest | None


@translates
async def numbers_in_use(store: Store, organization_id: str, now: datetime) -> list[NumberInUse]:
    """The organization's registered numbers in order of their digits; three questions for all of them."""
    registry = (await read_registries(store, [organization_id]))[organization_id]
    if not registry:
        return []
    in_force = NumbersInForce(registries={organization_id: registry})
    await in_force.load_uses(store, [(organization_id, number) for number in registry], None)
    uses = in_force.uses[organization_id]
    budget = await store["budgets"].find_one({"_id": organization_budget(organization_id)}, {"rests": 1})
    rests = read_rests((budget or {}).get("rests") or {})
    found = []
    for number, entry in sorted(registry.items()):
        use, rest = uses.get(number, UNUSED), rests.get(rest_key(RefusalSubject.CALLER_NUMBER, number))
        resting = rest if rest is not None and rest.until > now else None
        found.append(NumberInUse(entry.id, number, use.held, use.used_on(use.day_at(now)), resting))
    return found
