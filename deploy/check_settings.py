"""Whether services would start on the environment's settings: `python -m deploy.check_settings`.

Exit code 0 when they would, 2 when one of them refuses to.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import typer
from pydantic import ValidationError

from deploy.env_example import settings_classes
from shared.domain.unknown_names import unknown_names
from shared.process import EXIT_CONFIGURATION, explain
from shared.setting_names import KNOWN_NAMES
from shared.settings import StartSettings


@dataclass(frozen=True, slots=True)
class Remarks:
    """`faults` keep a service from starting; `doubts` can work and are hardly meant. Sentences, each once."""

    faults: tuple[str, ...]
    doubts: tuple[str, ...]


def check(environment: Mapping[str, str]) -> Remarks:
    """What is to be said of the settings of all services together; they are read from this process's environment."""
    faults: list[str] = []
    doubts = [str(unknown) for unknown in unknown_names(environment, KNOWN_NAMES)]
    for settings in settings_classes():
        if not settings.__module__.startswith("services.") or not issubclass(settings, StartSettings):
            continue
        try:
            doubts += settings().doubts()
        except ValidationError as error:
            faults += explain(error).splitlines()
    return Remarks(tuple(dict.fromkeys(faults)), tuple(dict.fromkeys(doubts)))


def rows(remarks: Remarks) -> list[dict[str, Any]]:
    """The remarks as rows: `kind` is fault or doubt."""
    return [
        *({"kind": "fault", "said": said} for said in remarks.faults),
        *({"kind": "doubt", "said": said} for said in remarks.doubts),
    ]


def main() -> None:
    """Print what is to be said of the environment's settings."""
    remarks = check(os.environ)
    for row in rows(remarks):
        print(f"{row['kind']}: {row['said']}")
    raise typer.Exit(EXIT_CONFIGURATION if remarks.faults else 0)


if __name__ == "__main__":
    typer.run(main)
