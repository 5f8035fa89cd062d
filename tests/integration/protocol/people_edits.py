"""What customers do with people of the contact book while calls are being made, by the functions that the API uses."""

from typing import Any

from shared.domain.enrolment import Enrolled
from shared.store.catalog.people import NewPerson
from shared.store.client import Store
from shared.store.contacts import following
from shared.store.contacts.enrolment import ToEnrol, enrol
from shared.store.contacts.matching import ContactsOf
from shared.store.contacts.upsert_people import create_people
from tests.integration.protocol.rules_in_force import History
from tests.integration.protocol.setting import ACME, SUMMER
from tests.integration.protocol.world import World, step

SOURCE = "api-0"


@step
async def new_person(world: World, /, **values: Any) -> str:
    """Someone new in Acme's contact book."""
    [person] = await create_people(world.store, ACME, [NewPerson(values)], world.now)
    return person.id


@step
async def enrolled(world: World, *person_ids: str, campaign_id: str = SUMMER) -> list[Enrolled]:
    """Enrol people in a campaign of Acme's."""
    scope = ContactsOf(ACME, world.shard_of[campaign_id], campaign_id)
    done = await enrol(world.store, scope, [ToEnrol(each) for each in person_ids], source=SOURCE, now=world.now)
    for each in done:
        if each.contact_id is not None and each.contact_id not in world.contacts:
            world.contacts.append(each.contact_id)
            world.rules.numbers[each.contact_id] = History(await _numbers(world.store, each.contact_id))
    return done


@step
async def change(world: World, /, person_id: str, **values: Any) -> None:
    """Change a person; its contacts follow."""
    await following.edit_person(world.store, ACME, person_id, values, source=SOURCE, now=world.now)
    for contact_id in world.contacts:
        numbers = await _numbers(world.store, contact_id)
        if numbers != world.rules.numbers[contact_id].now:
            world.rules.numbers[contact_id].set(world.steps, numbers)


@step
async def delete(world: World, person_id: str) -> None:
    """Delete a person."""
    await following.delete_person(world.store, ACME, person_id, now=world.now)


async def _numbers(store: Store, contact_id: str) -> tuple[str, ...]:
    stored = await store["contacts"].find_one({"_id": contact_id}, {"phone_numbers": 1})
    assert stored is not None
    return tuple(stored["phone_numbers"])
