"""The console's cookies: none can be read, forged, swapped or kept for ever."""

from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie

import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

from services.console.api import Credential
from services.console.desk import local_path
from services.console.sessions import NOTICE_COOKIE, SESSION_COOKIE, Sessions

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
SECRET = SecretStr("s" * 32)
KEY = Credential("ak_1.secret", None)


def sessions(secret: SecretStr | None = SECRET, *, https: bool = False) -> Sessions:
    return Sessions(secret, seconds=3600, https=https)


def cookie_of(response: Response) -> SimpleCookie:
    return SimpleCookie(response.headers["set-cookie"])


def request_with(**cookies: str) -> Request:
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return Request({"type": "http", "headers": [(b"cookie", header.encode())]})


def written(*, https: bool = False) -> SimpleCookie:
    response, kept = Response(), sessions(https=https)
    kept.write(response, kept.begin(KEY, frozenset({"campaigns:manage"})), NOW)
    return cookie_of(response)


def test_a_session_comes_back_as_it_was() -> None:
    value = written()[SESSION_COOKIE].value
    read = sessions().read(request_with(**{SESSION_COOKIE: value}), NOW + timedelta(minutes=59))
    assert read.credential == KEY
    assert read.may_manage
    assert not read.sees_numbers


def test_the_key_cannot_be_read_in_the_cookie() -> None:
    assert "ak_1" not in written()[SESSION_COOKIE].value


@pytest.mark.parametrize("https", [False, True])
def test_scripts_and_other_sites_do_not_get_the_cookie(https: bool) -> None:
    cookie = written(https=https)[SESSION_COOKIE]
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "lax"
    assert bool(cookie["secure"]) is https


def test_a_session_ends() -> None:
    value = written()[SESSION_COOKIE].value
    assert sessions().read(request_with(**{SESSION_COOKIE: value}), NOW + timedelta(minutes=61)).credential is None


@pytest.mark.parametrize("secret", [SecretStr("t" * 32), None])
def test_a_cookie_of_another_secret_is_none(secret: SecretStr | None) -> None:
    value = written()[SESSION_COOKIE].value
    assert sessions(secret).read(request_with(**{SESSION_COOKIE: value}), NOW).credential is None


def test_a_changed_cookie_is_none() -> None:
    value = written()[SESSION_COOKIE].value
    changed = value[:40] + ("A" if value[40] != "A" else "B") + value[41:]
    assert sessions().read(request_with(**{SESSION_COOKIE: changed}), NOW).credential is None


def test_one_cookie_is_not_taken_for_the_other() -> None:
    response = Response()
    sessions().say(response, "Done.", good=True, now=NOW)
    value = cookie_of(response)[NOTICE_COOKIE].value
    assert sessions().said(request_with(**{NOTICE_COOKIE: value}), NOW) is not None
    assert sessions().read(request_with(**{SESSION_COOKIE: value}), NOW).credential is None


def test_signing_in_begins_another_session() -> None:
    kept = sessions()
    before = kept.read(request_with(), NOW)
    assert not kept.begin(KEY, frozenset()).has_sent(before.csrf)


@pytest.mark.parametrize(
    "path", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\nb"]
)
def test_after_signing_in_nobody_is_led_elsewhere(path: str) -> None:
    assert local_path(path) == "/"


def test_after_signing_in_the_page_asked_for_is_shown() -> None:
    assert local_path("/calls?outcome=busy") == "/calls?outcome=busy"


@pytest.mark.parametrize(
    "sentence", ["Refused: " + "漢" * 4000, '"' * 9000, "\ud800 is no text", "🙂" * 5000, "x" * 2000]
)
def test_a_sentence_in_whatever_script_fits_into_its_cookie(sentence: str) -> None:
    response = Response()
    sessions().say(response, sentence, good=False, now=NOW)
    # With its name and attributes; browsers drop a larger one without a word.
    assert len(response.headers["set-cookie"]) < 4096
    notice = sessions().said(request_with(**{NOTICE_COOKIE: cookie_of(response)[NOTICE_COOKIE].value}), NOW)
    assert notice is not None
    assert sentence.encode(errors="replace").decode().startswith(notice.sentence)
    assert len(notice.sentence) >= min(len(sentence), 600)
