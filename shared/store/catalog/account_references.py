"""References to telephony accounts from caller numbers and campaigns: checked in the transactions that write them."""

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.errors import BadSetting, Flaw
from shared.store.client import Store


async def check_account(
    store: Store, organization_id: str, account_id: str | None, session: AsyncClientSession
) -> None:
    """Return when the organization has this account, or none is named; raises `BadSetting` at the field."""
    if account_id is None:
        return
    mine = {"_id": account_id, "organization_id": organization_id}
    if await store["telephony_accounts"].find_one(mine, {"_id": 1}, session=session) is None:
        raise BadSetting(Flaw.UNKNOWN_ACCOUNT, ("telephony_account_id",), account_id)
