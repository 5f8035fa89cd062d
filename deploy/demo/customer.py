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
    key = await operator.post("/admin/organization-pats", {"organization_id": organization["id"], "name": "make run"})
    return Customer(organization["id"], key["key"])


async def _is_valid(api: Api) -> bool:
    try:
        await api.get("/campaign/concurrency-settings")
    except Refused as refused:
        if refused.status in {401, 403}:
            return False
        raise
    return True
