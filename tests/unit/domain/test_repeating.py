import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.repeating import MAX_REPEATED, quoted, repeated

ANY_TEXT = st.text(st.characters(categories=None), max_size=1000)


@given(ANY_TEXT, st.integers(1, 300))
def test_a_repeated_text_is_short_and_can_be_carried(text: str, limit: int) -> None:
    shown = repeated(text, limit)
    assert len(shown) <= limit
    assert "\x00" not in shown
    shown.encode()


@given(ANY_TEXT)
def test_a_quoted_text_is_short_and_printable(text: str) -> None:
    shown = quoted(text)
    assert len(shown) <= MAX_REPEATED + 2
    assert shown.isprintable()
    json.dumps(shown, ensure_ascii=False).encode()


@pytest.mark.parametrize("text", ["", "spring", "Frühling", "x" * 200])
def test_what_is_short_is_repeated_as_it_is(text: str) -> None:
    assert (repeated(text), quoted(text)) == (text, f"'{text}'")


def test_what_is_long_ends_in_a_sign_of_it() -> None:
    text = "a" * 10_000_000
    assert repeated(text) == "a" * 199 + "…"
    assert quoted(text) == f"'{'a' * 199}…'"
    assert quoted("\n" * 201) == "'" + r"\n" * 99 + "…'"
    assert repeated(text, 64) == "a" * 63 + "…"


def test_what_could_not_be_carried_is_replaced_or_escaped() -> None:
    assert repeated("a\ud800\x00b") == "a??b"
    assert quoted("a\ud800\x00b") == r"'a\ud800\x00b'"
