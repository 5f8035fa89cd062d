"""What a dead letter says of the faults of its message, however large or odd they are."""

import json
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from pydantic import ValidationError

from shared.bus.dead_letters import ERROR_MESSAGE, MAX_ERROR_LENGTH, dead_letter, faults
from shared.bus.messages import message_in
from shared.bus.patient_consumer import UNREADABLE, WHY_UNREADABLE
from shared.clock import utc_now
from shared.errors import PermanentError
from shared.events import ORG_EVENT

ENVELOPE = {"schema_version": 1, "organization_id": "o", "shard": 1}


def faults_of(**fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        ORG_EVENT.validate_json(json.dumps(ENVELOPE | fields))
    return faults(caught.value)


def test_the_faults_say_where_and_why() -> None:
    assert "type" in faults_of()
    assert faults_of(type="limits_changed", shard=99).startswith("limits_changed.shard: ")


def test_a_long_text_is_shortened_wherever_it_stands() -> None:
    said = faults_of(type="x" * 1_000_000)
    assert "xxx" in said
    assert len(said) < 500


def test_a_letter_carries_what_no_header_could() -> None:
    record: Any = ConsumerRecord("t", 0, 1, 0, 0, None, b"", None, 0, 0, ())
    letter = dead_letter(record, PermanentError("\ud800\x00" + "y" * 5000), utc_now())
    message = dict(letter.headers)[ERROR_MESSAGE]
    assert message is not None
    assert message.decode() == "??" + "y" * (MAX_ERROR_LENGTH - 3) + "…"


class Unreadable(PermanentError):
    """As each service has one of its own, whose name goes into the letter."""


def a_record(value: bytes | None, *headers: tuple[str, bytes]) -> Any:
    return ConsumerRecord("t", 0, 1, 0, 0, None, value, None, 0, 0, headers)


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (a_record(b"{"), "message: Invalid JSON"),
        (a_record(None), "message: Invalid JSON"),
        (a_record(b'{"type": "limits_changed"}'), "limits_changed.organization_id: Field required"),
        (a_record(None, (UNREADABLE, b"")), WHY_UNREADABLE),
    ],
)
def test_a_record_without_a_message_is_refused_with_what_is_wrong(record: Any, says: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        message_in(record, ORG_EVENT, Unreadable)
    assert says in str(refusal.value)
