"""The page on telephony accounts says what the API takes: every line for `curl`."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.unit.test_campaigns_page import Line, check, lines, named

PAGE: Final = (Path(__file__).parents[2] / "docs" / "telephony.md").read_text(encoding="utf-8")
LINES: Final = list(lines(PAGE))


def test_no_line_of_the_page_is_left_out() -> None:
    assert len(LINES) == len(re.findall(r"\bcurl -", PAGE)) > 8


@pytest.mark.parametrize("one", [pytest.param(line, id=f"{n} {named(line)}") for n, line in enumerate(LINES)])
def test_a_line_of_the_page_is_taken_by_the_api(one: Line) -> None:
    check(one)
