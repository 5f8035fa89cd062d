"""The front page."""

from fastapi import APIRouter, Request

from services.campaign_api.public.pages_schemas import About

router = APIRouter()


@router.get("/", operation_id="about", tags=["About"])
async def about(request: Request) -> About:
    """What this is, and where its documentation stands."""
    return About(name=request.app.title, version=request.app.version)
