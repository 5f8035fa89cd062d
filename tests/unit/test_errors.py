"""What errors below the services say: a line for developers, without the words of an API."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.domain.campaign import CampaignMove, CampaignState, CampaignUse
from shared.errors import Clash, Conflict, DialstreamError, Kind, NotFound, WrongState

SHARED = Path(__file__).parents[2] / "shared"
# A route of an API, by its path or by its method.
ROUTE = re.compile(r"/(campaign|admin)\b|\b(GET|POST|PUT|PATCH|DELETE) \S*[/…]")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (NotFound(Kind.CAMPAIGN, "spring"), "campaign not found: 'spring'"),
        (NotFound(Kind.DO_NOT_CALL_NUMBER, "\n"), "do-not-call number not found: '\\n'"),
        (
            WrongState(Kind.CAMPAIGN, "spring", CampaignState.CANCELLED, CampaignMove.START),
            "campaign 'spring' is cancelled: start refused",
        ),
        (
            WrongState(Kind.CAMPAIGN, "spring", CampaignState.CANCELLED, CampaignUse.ADD_CONTACTS),
            "campaign 'spring' is cancelled: add contacts refused",
        ),
        (Conflict(Clash.CONFIGURATION_IN_USE, "hours"), "configuration in use: 'hours'"),
    ],
)
def test_the_line_says_what_and_which(error: DialstreamError, line: str) -> None:
    assert str(error) == line


def test_a_line_is_short_however_long_the_reference_is() -> None:
    endless = "x" * 1_000_000
    assert len(str(NotFound(Kind.CAMPAIGN, endless))) < 300
    assert len(str(Conflict(Clash.EXTERNAL_ID_TAKEN, endless))) < 300


def texts_in(source: str) -> Iterator[str]:
    """Every text that the program can say: all its literals but the docstrings."""
    tree = ast.parse(source)
    said_to_readers = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said_to_readers:
            yield node.value


def modules_that_name_a_route() -> set[str]:
    return {
        file.relative_to(SHARED).as_posix()
        for file in SHARED.rglob("*.py")
        if any(ROUTE.search(text) for text in texts_in(file.read_text(encoding="utf-8")))
    }


def test_nothing_below_the_services_speaks_of_an_apis_routes() -> None:
    assert modules_that_name_a_route() == set()


@pytest.mark.parametrize(
    ("source", "names_a_route"),
    [
        ('raise NotFound(f"no campaign {x}; GET /campaign/campaigns lists yours")', True),
        ('raise WrongState(f"reset it: POST …/contacts/reset")', True),
        ('ADVICE = "see /admin/organizations"', True),
        ('"""A docstring may name GET /campaign/campaigns."""', False),
        ('collection = "campaigns"', False),
        ('key = f"{campaign_id}/{source}"', False),
    ],
)
def test_a_route_is_found_in_what_a_program_says(source: str, names_a_route: bool) -> None:
    assert any(ROUTE.search(text) for text in texts_in(source)) is names_a_route
