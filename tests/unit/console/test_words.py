"""What a person reads on the console's pages."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.console import words
from shared.domain.campaign import CampaignState
from shared.domain.reasons import EndReason, WaitReason
from shared.domain.webhooks import DeliveryError
from shared.engine.keys import Scope

REASON = {"reason": "outside_hours", "contacts": 900, "estimated": False, "until": "2026-11-30T14:00:00Z"}


def diagnosis(**fields: Any) -> dict[str, Any]:
    return {"waiting": 0, "active_calls": 0, "reasons": [], **fields}


def test_every_reason_and_every_state_of_the_engine_has_its_words() -> None:
    assert words.WAITS.keys() == set(WaitReason)
    assert words.ENDS.keys() == set(EndReason)
    assert words.MOVES.keys() == set(CampaignState)
    assert words.SCOPES.keys() == set(Scope)
    assert words.FAILED_TRIES.keys() == set(DeliveryError)


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (diagnosis(), "Nobody waits for a call."),
        (diagnosis(active_calls=1), "1 call under way, nobody waits."),
        (
            diagnosis(waiting=1000, reasons=[REASON]),
            "It is outside the calling windows. Until 2026-11-30 14:00 UTC. 900 of 1,000 contacts waiting.",
        ),
        (
            diagnosis(waiting=5000, reasons=[{**REASON, "until": None, "estimated": True}]),
            "It is outside the calling windows. About 900 of 5,000 contacts waiting.",
        ),
    ],
)
def test_one_line_says_why_contacts_wait(found: dict[str, Any], line: str) -> None:
    assert words.headline("running", found) == line


def test_a_reason_of_a_younger_api_is_still_readable() -> None:
    assert words.waits("moon_is_full") == "Moon is full."


@pytest.mark.parametrize(("whole", "shown"), [(True, "+14155550123"), (False, "+1…0123")])
def test_numbers_are_masked_for_keys_that_may_not_see_them(whole: bool, shown: str) -> None:
    assert words.masked("+14155550123", whole=whole) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "HTTP 400, code 21211: +14155550123 is not a valid phone number",
            "HTTP 400, code 21211: …0123 is not a valid",
        ),
        ("call +1 (415) 555-0123 or 415-555-0124 instead", "call …0123 or …0124 instead"),
        ("(415) 555 0123", "…0123"),
        ("14155550123", "…0123"),
        ("on 2026-11-29 12:30:00 after 120 seconds, lead-1001", "on 2026-11-29 12:30:00 after 120 seconds, lead-1001"),
        ("3f2b8a54-0c55-4c1e-9a57-123456789012", "3f2b8a54-0c55-4c1e-9a57-123456789012"),
        (None, ""),
    ],
)
def test_numbers_in_texts_are_masked_and_days_and_ids_are_none(text: str | None, shown: str) -> None:
    assert words.without_numbers(text, whole=False).startswith(shown)
    assert words.without_numbers(text, whole=True) == (text or "")


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("1", 1),
        ("0042", 42),
        ("100", 100),
        *[(wrong, None) for wrong in ("0", "101", "", "-1", "1.5", "٣", "²")],
        pytest.param("0" * 9 + "1" * 5000, None, id="long"),
    ],
)
def test_a_typed_number_is_whole_and_within_its_bounds(typed: str, number: int | None) -> None:
    assert words.whole_number(typed, 100, least=1) == number


def test_a_time_is_shown_by_the_contacts_clock_and_an_unknown_zone_by_none() -> None:
    assert words.local_text("2026-07-01T16:00:00Z", "America/Chicago") == "2026-07-01 11:00 America/Chicago"
    assert words.local_text("2026-07-01T16:00:00Z", "Nowhere/Land") is None
    assert words.local_text("2026-07-01T16:00:00Z", "../etc/passwd") is None
    assert words.local_text("9999-12-31T23:30:00Z", "Pacific/Kiritimati") is None


def test_an_hour_that_comes_twice_is_told_apart_by_its_utc_time() -> None:
    first, second = "2026-11-01T06:30:00Z", "2026-11-01T07:30:00Z"
    assert {words.local_text(at, "America/Chicago") for at in (first, second)} == {"2026-11-01 01:30 America/Chicago"}
    assert [words.utc_text(at) for at in (first, second)] == ["2026-11-01 06:30 UTC", "2026-11-01 07:30 UTC"]
    # 02:30 is no time there.
    assert words.local_text("2026-03-08T08:30:00Z", "America/Chicago") == "2026-03-08 03:30 America/Chicago"


def test_only_all_of_it_is_a_hundred_per_cent() -> None:
    assert [words.share(999, 1000), words.share(1000, 1000), words.share(0, 0)] == [99, 100, 0]


def test_a_week_of_callbacks_is_the_next_seven_days_and_today_ends_at_midnight() -> None:
    now = datetime(2026, 11, 29, 22, 0, tzinfo=UTC)
    spans = words.callback_spans(now)
    assert spans["today"] == (now, datetime(2026, 11, 30, tzinfo=UTC))
    assert spans["week"] == (now, datetime(2026, 12, 6, 22, 0, tzinfo=UTC))
    assert spans["overdue"] == (None, now)


def test_numbers_of_a_file_are_read_from_its_first_column_once_each() -> None:
    text = '\ufeffphone;why\n+1 (415) 555-0123;asked\n"+14155550124",x\n\n+14155550123\n'
    assert words.typed_numbers(text) == (["+14155550123", "+14155550124"], [])


def test_what_is_no_number_is_named_also_in_the_first_line() -> None:
    assert words.typed_numbers("4155550123\nfoo\n+1415555012x\n") == ([], ["4155550123", "foo", "+1415555012x"])
