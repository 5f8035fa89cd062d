"""Runs `dialstream` as a process of its own, with nothing of this machine's logins or environment."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.domain.unknown_names import PREFIX

SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command has ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)

    @property
    def rows(self) -> list[dict[str, str]]:
        """What it printed, as rows by the names of their columns."""
        head, *lines = (line.split("\t") for line in self.out.splitlines())
        return [dict(zip(head, line, strict=True)) for line in lines]


async def dialstream(*arguments: str, home: Path, stdin: str = "", **environment: str) -> Ran:
    """One command; `home` is where a login is kept. Environment variables are named without their prefix."""
    async with running(*arguments, home=home, **environment) as process, asyncio.timeout(SECONDS):
        out, err = await process.communicate(stdin.encode())
    assert process.returncode is not None
    return Ran(process.returncode, out.decode(), err.decode())


@asynccontextmanager
async def running(*arguments: str, home: Path, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command while it runs, as `dialstream` starts it; one that still runs at the end is killed."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    own |= {f"{PREFIX}{name}": value for name, value in environment.items()} | {"XDG_CONFIG_HOME": str(home)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "dialstream_cli", *arguments),
        env=own,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
