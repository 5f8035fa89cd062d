"""Keys: what the one that has signed in may do; for the operator all of them: making and deleting."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.console.api import ApiRefused, segment
from services.console.desk import AnyDesk, Desk, Operator, text_of
from services.console.forms import Field, Form, Kind
from services.console.words import SCOPES, instant

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
USUAL: Final = ("campaigns:manage", "concurrency:manage", "conversations:read_sensitive")
_HOLDERS: Final = ("organization_id", "organization_ids")
_WHAT: Final = (
    Field("name", "Name", required=True, most=255, placeholder="production"),
    Field("expires_at", "Ends at (UTC)", Kind.TIME, hint="Empty: never."),
    Field(
        "scope",
        "Scopes",
        Kind.TICKS,
        required=True,
        options=tuple((scope, f"{scope}: {said}") for scope, said in SCOPES.items()),
        makes=("scopes",),
    ),
)
FIELDS: Final = {
    "keys": (Field("organization", "Organization's id", Kind.LIST, required=True, makes=_HOLDERS), *_WHAT),
    "tokens": (
        Field(
            "organization", "Organizations' ids", Kind.LIST, required=True, hint="With commas between.", makes=_HOLDERS
        ),
        Field("person", "Person", required=True, most=255, placeholder="ada@example.com"),
        *_WHAT,
    ),
}
# Only the organization can be the reason of this answer.
UNKNOWN: Final[Mapping[int, str]] = MappingProxyType({404: "organization"})
Text = Annotated[str, Query(max_length=1000)]


@router.get("")
async def show(desk: AnyDesk, kind: Text = "keys", organization: Text = "", cursor: Text = "") -> Response:
    """What this key may do; for the operator, a page of keys of organizations or of persons, newest first."""
    if not desk.session.is_operator:
        return desk.page("own_key.html", key=await desk.get("/campaign/credential"), scopes=SCOPES)
    kind = kind if kind in KINDS else "keys"
    organization = organization.strip()
    form = Form.of("new", FIELDS[kind], {"organization": [organization] if organization else [], "scope": USUAL})
    return await _listed(desk, kind, form, organization, cursor)


@router.post("/{kind}/make")
async def make(desk: Operator, kind: str) -> Response:
    """Make a key; the page that follows shows it this once."""
    if kind not in KINDS:
        await desk.form()
        return desk.back(HERE, "There is no such kind of key.", good=False)
    form = await desk.filled(Form("new", FIELDS[kind], {}))
    if form.refusal:
        return await _listed(desk, kind, form)
    made, refused = await desk.taken(form, "POST", KINDS[kind][0], _body(form, kind), UNKNOWN)
    return desk.page("made_key.html", key=made, kind=kind) if refused is None else await _listed(desk, kind, refused)


@router.get("/{kind}/{key}/delete")
async def ask_to_delete(desk: Operator, kind: str, key: str, name: Text = "") -> Response:
    """Whether a key is to be deleted."""
    if kind not in KINDS:
        return desk.back(HERE, "There is no such kind of key.", good=False)
    return desk.page("delete_key.html", kind=kind, key=key, name=name)


@router.post("/{kind}/{key}/delete")
async def delete(desk: Operator, kind: str, key: str) -> Response:
    """Delete a key; asks first."""
    form = await desk.form()
    if kind not in KINDS:
        return desk.back(HERE, "There is no such kind of key.", good=False)
    if text_of(form, "sure") != "yes":
        return desk.ask(f"{HERE}/{kind}/{segment(key)}/delete", [("name", text_of(form, "name"))])
    path = f"{KINDS[kind][0]}/{segment(key)}"
    return await desk.done(_list(kind), "The key is deleted; it is refused from now on.", "DELETE", path)


async def _listed(desk: Desk, kind: str, form: Form, organization: str = "", cursor: str = "") -> Response:
    path, rows = KINDS[kind]
    page = await desk.get(path, {"organization_id": organization, "cursor": cursor, "limit": PAGE_SIZE})
    return desk.page(
        "keys.html",
        code=form.code,
        kind=kind,
        keys=page[rows],
        next_cursor=page["next_cursor"],
        organization=organization,
        named=NAMED,
        names=await _names(desk, page[rows], organization),
        form=form,
    )


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


def _body(form: Form, kind: str) -> dict[str, Any]:
    """The key that a form asks for."""
    values = form.body()
    organizations, scopes, expires_at = (values.pop(name, None) for name in ("organization", "scope", "expires_at"))
    holder = {"organization_ids": organizations} if kind == "tokens" else {"organization_id": ", ".join(organizations)}
    ends = None if expires_at is None else int(instant(expires_at).timestamp() * 1000)
    return {**values, **holder, "scopes": scopes, "expires_at": ends}


def _list(kind: str) -> str:
    return HERE if kind == "keys" else f"{HERE}?kind={kind}"
