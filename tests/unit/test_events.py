"""What is let in as a message: only what everything behind can store, compare and send on."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from shared.domain.fields import MAX_REMARK
from shared.domain.ids import SHARDS
from shared.events import DIAL_JOB, ORG_EVENT, CallFinished, DialJob

IDS = {"organization_id": "o", "attempt_id": "a", "contact_id": "c", "shard": 3}
ENDED: dict[str, Any] = {**IDS, "type": "call_finished", "outcome": "busy", "ended_at": "2026-01-01T00:00:00Z"}
JOB: dict[str, Any] = {**IDS, "claim_id": "k", "campaign_id": "s", "not_after": "2026-01-01T00:00:00Z"}
# A time without a place cannot be compared with our own; times outside of all years in UTC cannot be stored.
NO_TIMES = ("2026-01-01T00:00:00", "2026-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")


@pytest.mark.parametrize("field", ["started_at", "answered_at", "ended_at"])
@pytest.mark.parametrize("text", NO_TIMES)
def test_an_ending_at_a_time_that_cannot_be_stored_is_refused(field: str, text: str) -> None:
    with pytest.raises(ValidationError):
        ORG_EVENT.validate_json(json.dumps({**ENDED, field: text}))


@pytest.mark.parametrize("text", NO_TIMES)
def test_a_job_that_cannot_be_compared_with_the_clock_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        DIAL_JOB.validate_json(json.dumps({**JOB, "not_after": text}))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_call_of_no_length_is_refused(number: str) -> None:
    with pytest.raises(ValidationError):
        ORG_EVENT.validate_json(json.dumps({**ENDED, "duration_seconds": 0}).replace(": 0}", f": {number}}}"))


@pytest.mark.parametrize("shard", [-1, SHARDS, 2**31, 2**63, 10**30])
def test_a_shard_that_there_is_not_is_refused(shard: int) -> None:
    """A full executor gives jobs back to their shard: with such a one its outbox would fail, and the process end."""
    with pytest.raises(ValidationError):
        ORG_EVENT.validate_json(json.dumps({**ENDED, "shard": shard}))
    with pytest.raises(ValidationError):
        DIAL_JOB.validate_json(json.dumps({**JOB, "shard": shard}))


@pytest.mark.parametrize("name", ["organization_id", "attempt_id", "contact_id"])
@pytest.mark.parametrize("text", ["", "x" * 256])
def test_an_id_of_no_use_is_refused(name: str, text: str) -> None:
    """Five hundred ids go into one question; MongoDB takes 16 MiB, and Kafka a MiB for each."""
    with pytest.raises(ValidationError):
        ORG_EVENT.validate_json(json.dumps({**ENDED, name: text}))
    with pytest.raises(ValidationError):
        DIAL_JOB.validate_json(json.dumps({**JOB, name: text}))


def test_what_the_carrier_says_is_cut_and_never_refused() -> None:
    said = ORG_EVENT.validate_json(json.dumps({**ENDED, "error": "x" * 100_000, "provider_call_id": "y" * 100_000}))
    assert isinstance(said, CallFinished)
    assert (said.error, said.provider_call_id) == ("x" * MAX_REMARK, "y" * MAX_REMARK)


def test_every_time_is_in_utc() -> None:
    job = DIAL_JOB.validate_json(json.dumps({**JOB, "not_after": "2026-01-01T02:00:00+02:00"}))
    assert isinstance(job, DialJob)
    assert job.not_after == datetime(2026, 1, 1, tzinfo=UTC)
    assert job.not_after.tzinfo is UTC
