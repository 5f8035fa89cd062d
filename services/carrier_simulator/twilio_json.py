"""Calls and errors in the words of Twilio's API."""

from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from services.carrier_simulator.book import Call

_MESSAGES = {
    10001: "Account is not active",
    10004: "Call concurrency limit exceeded",
    20003: "Authenticate",
    20005: "Account not active",
    20403: "Forbidden",
    20404: "The requested resource was not found",
    20429: "Too Many Requests",
    20500: "Internal Server Error",
    21201: "No 'To' number specified",
    21205: "Url is not a valid URL",
    21210: "'From' phone number not verified",
    21211: "Invalid 'To' Phone Number",
    21212: "Invalid 'From' Number",
    21213: "'From' phone number is required",
    21214: "'To' phone number cannot be reached",
    21215: "Account not authorized to call this number",
    21217: "Phone number does not appear to be valid",
    21220: "Invalid call state",
    21610: "Attempt to reach an unsubscribed recipient",
}


def call_json(account_sid: str, call: Call) -> dict[str, Any]:
    """The Call resource."""
    uri = f"/2010-04-01/Accounts/{account_sid}/Calls/{call.sid}"
    return {
        "sid": call.sid,
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "to": call.to,
        "from": call.caller,
        "status": call.status,
        "direction": "outbound-api",
        "answered_by": call.answered_by,
        "date_created": _instant(call.created_at),
        "date_updated": _instant(call.ended_at or call.answered_at or call.created_at),
        "start_time": None if call.status == "queued" else _instant(call.created_at),
        "end_time": _instant(call.ended_at),
        "duration": None if call.ended_at is None else str(call.duration),
        "price": None,
        "price_unit": "USD",
        "uri": f"{uri}.json",
    }


def page_json(account_sid: str, calls: Sequence[Call], query: dict[str, str], page: int, size: int) -> dict[str, Any]:
    """One page of the list `calls`, with the way to the next."""
    shown = calls[page * size : (page + 1) * size]
    path = f"/2010-04-01/Accounts/{account_sid}/Calls.json"
    following = urlencode({**query, "PageSize": size, "Page": page + 1})
    return {
        "calls": [call_json(account_sid, call) for call in shown],
        "page": page,
        "page_size": size,
        "start": page * size,
        "end": page * size + max(0, len(shown) - 1),
        "uri": f"{path}?{urlencode({**query, 'PageSize': size, 'Page': page})}",
        "next_page_uri": f"{path}?{following}" if (page + 1) * size < len(calls) else None,
    }


def error(status: int, code: int) -> web.Response:
    """Twilio's error body."""
    body = {
        "code": code,
        "message": _MESSAGES.get(code, "The request was refused"),
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return web.json_response(body, status=status)


def _instant(at: datetime | None) -> str | None:
    return None if at is None else format_datetime(at)
