"""A diagnosis as rows."""

from typing import Any

import pytest

from dialstream_cli.commands.doctor import carrier, executors
from dialstream_cli.commands.why import summary, why_rows

NOTHING: dict[str, Any] = {
    "waiting": 0,
    "active_calls": 0,
    "last_minute": {"placed": 0, "ended": 0},
    "reasons": [],
    "settings": [],
    "resting": [],
    "limits": [{"name": "global", "limit": 10, "held": 0}],
    "ended": [],
}
WAITS = {
    "reason": "outside_hours",
    "contacts": 3,
    "estimated": False,
    "until": "2027-01-01T08:00:00Z",
    "what_to_do": "Wait.",
}
RESTS = {
    "what": "account",
    "telephony_account": None,
    "until": "2027-01-01T08:00:00Z",
    "refusals": 2,
    "code": 20003,
    "said": "Authenticate",
}


@pytest.mark.parametrize(
    ("part", "row"),
    [
        (
            {"reasons": [WAITS]},
            {"kind": "waits", "cause": "outside_hours", "contacts": 3, "until": WAITS["until"], "what_to_do": "Wait."},
        ),
        (
            {"reasons": [WAITS | {"estimated": True}]},
            {
                **{"kind": "waits", "cause": "outside_hours", "contacts": "about 3", "until": WAITS["until"]},
                "what_to_do": "Wait.",
            },
        ),
        (
            {"settings": [{"code": "no_agent", "message": "Set agent_id."}]},
            {"kind": "lacks", "cause": "no_agent", "what_to_do": "Set agent_id."},
        ),
        (
            {"resting": [RESTS]},
            {
                **{"kind": "rests", "cause": "account", "until": RESTS["until"]},
                "what_to_do": "The carrier said 20003: Authenticate",
            },
        ),
        (
            {"resting": [RESTS | {"telephony_account": "West", "code": None}]},
            {
                **{"kind": "rests", "cause": "West", "until": RESTS["until"]},
                "what_to_do": "The carrier said Authenticate",
            },
        ),
        (
            {"limits": [{"name": "organization", "limit": 1, "held": 1}]},
            {"kind": "full", "cause": "organization", "what_to_do": "1 of 1 in use"},
        ),
        (
            {"ended": [{"because": "no_agent", "contacts": 2, "what_to_do": "Reset."}]},
            {"kind": "ended", "cause": "no_agent", "contacts": 2, "what_to_do": "Reset."},
        ),
    ],
)
def test_each_part_of_a_diagnosis_is_a_row(part: dict[str, Any], row: dict[str, Any]) -> None:
    assert why_rows(NOTHING | part) == [row]


def test_what_is_well_is_no_row() -> None:
    assert why_rows(NOTHING | {"ended": [{"because": "answered", "contacts": 9, "what_to_do": None}]}) == []
    assert summary(NOTHING | {"waiting": 1200}) == (
        "1,200 contacts wait, 0 calls are up, 0 were placed in the last minute."
    )


def test_why_contacts_wait_comes_first() -> None:
    settings = [{"code": "no_agent", "message": "Set agent_id."}]
    rows = why_rows(NOTHING | {"reasons": [WAITS], "settings": settings, "resting": [RESTS]})
    assert [row["kind"] for row in rows] == ["waits", "lacks", "rests"]


def test_the_doctor_reads_executors_and_carrier_from_a_diagnosis() -> None:
    assert executors(NOTHING).state == "good"
    assert executors(NOTHING | {"limits": [{"name": "global", "limit": 0, "held": 0}]}).state == "wrong"
    assert [finding.state for finding in carrier(NOTHING)] == ["good"]
    [finding] = carrier(NOTHING | {"resting": [RESTS]})
    assert (finding.state, finding.said) == ("wrong", "It refuses account (20003): Authenticate")
