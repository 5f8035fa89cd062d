"""The demo's organization and its key: made by the operator's API, used again as long as they are good."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp

from deploy.demo.client import Api, Refused

ORGANIZATION: Final = "Demo"
KEY_VARIABLE: Final = "DIALSTREAM_API_KEY"
ORGANIZATION_VARIABLE: Final = "DIALSTREAM_ORGANIZATION_ID"


@dataclass(frozen=True, slots=True)
class Customer:
    """An organization and a key of it."""

    organization_id: str
    key: str

    @property
    def environment(self) -> dict[str, str]:
        """As `.local/dev.env` has it."""
        return {KEY_VARIABLE: self.key, ORGANIZATION_VARIABLE: self.organization_id}


async def customer(
    session: aiohttp.ClientSession, url: str, admin_token: str, remembered: Mapping[str, str]
) -> Customer:
    """The customer of last time (`remembered`: the variables of its `environment`), else a new one."""
    known = Customer(remembered.get(ORGANIZATION_VARIABLE, ""), remembered.get(KEY_VARIABLE, ""))
    if known.key and known.organization_id and await _is_valid(Api(session, url, known.key)):
        return known
    operator = Api(session, url, admin_token)
    organization = await operator.post("/admin/organizations", {"name": ORGANIZATION})
    return await _with_new_key(operator, organization["id"])


async def demo_customer(session: aiohttp.ClientSession, url: str, admin_token: str) -> Customer:
    """The demo's organization with a new key, where nothing is remembered; made when there is none.

    A second one would call the same phones beside the first, whose demo may have been broken off.
    """
    operator = Api(session, url, admin_token)
    known = await _known_organization(operator)
    return await (customer(session, url, admin_token, {}) if known is None else _with_new_key(operator, known))


async def _with_new_key(operator: Api, organization_id: str) -> Customer:
    key = await operator.post("/admin/organization-pats", {"organization_id": organization_id, "name": "demo"})
    return Customer(organization_id, key["key"])


async def _known_organization(operator: Api) -> str | None:
    query: dict[str, str | int] = {"limit": 200}
    while True:
        page = await operator.get("/admin/organizations", **query)
        for organization in page["organizations"]:
            if organization["name"] == ORGANIZATION:
                return str(organization["id"])
        if page["next_cursor"] is None:
            return None
        query["cursor"] = page["next_cursor"]


async def _is_valid(api: Api) -> bool:
    try:
        await api.get("/campaign/concurrency-settings")
    except Refused as refused:
        if refused.status in {401, 403}:
            return False
        raise
    return True
