"""Caller numbers with their use, and the pools that they are in."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.datastructures import FormData
from starlette.responses import Response

from services.console.api import ApiRefused, segment
from services.console.desk import Desk, Manager, SignedIn, text_of
from services.console.words import counted
from shared.domain.caller_numbers import MAX_LABEL, MAX_POOL_NAME, MAX_WEIGHT, MIN_WEIGHT

router = APIRouter(prefix="/caller-numbers")
HERE: Final = "/caller-numbers"
API: Final = "/campaign/caller-numbers"
PAGE_SIZE: Final = 50
LIMITS: Final = ("max_calls", "daily_limit")
MOVES: Final = {"into": "put into", "out": "taken out of"}
Pool = Annotated[str, Query(max_length=MAX_POOL_NAME)]
Cursor = Annotated[str, Query(max_length=1000)]
# Windows in which answers are counted, in hours.
WINDOWS: Final = {"1": "the last hour", "24": "the last 24 hours", "168": "the last 7 days"}
USUAL: Final = "24"
Window = Annotated[str, Query(max_length=10)]


@router.get("")
async def list_all(desk: SignedIn, pool: Pool = "", hours: Window = USUAL, cursor: Cursor = "") -> Response:
    """A page of numbers, newest first, of one pool or all, with how their calls have ended; and the pools."""
    hours = hours if hours in WINDOWS else USUAL
    page, uses, pools = await asyncio.gather(
        desk.get(API, {"pool": pool, "cursor": cursor, "limit": PAGE_SIZE}),
        desk.get("/campaign/caller-number-use", {"hours": hours}),
        desk.get("/campaign/caller-number-pools"),
    )
    use_of = {use["id"]: use for use in uses["caller_numbers"]}
    return desk.page(
        "caller_numbers.html",
        # One that was registered between the two questions has no use yet.
        rows=[(number, use_of.get(number["id"])) for number in page["caller_numbers"]],
        next_cursor=page["next_cursor"],
        pools=pools["pools"],
        hours=hours,
        windows=WINDOWS,
        since=uses["ended_calls_since"] if _is_later(uses, int(hours)) else None,
        pool=pool,
        bounds={"label": MAX_LABEL, "pool": MAX_POOL_NAME, "least": MIN_WEIGHT, "most": MAX_WEIGHT},
    )


@router.post("/add")
async def add(desk: SignedIn) -> Response:
    """Register a number."""
    form = await desk.form()
    number = "".join(text_of(form, "number").split())
    settings = _settings(form)
    if settings is None:
        return desk.back(HERE, "Write weight and limits as whole numbers; an empty limit is none.", good=False)
    pool = text_of(form, "pool")
    body = {"number": number, **settings, "pools": [pool] if pool else []}
    return await desk.done(HERE, f"{number} is registered.", "POST", API, body)


@router.post("/pools")
async def move_between_pools(desk: SignedIn) -> Response:
    """Put the ticked numbers into a pool, which makes it, or take them out; the last one out ends it."""
    form = await desk.form()
    pool, move = text_of(form, "pool"), text_of(form, "move")
    ids = [value for value in form.getlist("number") if isinstance(value, str)][:PAGE_SIZE]
    here = _of(text_of(form, "shown"))
    if move not in MOVES or not ids or not pool:
        return desk.back(here, "Tick the numbers first, and name the pool.", good=False)
    done, refused = 0, dict[str, None]()
    # One after the other: the last one that leaves a used pool is to be refused, and the others not.
    for number_id in ids:
        try:
            await _move(desk, number_id, pool, into=move == "into")
        except ApiRefused as refusal:
            refused[refusal.detail] = None
        else:
            done += 1
    sentence = f"{counted(done, 'number')} {MOVES[move]} {pool}."
    return desk.back(here, " ".join((sentence, *_refusals(list(refused)))), good=not refused)


@router.get("/pools/remove")
async def ask_to_remove_pool(desk: Manager, pool: Pool = "") -> Response:
    """Whether a pool is to be ended."""
    said = "Its numbers stay registered. A pool that a campaign calls from is not removed."
    return _ask(desk, f"Remove the pool {pool}?", said, "/pools/remove", {"pool": pool})


@router.post("/pools/remove")
async def remove_pool(desk: SignedIn) -> Response:
    """End a pool; asks first. The numbers stay."""
    form = await desk.form()
    pool = text_of(form, "pool")
    if text_of(form, "sure") != "yes":
        return desk.ask(f"{HERE}/pools/remove", [("pool", pool)])
    path = f"/campaign/caller-number-pools/{segment(pool)}"
    return await desk.done(HERE, f"The pool {pool} is no more; its numbers stay.", "DELETE", path)


@router.post("/{number_id}/switch")
async def switch(desk: SignedIn, number_id: str) -> Response:
    """Switch a number on or off."""
    form = await desk.form()
    active = text_of(form, "active") == "yes"
    said = "Calls are made from this number again." if active else "No call is made from this number. Calls go on."
    return await desk.done(_of(text_of(form, "shown")), said, "PATCH", _path(number_id), {"active": active})


@router.post("/{number_id}/change")
async def change(desk: SignedIn, number_id: str) -> Response:
    """Set label, weight and limits of a number."""
    form = await desk.form()
    here, settings = _of(text_of(form, "shown")), _settings(form)
    if settings is None:
        return desk.back(here, "Write weight and limits as whole numbers; an empty limit is none.", good=False)
    return await desk.done(here, "Changed; campaigns follow within a second.", "PATCH", _path(number_id), settings)


@router.get("/{number_id}/remove")
async def ask_to_remove(desk: Manager, number_id: str) -> Response:
    """Whether a number is to be taken out of the registry."""
    number = (await desk.get(_path(number_id)))["number"]
    said = "Its limits and pools are forgotten. A number that a campaign calls from is not removed."
    return _ask(desk, f"Remove {number}?", said, f"/{segment(number_id)}/remove", {})


@router.post("/{number_id}/remove")
async def remove(desk: SignedIn, number_id: str) -> Response:
    """Take a number out of the registry; asks first."""
    form = await desk.form()
    if text_of(form, "sure") != "yes":
        return desk.ask(f"{HERE}/{segment(number_id)}/remove")
    return await desk.done(HERE, "The number is removed.", "DELETE", _path(number_id))


def _is_later(uses: Mapping[str, Any], hours: int) -> bool:
    """Whether calls are counted from later on than was asked for, because there are so many."""
    at, since = (datetime.fromisoformat(uses[name]) for name in ("at", "ended_calls_since"))
    return since > at - timedelta(hours=hours)


async def _move(desk: Desk, number_id: str, pool: str, *, into: bool) -> None:
    found = await desk.get(_path(number_id))
    others = [name for name in found["pools"] if name != pool]
    await desk.call("PATCH", _path(number_id), {"pools": [*others, pool] if into else others})


def _settings(form: FormData) -> dict[str, Any] | None:
    """Label, weight and limits as they were typed; None where one is no whole number. The API knows the bounds."""
    typed = {name: text_of(form, name) for name in ("weight", *LIMITS)}
    if any(text and not (text.isascii() and text.isdigit() and len(text) < 10) for text in typed.values()):
        return None
    limits = {name: int(typed[name]) if typed[name] else None for name in LIMITS}
    return {"label": text_of(form, "label"), "weight": int(typed["weight"] or MIN_WEIGHT), **limits}


def _ask(desk: Desk, question: str, sentence: str, path: str, fields: dict[str, str]) -> Response:
    sure = {"question": question, "sentence": sentence, "action": f"{HERE}{path}", "fields": fields, "back": HERE}
    return desk.page("sure.html", **sure)


def _refusals(details: Sequence[str]) -> list[str]:
    return [f"Refused: {' '.join(details)}"] if details else []


def _of(pool: str) -> str:
    """The page that was shown: of a pool, or of all."""
    return f"{HERE}?{urlencode({'pool': pool})}" if pool else HERE


def _path(number_id: str) -> str:
    return f"{API}/{segment(number_id)}"
