"""The settings with which the demo shows a campaign's whole life in half a minute.

Hours are made seconds, for phones and for recovery alike, and the simulated carrier gets things wrong now
and then. Any of these that the environment sets is taken from there.
"""

from collections.abc import Mapping
from typing import Final

from shared.domain.unknown_names import PREFIX

SECONDS: Final = {
    # Recovery: a call that nobody reports on is asked for after 6 s, and given up after 15 s.
    "DIALSTREAM_LOCK_SECONDS": "10",
    "DIALSTREAM_PLACE_SECONDS": "3",
    "DIALSTREAM_SETTLE_SECONDS": "2",
    "DIALSTREAM_RECONCILE_SECONDS": "3",
    "DIALSTREAM_RING_SECONDS": "3",
    "DIALSTREAM_MAX_CALL_SECONDS": "4",
    "DIALSTREAM_HOLD_MARGIN_SECONDS": "3",
    # Phones.
    "DIALSTREAM_SIMULATOR_RING_MIN_SECONDS": "0.2",
    "DIALSTREAM_SIMULATOR_RING_MAX_SECONDS": "0.8",
    "DIALSTREAM_SIMULATOR_TALK_MIN_SECONDS": "0.3",
    "DIALSTREAM_SIMULATOR_TALK_MAX_SECONDS": "1.6",
    "DIALSTREAM_SIMULATOR_LATENCY_MIN_SECONDS": "0.02",
    "DIALSTREAM_SIMULATOR_LATENCY_MAX_SECONDS": "0.1",
}
ENDINGS: Final = {
    "DIALSTREAM_SIMULATOR_ANSWER_RATE": "0.6",
    "DIALSTREAM_SIMULATOR_VOICEMAIL_RATE": "0.12",
    "DIALSTREAM_SIMULATOR_BUSY_RATE": "0.09",
    "DIALSTREAM_SIMULATOR_DECLINED_RATE": "0.03",
    "DIALSTREAM_SIMULATOR_INVALID_RATE": "0.02",
    "DIALSTREAM_SIMULATOR_FAILED_RATE": "0.02",
}
FAULTS: Final = {
    "DIALSTREAM_SIMULATOR_RATE_LIMITED_RATE": "0.01",
    "DIALSTREAM_SIMULATOR_ERROR_BEFORE_RATE": "0.005",
    "DIALSTREAM_SIMULATOR_ERROR_AFTER_RATE": "0.01",
    "DIALSTREAM_SIMULATOR_SILENT_BEFORE_RATE": "0.002",
    "DIALSTREAM_SIMULATOR_SILENT_AFTER_RATE": "0.003",
    "DIALSTREAM_SIMULATOR_DROPPED_AFTER_RATE": "0.005",
    "DIALSTREAM_SIMULATOR_CALLBACK_LOST_RATE": "0.02",
    "DIALSTREAM_SIMULATOR_CALLBACK_LATE_RATE": "0.02",
    "DIALSTREAM_SIMULATOR_CALLBACK_LATE_SECONDS": "2",
    "DIALSTREAM_SIMULATOR_CALLBACK_EARLY_RATE": "0.02",
    "DIALSTREAM_SIMULATOR_CALLBACK_DOUBLED_RATE": "0.03",
}


SIMULATOR: Final = f"{PREFIX}SIMULATOR_"


def carrier_ways() -> dict[str, float]:
    """The part that the simulated carrier takes while it runs, as the body of a PUT to `/simulator/settings`."""
    every = {**SECONDS, **ENDINGS, **FAULTS}
    return {
        name.removeprefix(SIMULATOR).lower(): float(value)
        for name, value in every.items()
        if name.startswith(SIMULATOR)
    }


def demo_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The demo's settings under those of `environment`."""
    given = {name: value for name, value in environment.items() if name.startswith(PREFIX)}
    return {**SECONDS, **ENDINGS, **FAULTS, **given}
