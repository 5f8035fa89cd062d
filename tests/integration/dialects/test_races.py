"""Of two moves of a campaign at once, each is asked of the state that the other has left, in every dialect."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.integration.campaign_api.client import Answer, Api, Customer
from tests.integration.dialects.described import DESCRIBED, Described

# The moves before, the two at once, and where the campaign is after these, in the engine's words.
RACES: Final[list[tuple[list[str], str, str, set[str]]]] = [
    ([], "start", "start", {"running", "syncing"}),
    (["start"], "pause", "pause", {"paused"}),
    (["start", "pause"], "resume", "resume", {"running", "syncing"}),
    (["start"], "pause", "cancel", {"cancelled"}),
    (["start"], "cancel", "cancel", {"cancelled"}),
]
CASES: Final = [
    pytest.param(dialect, *race, id=f"{dialect.prefix} {race[1]} and {race[2]}")
    for dialect in DESCRIBED
    for race in RACES
    if {*race[0], race[1], race[2]} <= dialect.moves.keys()
]
TRIES: Final = 3


async def moved(dialect: Described, customer: Customer, things: Mapping[str, str], move: str) -> Answer:
    method, path, body = dialect.moves[move]
    return await dialect.call(customer, method, path.format(**things), body=body)


async def engines_campaign(customer: Customer) -> Any:
    """The only campaign there is, as the native API has it."""
    [campaign] = (await customer.get("/campaigns")).body["campaigns"]
    return campaign


@pytest.mark.parametrize(("dialect", "before", "one", "other", "ends"), CASES)
async def test_each_is_asked_of_the_state_that_the_other_has_left(
    api: Api, dialect: Described, before: list[str], one: str, other: str, ends: set[str]
) -> None:
    for _ in range(TRIES):
        customer = await api.new_customer()
        things = await dialect.things(customer)
        for move in before:
            answer = await moved(dialect, customer, things, move)
            assert answer.status == 200, answer.raw
        answers = await asyncio.gather(*(moved(dialect, customer, things, move) for move in (one, other)))
        statuses = sorted(answer.status for answer in answers)
        if one == other:
            assert statuses == ([200, 200] if dialect.repeats else [200, dialect.refused])
        else:
            # In one order both are allowed, in the other the second is not.
            assert statuses in ([200, 200], [200, dialect.refused])
        assert (await engines_campaign(customer))["state"] in ends
