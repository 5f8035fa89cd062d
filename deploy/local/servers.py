"""The local stack as a whole: start, stop, share. Given addresses win, then nothing local is started."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from deploy.local import kafka, mongo
from deploy.local.home import Home, Use, locked
from deploy.local.install import install, rehearsal_home
from shared.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers are: Kafka's bootstrap servers and MongoDB's connection string."""

    kafka: str
    mongodb: str

    @property
    def environment(self) -> dict[str, str]:
        """The same as the environment variables that every service reads."""
        return {"DIALSTREAM_KAFKA": self.kafka, "DIALSTREAM_MONGODB": self.mongodb}


@dataclass(frozen=True, slots=True)
class Given:
    """The addresses that the environment gives; None where it gives none."""

    kafka: str | None = None
    mongodb: str | None = None

    @classmethod
    def by(cls, environment: Mapping[str, str], home: Home) -> "Given":
        """Reads DIALSTREAM_KAFKA and DIALSTREAM_MONGODB.

        The addresses of this home's own servers are not given: a shell has them from `dev.env`.
        """
        ports = home.known_ports()
        own = {kafka.address_of(port) for name, port in ports.items() if name == "kafka"}
        own |= {mongo.address_of(port) for name, port in ports.items() if name == "mongodb"}
        values = (environment.get(name) for name in ("DIALSTREAM_KAFKA", "DIALSTREAM_MONGODB"))
        return cls(*(value if value and value not in own else None for value in values))

    @property
    def complete(self) -> Addresses | None:
        """Both, or None."""
        return Addresses(self.kafka, self.mongodb) if self.kafka and self.mongodb else None


async def start_servers(home: Home, given: Given) -> Addresses:
    """Starts what is not given and not yet running, and returns the addresses once all of it serves.

    They run on when this process ends. Safe to repeat after any interruption, and from two processes at once.
    Raises TemporaryError or ConfigurationError with what to do.
    """
    async with locked(home.root):
        return await _start(home, given)


async def keep_servers(home: Home, given: Given) -> Addresses:
    """Like `start_servers`; they stay until `stop_servers` even when their last user leaves."""
    async with locked(home.root):
        home.kept.touch()
        return await _start(home, given)


@contextlib.asynccontextmanager
async def borrowed_servers(home: Home, given: Given) -> AsyncIterator[Addresses]:
    """The servers for as long as the block runs. The last one to leave stops them, unless `up` keeps them."""
    complete = given.complete
    if complete is not None:
        yield complete
        return
    async with locked(home.root):
        with contextlib.ExitStack() as undo:
            use = undo.enter_context(contextlib.closing(Use(home)))
            addresses = await _start(home, given)
            undo.pop_all()
    try:
        yield addresses
    finally:
        async with locked(home.root):
            if use.leave() and not home.kept.exists():
                await _stop(home)


async def stop_servers(home: Home) -> bool:
    """Stops what runs, cleanly; the data stays. False when nothing ran."""
    async with locked(home.root):
        home.kept.unlink(missing_ok=True)
        return await _stop(home)


async def stop_unused_servers(home: Home) -> bool | None:
    """Like `stop_servers`; None, and nothing is stopped, when somebody borrows them."""
    async with locked(home.root):
        if Use.by_anyone(home):
            return None
        home.kept.unlink(missing_ok=True)
        return await _stop(home)


async def remove_servers(home: Home, *, downloads: bool) -> None:
    """Stops what runs and deletes its data and logs; with `downloads`, also what `install` has fetched."""
    async with locked(home.root):
        await _stop(home)
        for path in list(home.root.iterdir()):
            if path == home.downloads and not downloads:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in ("lock", "users"):
                # Whoever waits for these two has them open; a new file would be another lock.
                path.unlink()


async def _start(home: Home, given: Given) -> Addresses:
    _check_name(home)
    starts = (_kafka(home, given.kafka), _mongo(home, given.mongodb))
    # Both are waited for even when one fails, so that none is left in the middle of its start.
    kafka_result, mongo_result = await asyncio.gather(*starts, return_exceptions=True)
    for result in (kafka_result, mongo_result):
        if isinstance(result, BaseException):
            raise result
    return Addresses(str(kafka_result), str(mongo_result))


def _check_name(home: Home) -> None:
    try:
        str(home.root).encode()
    except UnicodeEncodeError:
        raise ConfigurationError(
            f"the path of the folder {str(home.root)!a} is not UTF-8, and Java cannot read others: rename it"
        ) from None


async def _kafka(home: Home, given: str | None) -> str:
    if given is not None:
        return given
    if kafka.find(home) is None:
        await install(home)
    return await kafka.start(home)


async def _mongo(home: Home, given: str | None) -> str:
    return given if given is not None else await mongo.start(home)


async def _stop(home: Home) -> bool:
    stopped = await asyncio.gather(kafka.stop(home), mongo.stop(home), kafka.stop(rehearsal_home(home)))
    return any(stopped)
