"""The connection to MongoDB: one client a process, transactions with retries, errors in our own words."""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Final, ParamSpec, TypeVar
from weakref import WeakValueDictionary

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)
from pymongo.errors import ConfigurationError as DriverConfigurationError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from shared import metrics
from shared.clock import monotonic
from shared.errors import ConfigurationError, Unavailable
from shared.settings import MongoSettings
from shared.store.indexes import INDEXES

Document = dict[str, Any]
P = ParamSpec("P")
T = TypeVar("T")

# A call that finds no primary gives up after this, so that a request is answered with 503 and not held.
SERVER_SELECTION_SECONDS = 5.0
# A commit is given up after this; its caller reads the world again.
COMMIT_SECONDS = 10.0
# A transaction that still collides is given up after this; the driver would repeat it for two minutes.
TRANSACTION_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Store:
    """A connected database. Bound to the event loop it was made in."""

    client: AsyncMongoClient[Document]
    db: AsyncDatabase[Document]
    # Only those that somebody uses or waits for.
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(
        default_factory=WeakValueDictionary, init=False, compare=False
    )

    def __getitem__(self, collection: str) -> AsyncCollection[Document]:
        """A collection by name."""
        return self.db[collection]

    async def close(self) -> None:
        """Close all connections. The store cannot be used afterwards."""
        await self.client.close()

    async def ping(self) -> bool:
        """Whether a primary answers now."""
        try:
            await self.client.admin.command("ping")
        except PyMongoError:
            return False
        return True

    async def ensure_indexes(self) -> None:
        """Create every declared index; safe to call again and by several processes at once."""
        async with translated():
            for collection, models in INDEXES.items():
                await self.db[collection].create_indexes(models)

    async def in_transaction(
        self, work: Callable[[AsyncClientSession], Awaitable[T]], *, in_turn: str | None = None
    ) -> T:
        """Run `work` in one snapshot transaction with majority writes, again after each write conflict.

        Transactions of this process with the same `in_turn` run one after the other, as they came: for those that
        write one document, and would only make each other start again. `work` may run several times, so it must keep no
        state of an earlier run. Raises `Unavailable` when no primary answers, or others' writes and turns were in the
        way for TRANSACTION_SECONDS; nothing was written then, unless the connection was lost in the commit itself: the
        callers' writes are guarded, so repeating them is harmless.
        """
        runs, began = 0, monotonic()

        async def counted(session: AsyncClientSession) -> T:
            nonlocal runs
            runs += 1
            if monotonic() > began + TRANSACTION_SECONDS:
                # Python 3.11 may lose the cancellation by which `asyncio.timeout` ends what it waits for.
                raise TimeoutError
            if runs > 1:
                metrics.TRANSACTIONS_REPEATED.inc()
            return await work(session)

        try:
            async with (
                asyncio.timeout(TRANSACTION_SECONDS),
                nullcontext() if in_turn is None else self._turns.setdefault(in_turn, asyncio.Lock()),
                translated(),
                self.client.start_session() as session,
            ):
                return await session.with_transaction(
                    counted,
                    read_concern=ReadConcern("snapshot"),
                    write_concern=WriteConcern("majority"),
                    read_preference=ReadPreference.PRIMARY,
                    max_commit_time_ms=int(COMMIT_SECONDS * 1000),
                )
        except TimeoutError as error:
            raise Unavailable("MongoDB", f"a transaction did not get through in {TRANSACTION_SECONDS:g} s") from error


def connect(settings: MongoSettings) -> Store:
    """A store for these settings. Does not wait for the server: see shared/store/readiness.py.

    Raises `ConfigurationError` when the driver cannot read the connection string, or a file that it names.
    """
    try:
        client: AsyncMongoClient[Document] = AsyncMongoClient(
            settings.mongodb,
            tz_aware=True,
            serverSelectionTimeoutMS=int(SERVER_SELECTION_SECONDS * 1000),
            connectTimeoutMS=3000,
            socketTimeoutMS=30_000,
            w="majority",
            appname=appname(settings.mongodb_database),
        )
    except (PyMongoError, ValueError, OSError) as error:
        # The string itself may hold a password.
        raise ConfigurationError(f"DIALSTREAM_MONGODB must be a MongoDB connection string, and: {error}") from error
    return Store(client, client[settings.mongodb_database])


def appname(database: str) -> str:
    """The name that every process of one installation gives itself at the server."""
    return f"dialstream {database}"


DUPLICATE_KEY: Final = 11000
# Server errors that say "not now" rather than "wrong": shutdown, no primary, stepped down, interrupted.
_AWAY_CODES = frozenset({91, 189, 10107, 11600, 11602, 13435, 13436})
# A disk without room is such a "not now", too: nothing is written until there is some. The server says so under a code
# of its own or, of a write that its storage engine refuses, under the code for whatever it does not know, in the words
# of the operating system (seen with MongoDB 6.0).
_NO_ROOM_CODE: Final = 14031
_UNKNOWN_CODE: Final = 8
_NO_ROOM: Final = "No space left on device"


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Turn into `Unavailable("MongoDB")` what says that the server cannot be had now; let all other errors through.

    A write that a majority has not confirmed counts as not made: it may be rolled back.
    """
    try:
        yield
    # PyMongo calls it a configuration error when it begins a session while it knows of no server.
    except (ConnectionFailure, ExecutionTimeout, WriteConcernError, DriverConfigurationError) as error:
        raise Unavailable("MongoDB", type(error).__name__) from error
    except BulkWriteError as error:
        if _is_unconfirmed(error.details):
            raise Unavailable("MongoDB", "the writes were not made, or no majority has confirmed them") from error
        raise
    except OperationFailure as error:
        if not _is_not_now(error.code, str(error)):
            raise
        why = f"code {error.code}" if error.code in _AWAY_CODES else "its disk is full"
        raise Unavailable("MongoDB", why) from error


def check_but_duplicates(error: BulkWriteError) -> None:
    """Raise what is wrong with unordered inserts but that some documents, by their ids, were there already.

    Inside `translated()`, what a server that went away or a majority has not confirmed is `Unavailable` then: of a
    document that was there already, too, nobody knows whether a majority has it.
    """
    others = [wrong for wrong in error.details["writeErrors"] if wrong["code"] != DUPLICATE_KEY]
    if others or error.details["writeConcernErrors"]:
        raise BulkWriteError({**error.details, "writeErrors": others}) from error


def _is_unconfirmed(result: Mapping[str, Any]) -> bool:
    """Whether these writes are right, and the server could not make them now, or no majority has them."""
    wrong = [error for error in result["writeErrors"] if not _is_not_now(error["code"], error.get("errmsg", ""))]
    return not wrong and bool(result["writeErrors"] or result["writeConcernErrors"])


def _is_not_now(code: int | None, message: str) -> bool:
    return code in _AWAY_CODES or code == _NO_ROOM_CODE or (code == _UNKNOWN_CODE and _NO_ROOM in message)


def translates(function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """`translated()` as a decorator for one store function."""

    @functools.wraps(function)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        async with translated():
            return await function(*args, **kwargs)

    return wrapped
