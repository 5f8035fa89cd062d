"""Every line for `curl` of docs/calls.md is asked of a gateway with calls in it."""

import re
import shlex
from pathlib import Path
from typing import Final

import pytest

from tests.integration.campaign_api.client import Customer
from tests.integration.campaign_api.conftest import Stack
from tests.integration.campaign_api.test_calls import called

PAGE: Final = (Path(__file__).parents[3] / "docs" / "calls.md").read_text(encoding="utf-8")
LINES: Final = re.findall(r"^curl .*$", PAGE, re.MULTILINE)


def test_no_line_is_left_out() -> None:
    assert len(LINES) == len(re.findall(r"\bcurl -", PAGE)) > 10


@pytest.mark.parametrize("line", LINES)
async def test_a_line_is_answered(acme: Customer, stack: Stack, line: str) -> None:
    campaign = await acme.new_campaign()
    attempts = await called(stack, acme, campaign, 3)
    cursor = (await acme.get("/calls?limit=1")).body["next_cursor"]
    known = {"$A": "-", "$URL": "", "$CAMPAIGN": campaign["id"], "$CALL": attempts[0]["_id"], "$CURSOR": cursor}
    for variable, value in sorted(known.items(), reverse=True):
        line = line.replace(variable, value)
    path = shlex.split(line)[-1]
    if path.endswith("/events"):
        async with acme.api.session.get(
            f"{acme.api.url}/campaign{path}", headers={"Authorization": f"Bearer {acme.key}"}
        ) as stream:
            assert (await stream.content.readline()) == b"event: stats\n"
        return
    answer = await acme.get(path)
    assert answer.status == 200, answer.raw
    document = (await acme.api.call("GET", "/openapi.json")).body
    route = next(
        methods["get"]
        for route, methods in document["paths"].items()
        if re.fullmatch(re.sub(r"\{[a-z_]+\}", "[^/]+", route), f"/campaign{path.split('?')[0]}")
    )
    # Unknown parameters are ignored, so that an answer alone proves no name.
    names = {given["name"] for given in route.get("parameters", ()) if given["in"] == "query"}
    assert set(re.findall(r"[?&]([a-z_]+)=", path)) <= names
