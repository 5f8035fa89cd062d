"""The page on webhooks: its lines for `curl` are taken by the API, its Python verifies what the sender signs."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator
from standardwebhooks.webhooks import WebhookVerificationError

from shared.clock import utc_now
from shared.domain.facts import FactType
from shared.domain.webhook_ids import new_event_id
from shared.domain.webhook_signatures import signed_headers
from shared.domain.webhooks import RETRY_SECONDS, Dialect
from shared.events import OrgFact
from shared.rendering.native import NATIVE
from shared.rendering.renderer import Told
from shared.rendering.table import json_of
from tests.unit import test_campaigns_page as campaigns_page
from tests.unit.test_campaigns_page import DOCUMENT, Line, operation

PAGE: Final = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
LINES: Final = list(campaigns_page.lines(PAGE))
SECRET: Final = "5f" * 32
BODY: Final = '{"id":"evt_1","name":"Zoë"}'


def test_no_line_is_left_out() -> None:
    assert len(LINES) == len(re.findall(r"\bcurl -", PAGE)) >= 10


@pytest.mark.parametrize("line", [pytest.param(one, id=f"{n} {one.method} {one.path}") for n, one in enumerate(LINES)])
def test_a_line_is_taken_by_the_api(line: Line) -> None:
    route = operation(line)
    parameters = {given["name"] for given in route.get("parameters", ()) if given["in"] == "query"}
    assert line.query.keys() <= parameters
    if line.body is not None:
        schema = route["requestBody"]["content"]["application/json"]["schema"]
        validator = Draft202012Validator({**schema, "components": DOCUMENT["components"]})
        assert [error.message for error in validator.iter_errors(line.body)] == []


def function(name: str) -> Callable[..., Any]:
    """A function of the page's Python, as a reader would copy it."""
    [block] = [block for block in re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S) if f"def {name}(" in block]
    names: dict[str, Any] = {}
    exec(compile(block, "webhooks.md", "exec"), names)
    found: Callable[..., Any] = names[name]
    return found


def signed(*secrets: str, age: float = 0) -> dict[str, str]:
    return dict(signed_headers(Dialect.NATIVE, "evt_1", BODY, secrets, utc_now() - timedelta(seconds=age)))


def test_the_page_verifies_by_the_library() -> None:
    event_of = function("event_of")
    assert event_of(SECRET, signed("new one", SECRET), BODY.encode())["name"] == "Zoë"
    for headers, body in ((signed("another"), BODY), (signed(SECRET), BODY + " "), (signed(SECRET, age=301), BODY)):
        with pytest.raises(WebhookVerificationError):
            event_of(SECRET, headers, body.encode())


def test_the_page_verifies_by_hand() -> None:
    is_ours = function("is_ours")
    assert is_ours(SECRET, signed(SECRET), BODY.encode())
    assert is_ours(SECRET, signed("new one", SECRET), BODY.encode())
    assert not is_ours(SECRET, signed("another"), BODY.encode())
    assert not is_ours(SECRET, signed(SECRET), BODY.encode() + b" ")
    assert not is_ours(SECRET, signed(SECRET, age=301), BODY.encode())


def test_the_example_is_what_is_sent() -> None:
    [block] = re.findall(r"^```json\n(.*?)^```", PAGE, re.M | re.S)
    example = json.loads(block)
    data = dict(example["data"])
    subjects = {name: data.pop(name) for name in ("campaign_id", "contact_id", "attempt_id")}
    fact = OrgFact(
        shard=0,
        n=1,
        organization_id=example["organization_id"],
        type=example["type"],
        at=example["created_at"],
        facts=data,
        **subjects,
    )
    told = Told(event_id=example["id"], event=fact.type, organization_id=fact.organization_id, at=fact.at, fact=fact)
    assert json.loads(json_of(NATIVE, told)) == example
    assert len(new_event_id()) == len(example["id"])


def test_the_table_names_every_event() -> None:
    rows = [row.split("|")[1] for row in PAGE.splitlines() if row.startswith("| `")]
    assert sorted(re.findall(r"`([a-z_.]+)`", " ".join(rows))) == sorted(kind.value for kind in FactType)


def test_the_waits_are_those_of_the_rules() -> None:
    [said] = re.findall(r"tried again after ([^,]+(?:, [^,]+)*? and 12 h), eight tries", PAGE.replace("\n", " "))
    units = {"s": 1, "min": 60, "h": 3600}
    waits = [int(count) * units[unit] for count, unit in re.findall(r"(\d+) (s|min|h)\b", said)]
    assert tuple(waits) == RETRY_SECONDS
