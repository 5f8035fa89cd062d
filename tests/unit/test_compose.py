"""docker-compose.yml and the image are right, as far as it can be seen without an engine."""

import asyncio
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from deploy.env_example import settings_classes
from deploy.local.home import free_port
from deploy.local.jars import KAFKA_VERSION
from shared.domain.unknown_names import PREFIX

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
OUR_OWN = {
    "campaign-api",
    "contact-ingest",
    "scheduler",
    "call-executor",
    "webhook-sender",
    "console",
    "carrier-simulator",
}
ONE_SHOT = {"prepare", "migrate", "demo"}
OURS = sorted(OUR_OWN | ONE_SHOT)
# Long enough for a key.
SET_BY_THE_USER = "set-by-the-user-0123456789abcdef0123456789"
PINNED = re.compile(r"^[a-z/]+:\d+\.\d+\.\d+(-[a-z]+)*$")


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def substituted(value: str) -> str:
    """A value with Compose's `${NAME:-default}` and `${NAME:?message}` filled in."""
    return re.sub(r"\$\{\w+:([-?])([^}]*)}", lambda found: found[2] if found[1] == "-" else SET_BY_THE_USER, value)


def test_it_follows_the_compose_schema() -> None:
    run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)


def test_all_processes_are_there() -> None:
    assert SERVICES.keys() == {"kafka", "mongodb"} | ONE_SHOT | OUR_OWN


def test_images_are_pinned_or_built_here_once() -> None:
    [built] = [service for service in SERVICES.values() if "build" in service]
    assert (ROOT / built["build"]["context"] / built["build"]["dockerfile"]).is_file()
    assert {name for name in SERVICES if SERVICES[name]["image"] == built["image"]} == set(OURS)
    assert [name for name in SERVICES if name not in OURS and not PINNED.match(SERVICES[name]["image"])] == []


def test_kafka_is_the_version_that_the_tests_run_on() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_only_for_what_can_come_true(name: str) -> None:
    needed = SERVICES[name].get("depends_on", {})
    # In the short form a service waits only for the other's start, which always comes.
    for other, wait in needed.items() if isinstance(needed, dict) else ():
        if wait["condition"] == "service_healthy":
            assert "test" in SERVICES[other]["healthcheck"]
        else:
            assert wait["condition"] == "service_completed_successfully"
            # A one-shot that is always started again never completes.
            assert SERVICES[other]["restart"].startswith(("no", "on-failure:"))


@pytest.mark.parametrize("name", sorted(OUR_OWN))
def test_every_service_reports_when_it_is_ready(name: str) -> None:
    service = SERVICES[name]
    assert "GET /health/ready " in service["healthcheck"]["test"][-1]
    assert f"/dev/tcp/127.0.0.1/{service['environment']['DIALSTREAM_HTTP_PORT']} " in service["healthcheck"]["test"][-1]


async def answered(check: list[str], port: int) -> int:
    """The exit code of a health check whose service listens on `port`."""
    script = check[-1].replace("8080", str(port)).replace("$$", "$")
    process = await asyncio.create_subprocess_exec(*check[1:-1], script, stderr=asyncio.subprocess.DEVNULL)
    return await process.wait()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
async def test_the_health_check_asks_the_service(status: int, healthy: bool) -> None:
    async def ready(_: web.Request) -> web.Response:
        return web.json_response({}, status=status)

    app = web.Application()
    app.router.add_get("/health/ready", ready)
    async with TestServer(app) as server:
        assert server.port is not None
        assert (await answered(SERVICES["scheduler"]["healthcheck"]["test"], server.port) == 0) is healthy


@pytest.mark.parametrize("name", ["scheduler", "kafka", "mongodb"])
async def test_the_health_check_fails_where_nothing_listens(name: str) -> None:
    check = SERVICES[name]["healthcheck"]["test"]
    listening = {"kafka": "9092", "mongodb": "27017"}.get(name, "8080")
    assert await answered([*check[:-1], check[-1].replace(listening, "8080")], free_port()) != 0


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_container_does_not_need_is_taken_from_it(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["logging"]["options"]["max-size"]


def test_nothing_is_published_but_api_and_console_on_this_machine() -> None:
    published = {name: SERVICES[name]["ports"] for name in SERVICES if "ports" in SERVICES[name]}
    assert published == {
        "campaign-api": ["${DIALSTREAM_PUBLISHED_ADDRESS:-127.0.0.1}:${DIALSTREAM_PUBLISHED_PORT:-8080}:8080"],
        "console": [
            "${DIALSTREAM_CONSOLE_PUBLISHED_ADDRESS:-127.0.0.1}:${DIALSTREAM_CONSOLE_PUBLISHED_PORT:-8081}:8080"
        ],
    }


def test_secrets_reach_only_those_that_need_them() -> None:
    def holders(secret: str) -> set[str]:
        # Every service reads `.env`, so one that has no use for a secret must blank it.
        return {name for name in OURS if SERVICES[name]["environment"].get(secret, "from .env")}

    assert holders("DIALSTREAM_ADMIN_TOKEN") == {"campaign-api", "demo"}
    assert holders("DIALSTREAM_TWILIO_AUTH_TOKEN") == OUR_OWN - {"contact-ingest", "webhook-sender", "console"}
    assert holders("DIALSTREAM_S3_SECRET_ACCESS_KEY") == {"campaign-api", "contact-ingest"}
    assert holders("DIALSTREAM_SECRET_KEY") == OUR_OWN - {"contact-ingest", "carrier-simulator", "console"}
    assert holders("DIALSTREAM_CONSOLE_SECRET") <= {"console"}


@pytest.mark.parametrize("name", OURS)
def test_commands_are_modules_of_this_repository(name: str) -> None:
    python, option, module = command_of(name)
    assert (python, option) == ("python", "-m")
    assert importlib.util.find_spec(main_of(module)) is not None


@pytest.mark.parametrize("name", OURS)
def test_the_environment_has_only_settings_that_exist(name: str) -> None:
    known = {PREFIX + field.upper() for settings in settings_classes() for field in settings.model_fields}
    # The demo is no service: it is told where campaign-api is.
    assert SERVICES[name]["environment"].keys() <= known | ({"DIALSTREAM_URL"} if name == "demo" else set())


@pytest.mark.parametrize("name", sorted(OUR_OWN))
def test_a_service_accepts_its_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = f"services.{name.replace('-', '_')}.settings"
    own = [settings for settings in settings_classes() if settings.__module__ == module]
    for variable, value in SERVICES[name]["environment"].items():
        monkeypatch.setenv(variable, substituted(value))
    assert [settings() for settings in own] != []


def command_of(name: str) -> list[str]:
    command: list[str] = SERVICES[name].get("entrypoint") or SERVICES[name]["command"]
    return command


def main_of(module: str) -> str:
    """What `python -m MODULE` runs."""
    found = importlib.util.find_spec(module)
    return f"{module}.__main__" if found is not None and found.submodule_search_locations else module


def copies() -> list[tuple[list[str], str]]:
    """What the image takes from the repository: sources and target of each COPY."""
    text = DOCKERFILE.read_text().replace("\\\n", "")
    lines = [line.split()[1:] for line in text.splitlines() if line.startswith("COPY ")]
    return [(sources, target) for *sources, target in lines]


def test_all_that_the_image_takes_reaches_the_builder() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*", "nothing reaches it but what is let in"
    let_in = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert let_in == {source for sources, _ in copies() for source in sources}


def test_the_image_has_all_that_its_commands_import(tmp_path: Path) -> None:
    for sources, target in copies():
        for source in sources:
            copy_as_docker_does(ROOT / source, tmp_path / target, into=target.endswith("/"))
    mains = [main_of(command_of(name)[2]) for name in OURS]
    # The operator's commands of the runbook.
    mains += ["deploy.replay", "deploy.create_topics"]
    run(sys.executable, "-c", f"import {', '.join(mains)}", cwd=tmp_path)


def copy_as_docker_does(source: Path, target: Path, *, into: bool) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        destination = target / source.name if into else target
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, destination)


def test_the_image_is_pinned_and_does_not_run_as_root() -> None:
    lines = DOCKERFILE.read_text().splitlines()
    assert [line.split()[1] for line in lines if line.startswith("FROM ") and not PINNED.match(line.split()[1])] == []
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users[-1:] not in ([], ["root"], ["0"])


def test_requirements_are_pinned_and_name_no_place() -> None:
    for requirements in (ROOT / "deploy").glob("requirements*.txt"):
        lines = [line for line in requirements.read_text().splitlines() if line and not line.lstrip().startswith("#")]
        assert [line for line in lines if not re.match(r"^[a-z0-9-]+==[^ ]+( ;.*)?$", line)] == []
