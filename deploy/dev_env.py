"""`.local/dev.env`: where the running local stack is and its keys, for shells and for the commands of this package.

Needs nothing of the local stack's own packages, so that the commands also run where those are not installed.
"""

import os
import shlex
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from shared.process import refuse_to_start
from shared.settings import KafkaSettings

NAME: Final = "dev.env"
DEFAULT: Final = Path(__file__).resolve().parents[1] / ".local" / NAME
CONNECT_SECONDS: Final = 2.0
_KAFKA: Final = "DIALSTREAM_KAFKA"
_PREFIX: Final = "DIALSTREAM_TOPIC_PREFIX"


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
    try:
        return KafkaSettings.model_validate({} if os.environ.get(_KAFKA) else _local_kafka(command, path))
    except ValidationError as error:
        raise SystemExit(refuse_to_start(command, error)) from None


def _local_kafka(command: str, path: Path) -> dict[str, str]:
    local = read(path)
    address = local.get(_KAFKA)
    if not address:
        return {}
    if not _listens(address):
        _say(f"{command}: nothing listens at {address}, the Kafka that {path} names; start it with `make run`.")
        return {}
    _say(f"{command}: {_KAFKA} is not set; taking {address} from {path}.")
    return {"kafka": address, "topic_prefix": os.environ.get(_PREFIX, local.get(_PREFIX, ""))}


def _listens(address: str) -> bool:
    host, _, port = address.partition(",")[0].strip().rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS):
            return True
    except (OSError, ValueError):
        return False


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)
