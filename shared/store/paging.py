"""Lists newest first, page by page: a page starts after the last row of the one before, by creation time
and id, so that rows added in the meantime neither repeat nor hide others. Rows with many parts come fewer
to a page. Whoever wants page numbers and a total asks by `numbered`.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pymongo import DESCENDING
from pymongo.asynchronous.collection import AsyncCollection

from shared.domain.page import NumberedPage, Page
from shared.errors import InvalidCursor

_CURSOR: Final = re.compile(r"(\d{1,15})/(.{1,400})", re.DOTALL)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Windows of configurations, or reported rows of batches, on one page. 30 configurations with all the windows they may
# have kept a gateway busy for half a minute.
MAX_PARTS: Final = 5000
_ORDER: Final = [("created_at", DESCENDING), ("_id", DESCENDING)]


def encode_cursor(created_at: datetime, row_id: str) -> str:
    """Where the next page starts, as opaque text that is safe in a query string."""
    milliseconds = (created_at - _EPOCH) // timedelta(milliseconds=1)
    return base64.urlsafe_b64encode(f"{milliseconds}/{row_id}".encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[datetime, str]:
    """The creation time and id that a cursor stands for. Raises `InvalidCursor`.

    Only the exact text that `encode_cursor` makes is accepted.
    """
    try:
        text = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        found = _CURSOR.fullmatch(text)
        if found is None:
            raise InvalidCursor(cursor)
        position = _EPOCH + timedelta(milliseconds=int(found[1])), found[2]
    except (binascii.Error, UnicodeError, OverflowError) as error:
        raise InvalidCursor(cursor) from error
    if "\x00" in position[1] or encode_cursor(*position) != cursor:
        raise InvalidCursor(cursor)
    return position


async def newest_first(
    collection: AsyncCollection[dict[str, Any]],
    matching: Mapping[str, Any],
    *,
    cursor: str | None,
    limit: int,
    parts_of: Callable[[Mapping[str, Any]], int] = lambda _: 0,
) -> Page[dict[str, Any]]:
    """The page of matching documents after `cursor` (None: the first). Raises `InvalidCursor`.

    At most `limit` documents, and at most one when it has more than `MAX_PARTS` parts.
    """
    where: dict[str, Any] = dict(matching)
    if cursor is not None:
        created_at, row_id = decode_cursor(cursor)
        # The bound leads into the index; by the places alone all rows before the page would be read again.
        where["created_at"] = {**where.get("created_at", {}), "$lte": created_at}
        # Every caller's own $or would be lost here; none has one.
        where["$or"] = [{"created_at": {"$lt": created_at}}, {"created_at": created_at, "_id": {"$lt": row_id}}]
    rows: list[dict[str, Any]] = []
    parts = 0
    async with collection.find(where).sort(_ORDER).limit(limit + 1) as found:
        async for row in found:
            parts += parts_of(row)
            if len(rows) == limit or (rows and parts > MAX_PARTS):
                return Page(rows, encode_cursor(rows[-1]["created_at"], rows[-1]["_id"]))
            rows.append(row)
    return Page(rows, None)


async def numbered(
    collection: AsyncCollection[dict[str, Any]], matching: Mapping[str, Any], *, offset: int, limit: int
) -> NumberedPage[dict[str, Any]]:
    """The `limit` matching documents from the `offset`-th (0: the first) on, newest first, and how many there are.

    A page that is not full tells the total; otherwise it is counted, at a cost that grows with it.
    """
    rows = await collection.find(matching).sort(_ORDER).skip(offset).limit(limit).to_list()
    if len(rows) < limit and (rows or not offset):
        return NumberedPage(rows, offset + len(rows))
    return NumberedPage(rows, await collection.count_documents(matching))
