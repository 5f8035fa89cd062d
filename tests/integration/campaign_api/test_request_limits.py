"""Gateways count the requests of one credential together; the operator says how many it may make."""

from services.campaign_api.http.limit_exchange import LimitExchange
from services.campaign_api.http.request_limits import RequestLimits
from shared.domain.request_limits import request_windows
from shared.engine.engine import Engine
from shared.engine.file_places import file_place
from shared.engine.hints import Hints
from tests.eventually import eventually
from tests.factories import new_id
from tests.integration.campaign_api.client import Answer, Api, Customer
from tests.integration.campaign_api.conftest import Stack, serving

HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


async def test_two_gateways_count_the_requests_of_a_credential_together(stack: Stack) -> None:
    limited = stack.settings.model_copy(update={"request_limits": "40/hour"})
    async with (
        serving(limited, stack.store, stack.producer) as one,
        serving(limited, stack.store, stack.producer) as two,
    ):
        acme = await one.new_customer()
        first = await acme.get("/timezones")
        assert [first.headers[name] for name in HEADERS[:2]] == ["40", "39"]
        assert [(await acme.get("/timezones")).status for _ in range(40)] == [*[200] * 39, 429]
        elsewhere = Customer(two, acme.organization_id, acme.key)
        answers: list[Answer] = []

        async def refused() -> bool:
            answers.append(await elsewhere.get("/timezones"))
            return answers[-1].status == 429

        await eventually(refused, timeout=10, every=0.25)
        assert len(answers) <= 40, "alone, the second one would let through 40"
        answer = answers[-1]
        assert answer.headers["X-RateLimit-Remaining"] == "0"
        assert int(answer.headers["Retry-After"]) >= 1
        assert (await (await two.new_customer()).get("/timezones")).status == 200


async def test_counts_are_told_as_totals_and_learned_once(stack: Stack) -> None:
    def gateway() -> tuple[RequestLimits, LimitExchange]:
        engine = Engine(
            stack.store, Hints(stack.producer), "api", file_place(stack.settings, stack.store, secret_key=None)
        )
        limits = RequestLimits(request_windows("40/hour"))
        return limits, LimitExchange(engine, limits)

    (here, told_here), (there, told_there), (third, told_third) = gateway(), gateway(), gateway()
    name = new_id()

    def left(limits: RequestLimits) -> int:
        state = limits.ask(name, None, "org", "GET")
        assert state is not None
        return state.remaining

    assert [left(here) for _ in range(30)][-1] == 10
    assert left(there) == 39
    for exchange in (told_here, told_there, told_here, told_there, told_here):
        await exchange.exchange()
    assert (left(there), left(here)) == (8, 8)
    await told_third.exchange()
    assert left(third) == 39, "it has seen nothing of this credential before"
    for exchange in (told_here, told_there, told_third):
        await exchange.exchange()
    assert left(third) == 5


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
