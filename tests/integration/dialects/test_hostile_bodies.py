"""Bad input never becomes a 500, on any route of any dialect that reads a body."""

import pytest

from tests.integration.campaign_api.client import Api
from tests.integration.dialects.described import DESCRIBED, Described, routes_of

NO_OBJECTS = {
    "nothing": b"",
    "no JSON": b"{",
    "no UTF-8": b'{"name": "\xff"}',
    "a list": b"[]",
    "a number": b"7",
    "very deep": b"[" * 100_000,
}
# Where these fields are not known, a dialect may ignore them.
OBJECTS = {
    "NUL": b'{"name": "a\\u0000", "phone": "\\u0000", "metadata": {"\\u0000": 1}}',
    "half a pair": b'{"name": "\\ud800", "first_name": "\\udfff"}',
    "a large integer": b'{"metadata": {"n": 92233720368547758080}, "first_name": "A"}',
    "an infinite number": b'{"settings": {"max_retries": 1e400}, "name": 1e400}',
    "deep": b'{"first_name": "A", "metadata":' + b'{"a":' * 40 + b"1" + b"}" * 41,
    "many wrong": b'{"contacts": [' + b",".join([b"7"] * 60_000) + b"]}",
    "a reference": b'{"first_name": "A", "metadata": {"$ref": "x", "$id": 1}}',
}


@pytest.mark.parametrize("dialect", DESCRIBED, ids=lambda one: one.prefix)
async def test_hostile_bodies_are_refused(api: Api, dialect: Described) -> None:
    customer = await api.new_customer()
    things = await dialect.things(customer)
    for method, path, described in routes_of(await dialect.document(customer)):
        if "application/json" not in described.get("requestBody", {}).get("content", {}):
            continue
        for name, body in {**NO_OBJECTS, **OBJECTS}.items():
            answer = await dialect.call(customer, method, path.format(**things), raw=body)
            assert answer.status < 500, (method, path, name, answer.raw[:300])
            may_be_taken = name in OBJECTS or (name == "nothing" and not described["requestBody"]["required"])
            assert answer.status in {400, 422} or may_be_taken, (method, path, name, answer.raw[:300])
        wrong = await dialect.call(
            customer, method, path.format(**things), raw=b"{}", headers=[("Content-Type", "text/plain")]
        )
        assert wrong.status == 415, (method, path)
