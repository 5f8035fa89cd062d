"""A diagnosis as rows: first why contacts wait, then what the settings lack, rests, is full, and has ended."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from dialstream_cli.output import Row

COLUMNS: Final = ("kind", "cause", "contacts", "until", "what_to_do")


def why_rows(diagnosis: Mapping[str, Any]) -> list[Row]:
    """The rows, the cause of most waiting contacts first (GET …/diagnosis, docs/nobody-is-called.md)."""
    return [*_rows(diagnosis)]


def summary(diagnosis: Mapping[str, Any]) -> str:
    """How many wait and how many are called, in a line."""
    placed = diagnosis["last_minute"]["placed"]
    return (
        f"{diagnosis['waiting']:,} contacts wait, {diagnosis['active_calls']:,} calls are up, "
        f"{placed:,} were placed in the last minute."
    )


def _rows(diagnosis: Mapping[str, Any]) -> Iterator[Row]:
    for reason in diagnosis["reasons"]:
        yield {
            "kind": "waits",
            "cause": reason["reason"],
            "contacts": f"about {reason['contacts']}" if reason["estimated"] else reason["contacts"],
            "until": reason["until"],
            "what_to_do": reason["what_to_do"],
        }
    for warning in diagnosis["settings"]:
        yield {"kind": "lacks", "cause": warning["code"], "what_to_do": warning["message"]}
    for resting in diagnosis["resting"]:
        code = "" if resting["code"] is None else f"{resting['code']}: "
        yield {
            "kind": "rests",
            "cause": resting["telephony_account"] or resting["what"],
            "until": resting["until"],
            "what_to_do": f"The carrier said {code}{resting['said']}",
        }
    for limit in diagnosis["limits"]:
        if limit["held"] >= limit["limit"]:
            yield {"kind": "full", "cause": limit["name"], "what_to_do": f"{limit['held']} of {limit['limit']} in use"}
    for ended in diagnosis["ended"]:
        if ended["what_to_do"]:
            yield {
                "kind": "ended",
                "cause": ended["because"],
                "contacts": ended["contacts"],
                "what_to_do": ended["what_to_do"],
            }
