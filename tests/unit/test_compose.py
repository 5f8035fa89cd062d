"""docker-compose.yml and the image are right, as far as that can be seen without a Docker engine."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.env_example import settings_classes
from deploy.local.jars import KAFKA_VERSION
from shared.domain.unknown_names import PREFIX

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
OUR_OWN = {"campaign-api", "contact-ingest", "scheduler", "call-executor", "carrier-simulator"}
ONE_SHOTS = {"create-topics", "migrate"}
PINNED = re.compile(r"^[a-z/]+:\d+\.\d+\.\d+(-[a-z]+)*$")


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def substituted(value: str) -> str:
    """A value with Compose's `${NAME:-default}` and `${NAME:?message}` filled in."""
    return re.sub(r"\$\{\w+:([-?])([^}]*)}", lambda found: found[2] if found[1] == "-" else "set-by-the-user", value)


def test_it_follows_the_compose_schema() -> None:
    run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)


def test_all_processes_are_there() -> None:
    assert SERVICES.keys() == {"kafka", "mongodb"} | ONE_SHOTS | OUR_OWN


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned_or_built_here(name: str) -> None:
    service = SERVICES[name]
    if "build" in service:
        assert (ROOT / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    else:
        assert PINNED.match(service["image"])


def test_kafka_is_the_version_that_the_tests_run_on() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_only_for_what_can_come_true(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        if wait["condition"] == "service_healthy":
            assert "test" in SERVICES[other]["healthcheck"]
        else:
            assert wait["condition"] == "service_completed_successfully"
            # A one-shot that is always started again never completes.
            assert SERVICES[other]["restart"] in ("no", "on-failure")


@pytest.mark.parametrize("name", sorted(OUR_OWN))
def test_every_service_reports_when_it_is_ready(name: str) -> None:
    service = SERVICES[name]
    assert "/health/ready" in service["healthcheck"]["test"][-1]
    assert f":{service['environment']['DIALSTREAM_HTTP_PORT']}/" in service["healthcheck"]["test"][-1]


@pytest.mark.parametrize("name", sorted(OUR_OWN | ONE_SHOTS))
def test_commands_are_modules_of_this_repository(name: str) -> None:
    python, option, module = SERVICES[name]["command"]
    assert (python, option) == ("python", "-m")
    main = importlib.util.find_spec(f"{module}.__main__" if module.startswith("services.") else module)
    assert main is not None


@pytest.mark.parametrize("name", sorted(OUR_OWN | ONE_SHOTS))
def test_the_environment_has_only_settings_that_exist(name: str) -> None:
    known = {PREFIX + field.upper() for settings in settings_classes() for field in settings.model_fields}
    assert SERVICES[name]["environment"].keys() <= known


@pytest.mark.parametrize("name", sorted(OUR_OWN))
def test_a_service_accepts_its_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = f"services.{name.replace('-', '_')}.settings"
    own = [settings for settings in settings_classes() if settings.__module__ == module]
    for variable, value in SERVICES[name]["environment"].items():
        monkeypatch.setenv(variable, substituted(value))
    assert [settings() for settings in own] != []


def copies() -> list[tuple[list[str], str]]:
    """What the image takes from the repository: sources and target of each COPY."""
    lines = [line.split()[1:] for line in DOCKERFILE.read_text().splitlines() if line.startswith("COPY ")]
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
    modules = [service["command"][2] for service in SERVICES.values() if "build" in service]
    mains = [f"{module}.__main__" if module.startswith("services.") else module for module in modules]
    # The operator's command of the runbook.
    mains.append("deploy.replay")
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
