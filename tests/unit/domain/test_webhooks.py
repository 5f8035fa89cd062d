"""Webhooks' rules: when a delivery is tried again, what is signed and how, the ids of events."""

import base64
import hashlib
import hmac
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook as Verifier

from shared.clock import utc_now
from shared.domain.typeid import typeid
from shared.domain.webhook_ids import delivery_id, event_id
from shared.domain.webhook_signatures import signed_headers, standard_secret
from shared.domain.webhooks import (
    DEAD_KEPT,
    DELIVERED_KEPT,
    FEWEST_AT_ONCE,
    MOST_AT_ONCE,
    After,
    Answer,
    DeliveryError,
    DeliveryState,
    Dialect,
    after_try,
    at_once_after,
    status_error,
    wants,
)

NOW = datetime(2026, 11, 29, 12, 0, 0, 123000, tzinfo=UTC)
ACCEPTED = Answer(204, None)
FAILED = Answer(500, DeliveryError.STATUS)
BODY = '{"id":"evt_1","name":"Zoë"}'


@pytest.mark.parametrize(
    ("tries", "seconds"), [(1, 5), (2, 30), (3, 120), (4, 600), (5, 3600), (6, 10_800), (7, 43_200)]
)
@pytest.mark.parametrize("answer", [FAILED, Answer(None, DeliveryError.TIMEOUT), Answer(None, DeliveryError.ADDRESS)])
def test_a_failed_try_is_made_again_later_and_later(tries: int, seconds: int, answer: Answer) -> None:
    assert after_try(tries, answer, NOW) == After(DeliveryState.WAITING, NOW + timedelta(seconds=seconds), None)


@pytest.mark.parametrize(
    ("tries", "answer"),
    [(8, FAILED), (9, FAILED), (1, Answer(410, DeliveryError.STATUS)), (1, Answer(None, DeliveryError.OFF))],
)
def test_a_delivery_is_given_up(tries: int, answer: Answer) -> None:
    assert after_try(tries, answer, NOW) == After(DeliveryState.DEAD, None, NOW + DEAD_KEPT)


@pytest.mark.parametrize("tries", [1, 8])
def test_an_accepted_delivery_has_ended(tries: int) -> None:
    assert after_try(tries, ACCEPTED, NOW) == After(DeliveryState.DELIVERED, None, NOW + DELIVERED_KEPT)


@pytest.mark.parametrize(
    ("status", "error"),
    [(199, DeliveryError.STATUS), (200, None), (204, None), (299, None), (300, DeliveryError.STATUS)]
    + [(status, DeliveryError.STATUS) for status in (301, 307, 400, 404, 410, 429, 500, 503)],
)
def test_only_a_status_of_two_hundred_and_something_accepts(status: int, error: DeliveryError | None) -> None:
    assert status_error(status) == error


def test_a_receiver_that_fails_gets_fewer_at_once_and_more_again_with_each_success() -> None:
    at_once = MOST_AT_ONCE
    for _ in range(10):
        at_once = at_once_after(at_once, FAILED)
    assert at_once == FEWEST_AT_ONCE
    for _ in range(100):
        at_once = at_once_after(at_once, ACCEPTED)
    assert at_once == MOST_AT_ONCE


@pytest.mark.parametrize(
    ("types", "subscribed", "kind", "campaign", "wanted"),
    [
        ({"call.ended"}, None, "call.ended", None, True),
        ({"call.ended"}, None, "call.ended", "spring", True),
        ({"call.ended"}, "spring", "call.ended", "spring", True),
        ({"call.ended"}, "spring", "call.ended", "autumn", False),
        ({"call.ended"}, "spring", "call.ended", None, False),
        ({"call.ended"}, None, "call.placed", None, False),
    ],
)
def test_who_is_told(types: set[str], subscribed: str | None, kind: str, campaign: str | None, wanted: bool) -> None:
    assert wants(types, subscribed, kind, campaign) is wanted


@pytest.mark.parametrize("secret", ["a1" * 32, "mine and nobody else's", "Geheimnis-ß", "whsec_not base64!"])
def test_a_secret_of_any_kind_signs_as_its_bytes(secret: str) -> None:
    headers = signed_headers(Dialect.NATIVE, "evt_1", BODY, [secret], utc_now())
    by_hand = hmac.new(secret.encode(), f"evt_1.{headers['webhook-timestamp']}.{BODY}".encode(), hashlib.sha256)
    assert headers["webhook-signature"] == "v1," + base64.b64encode(by_hand.digest()).decode()
    Verifier(standard_secret(secret)).verify(BODY, dict(headers))
    Verifier(secret.encode()).verify(BODY, dict(headers))


def test_a_secret_of_another_sender_of_standard_webhooks_is_taken_as_it_is() -> None:
    secret = "whsec_" + base64.b64encode(b"k" * 24).decode()
    assert standard_secret(secret) == secret
    Verifier(secret).verify(BODY, dict(signed_headers(Dialect.NATIVE, "evt_1", BODY, [secret], utc_now())))


def test_smartalex_signs_milliseconds_and_the_body_in_hexadecimal() -> None:
    headers = signed_headers(Dialect.SMARTALEX, "evt_1", BODY, ["s" * 64, "old"], NOW)
    milliseconds = int(NOW.timestamp() * 1000)
    digest = hmac.new(b"s" * 64, f"{milliseconds}.{BODY}".encode(), hashlib.sha256).hexdigest()
    assert headers["X-SmartAlex-Signature"] == f"t={milliseconds},v1={digest}"
    assert len(headers["webhook-signature"].split(" ")) == 2


def test_talkturo_signs_the_body_in_hexadecimal_and_in_base64() -> None:
    headers = signed_headers(Dialect.TALKTURO, "evt_1", BODY, ["s" * 16], NOW)
    digest = hmac.new(b"s" * 16, BODY.encode(), hashlib.sha256).digest()
    assert headers["X-Talkturo-Secret"] == digest.hex()
    assert headers["X-Signature"] == base64.b64encode(digest).decode()


def test_an_id_is_made_of_what_it_is_of() -> None:
    first = event_id("3-17", "organization", "call.ended")
    assert first == event_id("3-17", "organization", "call.ended")
    others = {
        event_id("3-18", "organization", "call.ended"),
        event_id("4-17", "organization", "call.ended"),
        event_id("3-17", "other", "call.ended"),
        event_id("3-17", "organization", "call.completed"),
    }
    assert len(others - {first}) == 4
    assert first.startswith("evt_")
    assert delivery_id("a", first) != delivery_id("b", first)


def test_a_typeid_is_the_uuid_in_base_32() -> None:
    # The example of the dialect's page.
    assert typeid("team", uuid.UUID("7b1c9f2e-52a5-4f0d-8c4b-0c6f3b8f6d11")) == "team_3v3jfjwmn59w6rrjrcdwxryv8h"
    assert typeid("x", uuid.UUID(int=0)) == "x_" + "0" * 26
    assert typeid("x", uuid.UUID(int=2**128 - 1)) == "x_7" + "z" * 25
