"""`.local/dev.env`: where the running local stack is and its keys, for shells and for the commands of this package.

Needs nothing of the local stack's own packages, so that the commands also run where those are not installed.
"""

import os
import shlex
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

from pydantic import ValidationError

from shared.domain.unknown_names import PREFIX
from shared.process import refuse_to_start
from shared.settings import KafkaSettings, MongoSettings, Settings

NAME: Final = "dev.env"
DEFAULT: Final = Path(__file__).resolve().parents[1] / ".local" / NAME
CONNECT_SECONDS: Final = 2.0
_KAFKA: Final = "DIALSTREAM_KAFKA"
_PREFIX: Final = "DIALSTREAM_TOPIC_PREFIX"
_MONGODB: Final = "DIALSTREAM_MONGODB"
_DATABASE: Final = "DIALSTREAM_MONGODB_DATABASE"
_SERVERS: Final = {_KAFKA: "Kafka", _MONGODB: "MongoDB"}

S = TypeVar("S", bound=Settings)


def read(path: Path) -> dict[str, str]:
    """The variables of such a file; none when there is no file."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name: "".join(shlex.split(value)) for name, _, value in pairs}


def text(values: Mapping[str, str]) -> str:
    """What such a file says about these values; shells read it with `source`."""
    head = "# Written by `make run`; use it with: set -a; source .local/dev.env\n"
    return head + "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def kafka_settings(command: str, path: Path = DEFAULT) -> KafkaSettings:
    """For a command that works on Kafka: the environment's settings, and without an address there the local stack's.

    Ends the process, with a sentence for each, when settings cannot work.
    """
    return _settings(command, KafkaSettings, _KAFKA, _PREFIX, path)


def mongo_settings(command: str, path: Path = DEFAULT) -> MongoSettings:
    """For a command that works on MongoDB, as `kafka_settings`."""
    return _settings(command, MongoSettings, _MONGODB, _DATABASE, path)


def _settings(command: str, settings: type[S], address_name: str, place_name: str, path: Path) -> S:
    try:
        taken = {} if os.environ.get(address_name) else _local(command, address_name, place_name, path)
        return settings.model_validate(taken)
    except ValidationError as error:
        raise SystemExit(refuse_to_start(command, error)) from None


def _local(command: str, address_name: str, place_name: str, path: Path) -> dict[str, str]:
    """The running local stack's server, and the place in it; nothing when it does not run."""
    local = read(path)
    address = local.get(address_name)
    if not address:
        return {}
    # Of a connection string only the hosts: it may hold a password.
    hosts = urlsplit(address).netloc.rpartition("@")[2] if "://" in address else address
    if not _listens(hosts):
        server = _SERVERS[address_name]
        _say(f"{command}: nothing listens at {hosts}, the {server} that {path} names; start it with `make run`.")
        return {}
    _say(f"{command}: {address_name} is not set; taking {hosts} from {path}.")
    found = {address_name: address}
    place = os.environ.get(place_name, local.get(place_name))
    if place is not None:
        found[place_name] = place
    return {name.removeprefix(PREFIX).lower(): value for name, value in found.items()}


def _listens(address: str) -> bool:
    host, _, port = address.partition(",")[0].strip().rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS):
            return True
    except (OSError, ValueError):
        return False


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)
