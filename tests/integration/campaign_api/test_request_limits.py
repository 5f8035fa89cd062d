"""Two gateways count the requests of one credential together."""

from tests.eventually import eventually
from tests.integration.campaign_api.client import Answer, Api, Customer
from tests.integration.campaign_api.conftest import Stack, serving

HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


async def test_two_gateways_together_let_through_no_more_than_the_limit_and_a_second(stack: Stack) -> None:
    limited = stack.settings.model_copy(update={"request_limits": "40/hour"})
    async with (
        serving(limited, stack.store, stack.producer) as one,
        serving(limited, stack.store, stack.producer) as two,
    ):
        acme = await one.new_customer()
        through = []

        async def ask(api: Api) -> Answer:
            answer = await Customer(api, acme.organization_id, acme.key).get("/timezones")
            through.append(answer.status == 200)
            return answer

        first = await ask(one)
        assert [first.headers[name] for name in HEADERS[:2]] == ["40", "39"]
        for _ in range(29):
            assert (await ask(one)).status == 200
        assert (await ask(two)).status == 200

        async def told() -> bool:
            # Each look is a request too; the second gateway knows of at least 30 others then.
            return int((await ask(two)).headers["X-RateLimit-Remaining"]) < 10 or not through[-1]

        await eventually(told, timeout=10)
        while through[-1]:
            await ask(two)
        assert 40 <= sum(through) <= 41, "one request before the second gateway knew"

        async def refused_by_the_first() -> bool:
            return (await ask(one)).status == 429

        await eventually(refused_by_the_first, timeout=10)
        refused = await ask(one)
        assert refused.headers["X-RateLimit-Remaining"] == "0"
        assert int(refused.headers["Retry-After"]) >= 1
        assert (await (await one.new_customer()).get("/timezones")).status == 200


async def test_the_operator_sets_limits_of_an_organization_and_of_a_key(api: Api, acme: Customer) -> None:
    unlimited = await acme.get("/timezones")
    assert not any(name in unlimited.headers for name in HEADERS)
    path = f"/organizations/{acme.organization_id}"
    assert (await api.admin("PATCH", path, {"request_limits": "60/fortnight"})).status == 422
    changed = await api.admin("PATCH", path, {"request_limits": "1000/hour; 2/hour writes"})
    assert changed.body["request_limits"] == "1000/hour; 2/hour writes"

    async def limited() -> bool:
        return (await acme.get("/timezones")).headers.get("X-RateLimit-Limit") == "1000"

    await eventually(limited, timeout=10)
    names = [{"phone_numbers": [f"+1415555010{n}"]} for n in range(3)]
    assert [(await acme.post("/do-not-call", body)).status for body in names] == [200, 200, 429]
    made = await api.admin(
        "POST",
        "/organization-pats",
        {"organization_id": acme.organization_id, "name": "small", "request_limits": "1/hour"},
    )
    small = Customer(api, acme.organization_id, made.body["key"])
    assert made.body["request_limits"] == "1/hour"
    assert [(await small.get("/timezones")).status for _ in range(2)] == [200, 429]
    key_path = f"/organization-pats/{made.body['id']}"
    assert (await api.admin("PATCH", key_path, {"request_limits": ""})).body["request_limits"] == ""
    assert "X-RateLimit-Limit" not in (await small.get("/timezones")).headers
    assert (await api.admin("PATCH", key_path, {})).status == 422
    assert (await api.admin("PATCH", f"/personal-tokens/{made.body['id']}", {"request_limits": None})).status == 404
    assert (await small.get("/nowhere")).headers.get("X-RateLimit-Limit") is None, "no credential was looked at"
