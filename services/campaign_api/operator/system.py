"""The installation: how its parts stand, and the dead letters of its topics."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query

from services.campaign_api.gateway import ThisGateway
from services.campaign_api.http.bodies import BodyRoute, optional_json_body
from services.campaign_api.native.schemas.problems import operator_problems
from services.campaign_api.operator.auth import require_operator
from services.campaign_api.operator.system_schemas import (
    DeadLetters,
    DeadLetterView,
    ReplayDeadLetters,
    ReplayedLetters,
    SystemView,
    TopicName,
)
from shared.engine.installation import TOPICS_BY_NAME

router = APIRouter(prefix="/admin", tags=["Operator"], dependencies=[Depends(require_operator)], route_class=BodyRoute)
MOST_SHOWN: Final = 100
Shown = Annotated[int, Query(ge=1, le=MOST_SHOWN)]


@router.get("/system", responses=operator_problems())
async def get_system(gateway: ThisGateway) -> SystemView:
    """Get how the installation stands: servers, topics and their readers, executors, schedulers, shards."""
    return SystemView.of(await gateway.installation.look())


@router.get("/dead-letters/{topic}", responses=operator_problems())
async def list_dead_letters(gateway: ThisGateway, topic: TopicName, limit: Shown = 20) -> DeadLetters:
    """List the first dead letters of a topic that wait, oldest first."""
    letters = await gateway.installation.letters(TOPICS_BY_NAME[topic.value], limit)
    return DeadLetters(dead_letters=[DeadLetterView.of(letter) for letter in letters])


@router.post("/dead-letters/{topic}/replay", responses=operator_problems(413, 415))
async def replay_dead_letters(
    gateway: ThisGateway,
    topic: TopicName,
    body: Annotated[ReplayDeadLetters, optional_json_body(ReplayDeadLetters)],
) -> ReplayedLetters:
    """Put dead letters of a topic back onto it, oldest first, after what killed them has been mended."""
    done = await gateway.installation.replay(TOPICS_BY_NAME[topic.value], body.limit)
    return ReplayedLetters(put_back=done.put_back, left_out=done.left_out)
