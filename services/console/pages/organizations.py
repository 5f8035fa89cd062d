"""Organizations, for the operator."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.console.desk import Desk, Operator
from services.console.forms import Field, Form, Kind

router = APIRouter(prefix="/organizations")
HERE: Final = "/organizations"
API: Final = "/admin/organizations"
PAGE_SIZE: Final = 50
NEW: Final = (
    Field("name", "Name", required=True, most=255),
    Field("external_id", "External id", most=255),
    Field(
        "default_agent_number", "Caller number, where nothing else names one", Kind.PHONE, placeholder="+14155550100"
    ),
)
# Only one field can be the reason of this answer.
TAKEN: Final[Mapping[int, str]] = MappingProxyType({409: "external_id"})
Text = Annotated[str, Query(max_length=1000)]


@router.get("")
async def list_all(desk: Operator, cursor: Text = "") -> Response:
    """A page of organizations, newest first."""
    return await _shown(desk, Form.of("new", NEW, {}), cursor)


@router.post("/make")
async def make(desk: Operator) -> Response:
    """Make an organization."""
    form = await desk.filled(Form("new", NEW, {}))
    if form.refusal:
        return await _shown(desk, form)
    _, refused = await desk.taken(form, "POST", API, form.body(), TAKEN)
    if refused is not None:
        return await _shown(desk, refused)
    return desk.back(HERE, "The organization is made. Now make a key for it.")


async def _shown(desk: Desk, form: Form, cursor: str = "") -> Response:
    page = await desk.get(API, {"cursor": cursor, "limit": PAGE_SIZE})
    return desk.page("organizations.html", code=form.code, page=page, form=form)
