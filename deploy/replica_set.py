"""MongoDB's replica set: made where the members have none yet, waited for where it is (transactions need one)."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from deploy.waiting import until
from shared.errors import ConfigurationError, Unavailable
from shared.settings import MongoSettings

LOOK_MS: Final = 1000
# MongoDB's codes of `Unauthorized` and `AuthenticationFailed`.
REFUSES_THE_USER: Final = frozenset({13, 18})

Client = AsyncMongoClient[dict[str, Any]]


async def ensure_primary(settings: MongoSettings, deadline_seconds: float) -> None:
    """Returns once the replica set of the connection string has a primary.

    A set is made only when the first member says that it has none, of the members that the connection string names; one
    that exists is never changed. A connection string with `directConnection`, without `replicaSet` or of `mongodb+srv`
    is only waited for: the owner of that MongoDB makes its set.

    Raises Unavailable when there is no primary after `deadline_seconds`: start MongoDB, then try again. Raises
    ConfigurationError when a member runs without a replica set, or lets this user make none: do what its sentence says.
    """
    if not settings.mongodb.startswith("mongodb+srv:"):
        facts = parse_uri(settings.mongodb)
        options = {name.lower(): value for name, value in facts["options"].items()}
        if "replicaset" in options and not options.get("directconnection"):
            await _make_unless_made(str(options["replicaset"]), facts, deadline_seconds)
    await _wait_for_primary(settings, deadline_seconds)


def configuration_of(name: str, members: Sequence[str]) -> dict[str, Any]:
    """The first configuration of a replica set; `members` as host:port, as clients reach them."""
    return {"_id": name, "members": [{"_id": number, "host": member} for number, member in enumerate(members)]}


async def _make_unless_made(name: str, facts: Mapping[str, Any], deadline_seconds: float) -> None:
    hosts = [(host, port or 27017) for host, port in facts["nodelist"]]
    configuration = configuration_of(name, [f"{host}:{port}" for host, port in hosts])
    # Alone and directly: until there is a set, the driver finds no server that belongs to it.
    security = {key: value for key, value in facts["options"].items() if key.lower().startswith(("tls", "auth"))}
    if facts["username"]:
        security |= {"username": facts["username"], "password": facts["password"]}
    host, port = hosts[0]
    client: Client = AsyncMongoClient(host, port, directConnection=True, serverSelectionTimeoutMS=LOOK_MS, **security)
    try:
        await until(functools.partial(_has_set, client, configuration), deadline_seconds)
    except TimeoutError:
        raise Unavailable("MongoDB", f"{host}:{port} has no replica set after {deadline_seconds:g} s") from None
    finally:
        await client.close()


async def _has_set(client: Client, configuration: Mapping[str, Any]) -> bool:
    """One look, and one step towards the goal."""
    try:
        hello = await client.admin.command("hello")
        # `isdbgrid` is the router of a sharded cluster, whose shards are sets.
        if "setName" in hello or hello.get("msg") == "isdbgrid":
            return True
        if "isreplicaset" not in hello:
            raise ConfigurationError("MongoDB runs without a replica set: start it with --replSet")
        await client.admin.command("replSetInitiate", configuration)
    except OperationFailure as error:
        if error.code in REFUSES_THE_USER:
            raise ConfigurationError(
                f"MongoDB has no replica set yet and lets this user make none ({error.details}): make it with an "
                "administrator's account (rs.initiate)"
            ) from error
        return False
    except PyMongoError:
        # Between start and election a member refuses much; the next look tells more.
        return False
    return False


async def _wait_for_primary(settings: MongoSettings, deadline_seconds: float) -> None:
    client: Client = AsyncMongoClient(settings.mongodb, serverSelectionTimeoutMS=LOOK_MS)
    try:
        await until(functools.partial(_has_primary, client), deadline_seconds)
    except TimeoutError:
        raise Unavailable("MongoDB", f"no primary after {deadline_seconds:g} s") from None
    finally:
        await client.close()


async def _has_primary(client: Client) -> bool:
    try:
        hello = await client.admin.command("hello")
    except PyMongoError:
        return False
    return bool(hello["isWritablePrimary"])
