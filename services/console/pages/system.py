"""The installation, for the operator: what is amiss, its servers and processes; dead letters and their replay."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse, Response

from services.console.api import ApiAway, ApiRefused, segment
from services.console.desk import Desk, Operator, text_of
from services.console.system_words import EVIDENCE, faults, waiting_for_evidence
from services.console.words import counted, whole_number
from shared.clock import utc_now

router = APIRouter(prefix="/system")
# Seconds between two looks, as they can be chosen; 0: none by itself.
REFRESHES: Final = (5, 15, 60, 0)
LETTERS_SHOWN: Final = 50
# The API's own bound on one replay.
MOST_AT_ONCE: Final = 1000
Every = Annotated[int, Query(description="Seconds between two looks; 0: none by itself.")]


@router.get("")
async def show(desk: Operator, every: Every = REFRESHES[0]) -> Response:
    """How the installation stands."""
    every = every if every in REFRESHES else REFRESHES[0]
    return desk.page("system.html", **await _system(desk), every=every, refreshes=REFRESHES)


@router.get("/now")
async def now(desk: Operator) -> Response:
    """The changing part of that page."""
    try:
        values = await _system(desk)
    except (ApiAway, ApiRefused) as error:
        if isinstance(error, ApiRefused) and error.status == 401:
            raise
        return HTMLResponse(desk.console.part("_system_away.html", {"now": utc_now()}))
    return HTMLResponse(desk.console.part("_system.html", {"session": desk.session, "now": utc_now(), **values}))


@router.get("/dead-letters/{topic}")
async def dead_letters(desk: Operator, topic: str) -> Response:
    """The first dead letters of a topic, oldest first."""
    letters, system = await asyncio.gather(
        desk.get(_letters(topic), {"limit": LETTERS_SHOWN}), desk.get("/admin/system")
    )
    waiting = {one["name"]: one["dead_letters"] for one in system["topics"] or ()}
    return desk.page(
        "dead_letters.html", topic=topic, letters=letters["dead_letters"], waiting=waiting.get(topic), most=MOST_AT_ONCE
    )


@router.post("/dead-letters/{topic}/replay")
async def replay(desk: Operator, topic: str) -> Response:
    """Put dead letters back, oldest first."""
    most = whole_number(text_of(await desk.form(), "limit"), MOST_AT_ONCE, least=1)
    here = f"/system/dead-letters/{segment(topic)}"
    if most is None:
        return desk.back(here, f"Write how many are to be put back, 1 to {MOST_AT_ONCE:,}.", good=False)
    done, refusal = await desk.asked(here, "POST", f"{_letters(topic)}/replay", {"limit": most})
    if refusal is not None:
        return refusal
    said = f"{counted(done['put_back'], 'dead letter')} put back; those that die again appear here again."
    if done["left_out"]:
        said += f" {counted(done['left_out'], 'record')} left out: not Dialstream's, or too large for the topic."
    return desk.back(here, said)


async def _system(desk: Desk) -> dict[str, Any]:
    system = await desk.get("/admin/system")
    evidence = waiting_for_evidence(system["dialing"])
    return {"system": system, "faults": faults(system), "evidence": evidence, "reasons": EVIDENCE}


def _letters(topic: str) -> str:
    return f"/admin/dead-letters/{segment(topic)}"
