"""One Compose project of the repository's file, under a name, a port and secrets of its own."""

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from docker.models.containers import Container

from deploy.containers.engine import COMPOSE_FILE, Engine
from deploy.local.home import LOCALHOST, free_port
from deploy.local.lineup import PREFIX, REPOSITORY
from shared.errors import TemporaryError

# A first build downloads all dependencies.
COMMAND_SECONDS: Final = 600
SERVICE_LABEL: Final = "com.docker.compose.service"
PROJECT_LABEL: Final = "com.docker.compose.project"


class ComposeFailed(TemporaryError):
    """A Compose command has ended with an error; the message has what it said."""


@dataclass(frozen=True, slots=True)
class Project:
    """Containers of docker-compose.yml in an engine."""

    engine: Engine
    name: str
    port: int
    admin_token: str
    auth_token: str
    secret_key: str

    @classmethod
    def new(cls, engine: Engine) -> "Project":
        """A project that no other one on this engine touches."""
        name = f"dialstream-check-{os.getpid()}"
        return cls(engine, name, free_port(), *(secrets.token_hex(32) for _ in range(3)))

    @property
    def url(self) -> str:
        """The address of campaign-api for this machine."""
        return f"http://{LOCALHOST}:{self.port}"

    def run(self, *arguments: str) -> str:
        """The output of `docker compose ARGUMENTS`. Raises ComposeFailed, with the error's text."""
        try:
            done = subprocess.run(
                self.command(*arguments),
                cwd=REPOSITORY,
                env=self.environment,
                capture_output=True,
                text=True,
                timeout=COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise ComposeFailed(f"docker compose {' '.join(arguments)} has not ended: {late}") from late
        if done.returncode != 0:
            raise ComposeFailed(f"docker compose {' '.join(arguments)}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
        return done.stdout

    @contextmanager
    def running(self, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        """A Compose command while it runs, its output as text in a pipe; ended with the block."""
        with subprocess.Popen(
            self.command(*arguments),
            cwd=REPOSITORY,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.terminate()

    def command(self, *arguments: str) -> list[str]:
        """The whole command. Secrets and port are this project's; what else an `.env` sets, services get."""
        compose = [*self.engine.compose, "--file", str(COMPOSE_FILE), "--project-name", self.name]
        return [*compose, "--env-file", "/dev/null", "--progress", "plain", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """The variables of Compose's own process."""
        neutral = {name: value for name, value in self.engine.environment.items() if not name.startswith(PREFIX)}
        return {
            **neutral,
            "DIALSTREAM_ADMIN_TOKEN": self.admin_token,
            "DIALSTREAM_TWILIO_AUTH_TOKEN": self.auth_token,
            "DIALSTREAM_SECRET_KEY": self.secret_key,
            "DIALSTREAM_PUBLISHED_PORT": str(self.port),
        }

    @property
    def image(self) -> str:
        """The name of the image that is built here."""
        [built] = [service for service in self.configuration()["services"].values() if "build" in service]
        return str(built["image"])

    def containers(self, service: str | None = None) -> list[Container]:
        """All of the project, stopped ones too, or those of one service, by name."""
        labels = [f"{PROJECT_LABEL}={self.name}", *([f"{SERVICE_LABEL}={service}"] if service else [])]
        found = self.engine.client.containers.list(all=True, filters={"label": labels})
        return sorted(found, key=lambda container: str(container.name))

    def configuration(self) -> dict[str, Any]:
        """The file as Compose reads it."""
        read: dict[str, Any] = json.loads(self.run("config", "--format", "json"))
        return read
