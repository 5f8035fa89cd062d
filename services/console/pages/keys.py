"""Keys: what the one that has signed in may do; for the operator all of them: making and deleting."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.datastructures import FormData
from starlette.responses import Response

from services.console.api import ApiRefused, segment
from services.console.desk import AnyDesk, Desk, Operator, text_of
from services.console.pages.contacts import utc_field
from services.console.words import SCOPES

router = APIRouter(prefix="/keys")
HERE: Final = "/keys"
PAGE_SIZE: Final = 25
# Organizations of a person's token that are named; the others are counted.
NAMED: Final = 3
# Where the API keeps each kind, and where an answer has its rows.
KINDS: Final = {
    "keys": ("/admin/organization-pats", "organization_pats"),
    "tokens": ("/admin/personal-tokens", "personal_tokens"),
}
Text = Annotated[str, Query(max_length=1000)]


@router.get("")
async def show(desk: AnyDesk, kind: Text = "keys", organization: Text = "", cursor: Text = "") -> Response:
    """What this key may do; for the operator, a page of keys of organizations or of persons, newest first."""
    if not desk.session.is_operator:
        return desk.page("own_key.html", key=await desk.get("/campaign/credential"), scopes=SCOPES)
    kind = kind if kind in KINDS else "keys"
    path, rows = KINDS[kind]
    organization = organization.strip()
    page = await desk.get(path, {"organization_id": organization, "cursor": cursor, "limit": PAGE_SIZE})
    return desk.page(
        "keys.html",
        kind=kind,
        keys=page[rows],
        next_cursor=page["next_cursor"],
        organization=organization,
        named=NAMED,
        names=await _names(desk, page[rows], organization),
        scopes=SCOPES,
    )


@router.post("/{kind}/make")
async def make(desk: Operator, kind: str) -> Response:
    """Make a key; the page that follows shows it this once."""
    form = await desk.form()
    if kind not in KINDS:
        return desk.back(HERE, "There is no such kind of key.", good=False)
    typed = text_of(form, "expires_at")
    expires_at = utc_field(typed)
    if typed and expires_at is None:
        return desk.back(_list(kind), "Choose the day and the time (UTC) at which the key ends, or none.", good=False)
    body: dict[str, Any] = {
        "name": text_of(form, "name"),
        "scopes": _scopes(form),
        "expires_at": None if expires_at is None else int(expires_at.timestamp() * 1000),
        **_holder(form, kind),
    }
    made, refusal = await desk.asked(_list(kind), "POST", KINDS[kind][0], body)
    return refusal or desk.page("made_key.html", key=made, kind=kind)


@router.post("/{kind}/{key}/delete")
async def delete(desk: Operator, kind: str, key: str) -> Response:
    """Delete a key; asks first."""
    form = await desk.form()
    if kind not in KINDS:
        return desk.back(HERE, "There is no such kind of key.", good=False)
    if text_of(form, "sure") != "yes":
        return desk.page("delete_key.html", kind=kind, key=key, name=text_of(form, "name"))
    path = f"{KINDS[kind][0]}/{segment(key)}"
    return await desk.done(_list(kind), "The key is deleted; it is refused from now on.", "DELETE", path)


async def _names(desk: Desk, keys: list[Any], organization: str) -> dict[str, str]:
    """The names of the organizations that these keys are for, by their ids."""
    ids = {one for key in keys for one in key.get("organization_ids", [key.get("organization_id")])[:NAMED]}
    named = sorted({*ids, organization} - {""})
    return dict(zip(named, await asyncio.gather(*(_name(desk, one) for one in named)), strict=True))


async def _name(desk: Desk, organization: str) -> str:
    try:
        found = await desk.get(f"/admin/organizations/{segment(organization)}")
    except ApiRefused as refused:
        if refused.status != 404:
            raise
        return organization
    return str(found["name"])


def _holder(form: FormData, kind: str) -> dict[str, Any]:
    organizations = text_of(form, "organization").replace(",", " ").split()
    if kind == "keys":
        return {"organization_id": " ".join(organizations)}
    return {"organization_ids": organizations, "person": text_of(form, "person")}


def _scopes(form: FormData) -> list[str]:
    return [value for value in form.getlist("scope") if isinstance(value, str)]


def _list(kind: str) -> str:
    return HERE if kind == "keys" else f"{HERE}?kind={kind}"
