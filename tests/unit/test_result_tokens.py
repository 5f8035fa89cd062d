import pytest
from pydantic import SecretStr

from shared import result_tokens
from shared.result_tokens import NO_TOKENS, ResultTokens, TokenCall

OLD, NEW = "0" * 32, "1" * 32
CALL = TokenCall("an-organization", "a-contact", "an-attempt")


def tokens(*keys: str) -> ResultTokens:
    return ResultTokens(SecretStr(",".join(keys)))


def issued(*keys: str) -> str:
    token = tokens(*keys).issue(CALL)
    assert token is not None
    return token


def test_a_token_is_read_with_the_key_that_signed_it_and_fits_into_an_address() -> None:
    token = issued(NEW)
    assert tokens(NEW).read(token) == CALL
    assert token.startswith("rt_")
    assert all(character.isalnum() or character in "_-." for character in token)


def test_the_newest_key_signs_and_all_are_read() -> None:
    assert tokens(NEW, OLD).read(issued(OLD)) == CALL
    assert tokens(NEW).read(issued(NEW, OLD)) == CALL
    assert tokens(OLD).read(issued(NEW, OLD)) is None


@pytest.mark.parametrize("place", range(3, 60, 4))
def test_an_altered_token_is_none(place: int) -> None:
    token = issued(NEW)
    altered = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
    assert tokens(NEW).read(altered) is None


@pytest.mark.parametrize("text", ["", "rt_", "rt_.", "rt_..", "rt_a.b.c", "ak_x.y", "rt_ü.ä.ö", "rt_" + "x" * 5000])
def test_what_is_no_token_is_none(text: str) -> None:
    assert tokens(NEW).read(text) is None


def test_an_old_token_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    token = issued(NEW)
    monkeypatch.setattr(result_tokens, "GOOD_SECONDS", -1)
    assert tokens(NEW).read(token) is None


def test_without_a_key_there_are_no_tokens_and_none_is_good() -> None:
    assert NO_TOKENS.issue(CALL) is None
    assert NO_TOKENS.read(issued(NEW)) is None
