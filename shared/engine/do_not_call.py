"""The organization's do-not-call list."""

from collections.abc import Collection, Sequence
from datetime import datetime

from shared.domain.contact import ContactStatus
from shared.domain.page import NumberedPage, Page
from shared.domain.reasons import EndReason
from shared.domain.setting_faults import EndedByFault, SettingWarning
from shared.engine.engine import Engine
from shared.events import LimitsChanged
from shared.store.catalog import do_not_call as stored
from shared.store.catalog.do_not_call import DoNotCallEntry
from shared.store.catalog.people import tell_of_listed
from shared.store.contacts.queries import count_skipped_with
from shared.store.documents.catalog import NATIVE

__all__ = [
    "DoNotCallEntry",
    "list_numbers",
    "numbered_entries",
    "stop_numbers",
    "take_number_off",
    "take_off_listed_by",
]


async def stop_numbers(
    engine: Engine,
    organization_id: str,
    phone_numbers: Sequence[str],
    reason: str | None,
    now: datetime,
    source: str = NATIVE,
) -> list[DoNotCallEntry]:
    """The numbers' (E.164) entries on the list, in the given order; these numbers are not called from now on.

    A number that is listed already keeps its entry, and its reason unless a new one is given. `source` says where the
    wish came from: an API's name, `import` or `call`. Safe to repeat.
    """
    numbers = list(dict.fromkeys(phone_numbers))
    entries, shard = await stored.add_numbers(
        engine.store, organization_id, numbers, reason, now, source, tell_of_listed
    )
    engine.hints.give(LimitsChanged(organization_id=organization_id, shard=shard))
    return entries


async def list_numbers(
    engine: Engine, organization_id: str, *, phone_number: str | None = None, cursor: str | None, limit: int
) -> Page[DoNotCallEntry]:
    """The list, newest first, or only what stops calls to this phone (E.164), in whatever spelling it was listed.

    Raises `InvalidCursor`: ask for the first page.
    """
    if phone_number is not None:
        return Page(await stored.entries_of(engine.store, organization_id, phone_number), None)
    return await stored.list_numbers(engine.store, organization_id, cursor=cursor, limit=limit)


async def numbered_entries(
    engine: Engine, organization_id: str, *, offset: int, limit: int
) -> NumberedPage[DoNotCallEntry]:
    """The list from the `offset`-th entry on, newest first, and how many entries there are."""
    return await stored.numbered_entries(engine.store, organization_id, offset=offset, limit=limit)


async def take_number_off(engine: Engine, organization_id: str, phone_number: str) -> list[SettingWarning]:
    """Take a number off the list, in whatever spelling it was listed. Raises `NotFound`.

    The warning counts (up to 1,000) the contacts that were skipped for it, and that stay so.
    """
    shard = await stored.remove_number(engine.store, organization_id, phone_number)
    engine.hints.give(LimitsChanged(organization_id=organization_id, shard=shard))
    skipped = await count_skipped_with(engine.store, organization_id, phone_number)
    return [EndedByFault(ContactStatus.SKIPPED, EndReason.DO_NOT_CALL, skipped)] if skipped else []


async def take_off_listed_by(
    engine: Engine, organization_id: str, phone_numbers: Collection[str], source: str
) -> set[str]:
    """Take numbers off the list that this source has listed; those of them that stay, because another source has.

    Nothing that a person asked for in a call, or that another API has listed, is undone.
    """
    left, shard = await stored.remove_numbers_of(engine.store, organization_id, phone_numbers, source)
    if shard is not None:
        engine.hints.give(LimitsChanged(organization_id=organization_id, shard=shard))
    return left
