"""Nobody reaches another organization's things: every route of every dialect, with that organization's ids."""

import re

import pytest

from tests.integration.campaign_api.client import Api
from tests.integration.dialects.described import DESCRIBED, Described, example_of, routes_of


@pytest.mark.parametrize("dialect", DESCRIBED, ids=lambda one: one.prefix)
async def test_anothers_things_are_not_found_and_stay_as_they_are(api: Api, dialect: Described) -> None:
    victim, stranger = await api.new_customer(), await api.new_customer()
    things = await dialect.things(victim)
    document = await dialect.document(victim)
    lists = [path for method, path, _ in routes_of(document) if method == "GET" and "{" not in path]
    before = {path: (await dialect.call(victim, "GET", path)).raw for path in lists}
    asked = 0
    for method, path, described in routes_of(document):
        names = re.findall(r"{(\w+)}", path)
        if not names:
            continue
        body = dialect.bodies.get((method, path), example_of(document, described))
        answer = await dialect.call(stranger, method, path.format(**things), body=body)
        assert answer.status == 404, (method, path, answer.raw)
        asked += 1
    assert asked > 10
    assert {path: (await dialect.call(victim, "GET", path)).raw for path in lists} == before
    for path in lists:
        seen = (await dialect.call(stranger, "GET", path)).raw
        assert dialect.numbered or not any(thing.encode() in seen for thing in things.values()), path
