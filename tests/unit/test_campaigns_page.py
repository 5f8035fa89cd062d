"""The page on campaigns says what the API takes: its table of moves, and every line for `curl`."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import pytest
from jsonschema import Draft202012Validator

from services.campaign_api.http import openapi
from services.campaign_api.native import app as native
from shared.clock import utc_now
from shared.domain.campaign import CampaignMove, CampaignState, Course, Intent, Run, RunState, moved

PAGE: Final = (Path(__file__).parents[2] / "docs" / "campaigns.md").read_text(encoding="utf-8")
DOCUMENT: Final = openapi.document(native.ABOUT, native.ROUTERS)
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Line:
    """One line for `curl`; `body` as it is sent, None without one."""

    method: str
    path: str
    query: dict[str, str]
    body: Any


def lines(page: str = PAGE) -> Iterator[Line]:
    """The lines for `curl` of a page, with an id in the place of each variable."""
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        for command in [] if language else re.split(r"^(?=curl )", block, flags=re.MULTILINE):
            if command.startswith("curl "):
                yield _read(command)


def _read(command: str) -> Line:
    known = command.replace("$A", "key").replace("$URL", "/campaign")
    words = shlex.split(re.sub(r"\$[A-Z]+", "an-id", known.replace("\\\n", " ")))[1:]
    options = {"-H": "", "-X": "", "-d": ""}
    urls = []
    while words:
        word = words.pop(0)
        if word in options:
            options[word] = words.pop(0)
        else:
            urls.append(word)
    [url] = urls
    split = urlsplit(url)
    body = json.loads(options["-d"]) if options["-d"] else None
    method = options["-X"] or ("POST" if options["-d"] else "GET")
    return Line(method, split.path, dict(parse_qsl(split.query, strict_parsing=bool(split.query))), body)


LINES: Final = list(lines())


def operation(line: Line) -> dict[str, Any]:
    """What the OpenAPI document says of the route that a line calls; a fixed word goes before a parameter."""
    fits = [
        path
        for path, methods in DOCUMENT["paths"].items()
        if re.fullmatch(re.sub(r"\{[a-z_]+\}", "[^/]+", path), line.path) and line.method.lower() in methods
    ]
    assert fits, f"no route for {line.method} {line.path}"
    path = min(fits, key=lambda fit: fit.count("{"))
    found: dict[str, Any] = DOCUMENT["paths"][path][line.method.lower()]
    return found


def named(line: Line) -> str:
    """A line, short."""
    return f"{line.method} {line.path} {json.dumps(line.body) if line.body is not None else ''}"[:90].strip()


def test_no_line_is_left_out() -> None:
    assert len(LINES) == len(re.findall(r"\bcurl -", PAGE)) > 50
    assert {line.method for line in LINES} <= set(METHODS)


@pytest.mark.parametrize("line", [pytest.param(line, id=f"{n} {named(line)}") for n, line in enumerate(LINES)])
def test_a_line_is_taken_by_the_api(line: Line) -> None:
    check(line)


def check(line: Line) -> None:
    """Assert that the API takes a line as it is."""
    route = operation(line)
    parameters = {given["name"] for given in route.get("parameters", ()) if given["in"] == "query"}
    assert line.query.keys() <= parameters
    if line.body is None:
        assert not route.get("requestBody", {}).get("required", False), "a body is missing"
        return
    schema = route["requestBody"]["content"]["application/json"]["schema"]
    validator = Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    assert [error.message for error in validator.iter_errors(line.body)] == []


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`([A-Z/]+ )/campaign(/[^`?\s]+)", PAGE))))
def test_a_route_that_the_text_names_exists(path: tuple[str, str]) -> None:
    methods, rest = path
    for method in methods.strip().split("/"):
        operation(Line(method, "/campaign" + re.sub(r"\{[a-z_]+\}", "an-id", rest.replace("…", "now")), {}, None))


NOW: Final = utc_now()
COURSES: Final = {
    CampaignState.DRAFT: Course(Intent.DRAFT),
    CampaignState.SCHEDULED: Course(Intent.SCHEDULED, 1),
    CampaignState.RUNNING: Course(Intent.RUNNING, 1),
    CampaignState.SYNCING: Course(Intent.RUNNING, 1, imports=1),
    CampaignState.PAUSED: Course(Intent.PAUSED, 1),
    CampaignState.COMPLETED: Course(Intent.RUNNING, 1, run=Run(1, RunState.COMPLETED, NOW)),
    CampaignState.CANCELLED: Course(Intent.CANCELLED, 1),
    CampaignState.FAILED: Course(Intent.RUNNING, 1, run=Run(1, RunState.FAILED, NOW)),
}
WORDS: Final = {
    CampaignMove.SCHEDULE: "set `start_at`",
    CampaignMove.UNSCHEDULE: "clear `start_at`",
    CampaignMove.START: "start",
    CampaignMove.PAUSE: "pause",
    CampaignMove.CANCEL: "close",
    CampaignMove.DELETE: "delete",
}


@pytest.mark.parametrize("move", [pytest.param(move, id=move) for move in CampaignMove])
def test_the_table_of_moves_says_from_where_each_is_made(move: CampaignMove) -> None:
    rows = re.findall(rf"^\| {re.escape(WORDS[move])} \| ([a-z, ]+) \|", PAGE, re.MULTILINE)
    said = [state for row in rows for state in row.split(", ")]
    assert COURSES.keys() == set(CampaignState)
    assert sorted(said) == sorted(state for state, course in COURSES.items() if moved(course, move, NOW, NOW))
