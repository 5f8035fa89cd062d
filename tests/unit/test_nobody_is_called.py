"""The page for customers whose contacts are not called names every reason that the API can give, and no other."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from shared.domain.reasons import EndReason, WaitReason
from shared.domain.refusal import REST_STEPS

PAGE = Path(__file__).parents[2] / "docs" / "nobody-is-called.md"


def section(title: str) -> str:
    """What stands under a heading."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found.group(1)


@pytest.mark.parametrize(
    ("title", "reasons"), [("Why a contact waits", WaitReason), ("Why a contact has ended", EndReason)]
)
def test_the_table_has_one_row_for_each_reason_that_the_api_can_give(title: str, reasons: Iterable[str]) -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| [^|]+ \| [^|]+ \|$", section(title), re.MULTILINE)
    assert sorted(rows) == sorted(reasons)
    assert len(rows) + 2 == len(re.findall(r"^\|", section(title), re.MULTILINE)), "every row has this form"


def test_the_page_says_for_how_long_things_rest() -> None:
    seconds = [step.total_seconds() for step in REST_STEPS]
    minutes = [f"{second / 60:g}" for second in seconds[1:]]
    said = f"{seconds[0]:g} s after the first refusal, then {', '.join(minutes[:-1])} and {minutes[-1]} minutes"
    text = " ".join(section("What rests, and how long").split())
    assert said in text
