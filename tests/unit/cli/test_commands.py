"""What all commands have in common."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from dialstream_cli.app import app
from shared.domain.unknown_names import PREFIX

HEAVY = ("aiohttp", "aiokafka", "asyncio", "fastapi", "pydantic", "rich.table", "shared", "services", "deploy")


def commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


def test_every_command_prints_json_on_request_and_says_what_it_does() -> None:
    found = dict(commands(typer.main.get_command(app)))
    assert len(found) > 25
    assert [name for name, one in found.items() if "as_json" not in {p.name for p in one.params}] == []
    assert [name for name, one in found.items() if not one.help] == []


def test_a_start_costs_less_than_half_a_second_and_loads_nothing_heavy() -> None:
    code = f"import sys, dialstream_cli.app; print([name for name in {HEAVY!r} if name in sys.modules])"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ran.stdout.strip() == "[]"
    # Of the processor, for a machine that is busy with something else takes as long as it likes.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


@pytest.mark.parametrize(
    ("environment", "code", "said"),
    [
        ({}, 0, ""),
        ({"DIALSTREAM_HTTP_PORT": "high"}, 2, "DIALSTREAM_HTTP_PORT"),
        ({f"{PREFIX}HTTP_PROT": "80"}, 0, f"{PREFIX}HTTP_PROT"),
    ],
)
def test_settings_are_checked_as_services_check_them(environment: dict[str, str], code: int, said: str) -> None:
    arguments = [sys.executable, "-m", "dialstream_cli", "config", "check"]
    needed = {
        "DIALSTREAM_ADMIN_TOKEN": "x" * 40,
        "DIALSTREAM_SECRET_KEY": "y" * 40,
        "DIALSTREAM_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "DIALSTREAM_TWILIO_AUTH_TOKEN": "z" * 32,
    }
    ran = subprocess.run(arguments, capture_output=True, text=True, check=False, env=needed | environment)
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert said in ran.stdout
