"""The console's sentences and signs, purely: from the API's codes to what a person reads."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.domain.reasons import EndReason, WaitReason
from shared.domain.webhooks import DeliveryError

WAITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        WaitReason.CAMPAIGN_DRAFT: "The campaign is a draft and has not been started.",
        WaitReason.CAMPAIGN_SCHEDULED: "The campaign starts later.",
        WaitReason.CAMPAIGN_PAUSED: "The campaign is paused.",
        WaitReason.CAMPAIGN_COMPLETED: "The campaign is over.",
        WaitReason.MAX_CALLS: "This run has made all the calls it may make.",
        WaitReason.CIRCUIT_BREAKER: "Too many calls have failed, so the campaign was paused.",
        WaitReason.CONFIGURATION_UNUSABLE: "The configuration cannot be used.",
        WaitReason.SCHEDULED: "Contacts are to be called later.",
        WaitReason.RETRY: "Contacts wait for their next try.",
        WaitReason.CALLBACK: "Contacts are to be called back at a time that was asked for.",
        WaitReason.GIVEN_BACK: "Calls that could not be placed are tried again in a moment.",
        WaitReason.CLOSED_DAY: "Today is a closed day.",
        WaitReason.LEGAL_HOURS: "The law of the number's country allows no calls now.",
        WaitReason.NO_WINDOWS: "The configuration has no calling window.",
        WaitReason.NEVER_OPEN: "No calling window ever opens.",
        WaitReason.OUTSIDE_HOURS: "It is outside the calling windows.",
        WaitReason.NO_CALLER_NUMBER: "There is no number to call from.",
        WaitReason.ACCOUNT_REFUSED: "The carrier refuses the account.",
        WaitReason.CALLER_NUMBER_REFUSED: "The carrier refuses the caller number.",
        WaitReason.CALLER_NUMBER_SPENT: "The caller number has made its calls of today.",
        WaitReason.COUNTRY_REFUSED: "The carrier refuses calls to that country.",
        WaitReason.CONTACT_DAY_CAP: "Contacts have been called as often as they may be in a day.",
        WaitReason.NUMBER_DAY_CAP: "Phones have been called as often as they may be in a day.",
        WaitReason.NUMBER_WEEK_CAP: "Phones have been called as often as they may be in a week.",
        WaitReason.NUMBER_GAP: "Phones have been called a short while ago.",
        WaitReason.NUMBER_BUSY: "Phones are on a call of ours.",
        WaitReason.CALLER_NUMBER_LIMIT: "The caller numbers have all the calls at once that they may have.",
        WaitReason.CAMPAIGN_LIMIT: "The campaign has all the calls at once that it may have.",
        WaitReason.ORGANIZATION_LIMIT: "The organization has all the calls at once that it may have.",
        WaitReason.CALLS_PER_SECOND: "Calls are placed as fast as they may be.",
        WaitReason.NO_EXECUTOR: "No executor runs that could place calls.",
        WaitReason.GLOBAL_LIMIT: "The installation has all the calls at once that it may have.",
        WaitReason.IN_LINE: "Contacts are next in line.",
    }
)
ENDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        EndReason.ANSWERED: "answered",
        EndReason.VOICEMAIL: "voicemail, no tries left",
        EndReason.NO_ANSWER: "no answer, no tries left",
        EndReason.BUSY: "busy, no tries left",
        EndReason.FAILED: "failed, no tries left",
        EndReason.DECLINED: "declined the call",
        EndReason.INVALID_NUMBER: "invalid number",
        EndReason.OPTED_OUT: "asked not to be called",
        EndReason.LOST: "the call's end was never reported",
        EndReason.NO_AGENT: "no agent",
        EndReason.NO_PHONE: "no phone number",
        EndReason.DO_NOT_CALL: "on the do-not-call list",
        EndReason.PERSON_DELETED: "the person was deleted",
        EndReason.EXPIRED: "too late to call",
        EndReason.CAMPAIGN_ENDED: "the campaign ended",
        EndReason.CANCELLED: "the campaign was cancelled",
        EndReason.GIVEN_UP: "given up on request",
        EndReason.DONE: "settled on request",
    }
)
SCOPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "campaigns:read": "read campaigns, contacts, calls and all that belongs to them",
        "campaigns:manage": "the same, and make, change, start and end them",
        "concurrency:read": "read how many calls there may be at once",
        "concurrency:manage": "the same, and change it",
        "conversations:read_sensitive": "read what was said in calls, and see phone numbers whole",
    }
)
# Why a webhook's delivery was not accepted.
FAILED_TRIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        DeliveryError.STATUS: "The answer was no 2xx.",
        DeliveryError.TIMEOUT: "There was no answer within 5 seconds.",
        DeliveryError.CONNECTION: "The receiver could not be reached.",
        DeliveryError.ADDRESS: "The host stands for a private address.",
        DeliveryError.SECRET: "The signing secret cannot be read; tell the operator, or replace it.",
        DeliveryError.RENDERING: "The event could not be written; tell the operator.",
        DeliveryError.OFF: "The webhook is off.",
    }
)
# What a person may ask of a campaign in each state; the API has the last word.
MOVES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "draft": ("start", "close"),
        "scheduled": ("start", "pause", "close"),
        "syncing": ("pause", "close"),
        "running": ("pause", "close"),
        "paused": ("start", "close"),
        "completed": ("start",),
        "cancelled": (),
        "failed": (),
    }
)
_SHOWN_DIGITS: Final = 4
# Phone numbers in what carriers, agents and customers write: with a plus; or bare, as many digits as a national number
# has; or in groups as they are written in North America. Days and times of the API are none, nor are parts of ids.
_NUMBERS: Final = re.compile(r"\+\d[\d ().-]{5,18}\d|(?<![\w.+-])(?:\d{9,15}|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4})(?![\w-])")


def headline(state: str, diagnosis: Mapping[str, Any]) -> str:
    """Why contacts wait, in one line."""
    waiting, active = diagnosis["waiting"], diagnosis["active_calls"]
    if not waiting:
        return f"{counted(active, 'call')} under way, nobody waits." if active else "Nobody waits for a call."
    first = diagnosis["reasons"][0] if diagnosis["reasons"] else None
    if first is None:
        return f"{counted(waiting, 'contact')} waiting; {state}."
    about = "About " if first["estimated"] else ""
    until = f" Until {utc_text(first['until'])}." if first["until"] else ""
    return f"{waits(first['reason'])}{until} {about}{first['contacts']:,} of {counted(waiting, 'contact')} waiting."


def waits(reason: str) -> str:
    """The sentence for a reason to wait; the code itself where the API is younger than this table."""
    return WAITS.get(reason) or f"{plain(reason).capitalize()}."


def ends(reason: str | None) -> str:
    """Why a contact ended."""
    return "" if reason is None else ENDS.get(reason) or plain(reason)


def failed_try(error: str) -> str:
    """Why a try of a webhook has failed."""
    return FAILED_TRIES.get(error) or f"{plain(error).capitalize()}."


def plain(code: str | None) -> str:
    """A code as words."""
    return "" if code is None else code.replace("_", " ")


def counted(count: int, noun: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def masked(number: str | None, *, whole: bool) -> str:
    """A phone number as a key may see it: whole, or its last four digits."""
    if number is None:
        return "unknown"
    return number if whole else f"{number[:2]}…{number[-_SHOWN_DIGITS:]}"


def without_numbers(text: str | None, *, whole: bool) -> str:
    """A text of others as a key may see it: whole, or with the last four digits of each phone number in it."""
    if text is None or whole:
        return text or ""
    return _NUMBERS.sub(lambda found: f"…{re.sub(r'[^0-9]', '', found[0])[-_SHOWN_DIGITS:]}", text)


def instant(text: str) -> datetime:
    """A time of the API. Raises ValueError for any other text, and for one without an offset."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without an offset")
    return at.astimezone(UTC)


def utc_text(text: str) -> str:
    """A time of the API in UTC, to the minute."""
    return f"{instant(text):%Y-%m-%d %H:%M} UTC"


def local_text(text: str, zone: str | None) -> str | None:
    """The same by a zone's clock; None without a zone, or with one that is not known here."""
    if not zone:
        return None
    try:
        return f"{instant(text).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone}"
    except (ZoneInfoNotFoundError, ValueError, OverflowError):
        return None


def duration(seconds: float | None) -> str:
    """`1:05`, minutes and seconds; nothing for None."""
    return "" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def whole_number(typed: str, most: int, *, least: int = 0) -> int | None:
    """The whole number that was typed; None for anything else, and for one out of these bounds."""
    digits = typed.lstrip("0") or typed[-1:]
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(most))):
        return None
    return int(digits) if least <= int(digits) <= most else None


def share(part: int, whole: int) -> int:
    """Per cent, rounded down, so that only all of it is 100."""
    return 0 if whole <= 0 else min(100, 100 * part // whole)


def ended_contacts(contacts: Mapping[str, int]) -> int:
    """Contacts that are not called any more, of a campaign's numbers."""
    return sum(contacts[status] for status in ("completed", "exhausted", "error", "skipped"))


def callback_spans(now: datetime) -> Mapping[str, tuple[datetime | None, datetime | None]]:
    """The beginnings and ends of what a page of callbacks may show: days of UTC, and the next 7 days as a week."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return {
        "overdue": (None, now),
        "today": (now, midnight),
        "week": (now, now + timedelta(days=7)),
        "all": (None, None),
    }


def typed_number(text: str) -> str | None:
    """A plus and digits, as a phone number is typed: with blanks, dashes, dots and brackets, or without; or None."""
    digits = "".join(sign for sign in text if sign not in " -().")
    return digits if digits.startswith("+") and digits[1:].isascii() and digits[1:].isdigit() else None


def typed_numbers(text: str) -> tuple[list[str], list[str]]:
    """Phone numbers in a typed or uploaded text, in order and once each; and the cells that are none.

    Of each line the first cell counts (`,` `;` or tab between cells). A heading in the first line is left out.
    """
    numbers: dict[str, None] = {}
    others: list[str] = []
    for place, line in enumerate(text.removeprefix("\ufeff").splitlines()):
        cell = line.replace(";", ",").replace("\t", ",").split(",", 1)[0].strip().strip("\"'")
        if not cell:
            continue
        if number := typed_number(cell):
            numbers[number] = None
        elif place or any(sign.isdigit() for sign in cell):
            others.append(cell)
    return list(numbers), others


def chunks(values: Sequence[str], size: int) -> list[Sequence[str]]:
    """The values in groups of at most so many."""
    return [values[start : start + size] for start in range(0, len(values), size)]
