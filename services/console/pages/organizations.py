"""Organizations, for the operator."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.console.desk import Operator, text_of

router = APIRouter(prefix="/organizations")
HERE: Final = "/organizations"
PAGE_SIZE: Final = 50
Text = Annotated[str, Query(max_length=1000)]


@router.get("")
async def list_all(desk: Operator, cursor: Text = "") -> Response:
    """A page of organizations, newest first."""
    page = await desk.get("/admin/organizations", {"cursor": cursor, "limit": PAGE_SIZE})
    return desk.page("organizations.html", page=page)


@router.post("/make")
async def make(desk: Operator) -> Response:
    """Make an organization."""
    form = await desk.form()
    body: dict[str, Any] = {"name": text_of(form, "name"), "external_id": text_of(form, "external_id") or None}
    if text_of(form, "default_agent_number"):
        body["default_agent_number"] = text_of(form, "default_agent_number")
    said = "The organization is made. Now make a key for it."
    return await desk.done(HERE, said, "POST", "/admin/organizations", body)
