"""The safety and the cost of running containers, asked of the engine and not of the file."""

import re
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Final

from docker.models.containers import Container

from deploy.containers.project import SERVICE_LABEL, Project
from deploy.local.home import LOCALHOST
from shared.clock import monotonic

KEY_OF: Final = {
    "DIALSTREAM_ADMIN_TOKEN": frozenset({"campaign-api"}),
    "DIALSTREAM_TWILIO_AUTH_TOKEN": frozenset({"campaign-api", "scheduler", "call-executor", "carrier-simulator"}),
    "DIALSTREAM_SECRET_KEY": frozenset({"campaign-api", "scheduler", "call-executor", "webhook-sender"}),
}
PUBLISHED: Final = frozenset({"campaign-api", "console"})
SERVERS: Final = frozenset({"kafka", "mongodb"})
_UNNAMED: Final = re.compile("[0-9a-f]{64}")
NANOSECONDS: Final = 1_000_000_000


def faults(project: Project) -> list[str]:
    """The project's faults of safety, a sentence each: writable images, rights, limits, ports, secrets."""
    containers = project.containers()
    found = [f"{container.name} {fault}" for container in containers for fault in _faults_of(container)]
    images = {container.attrs["Image"] for container in containers if _service(container) not in SERVERS}
    return found if len(images) == 1 else [*found, f"our own containers run {len(images)} images instead of one"]


def _faults_of(container: Container) -> Iterator[str]:
    service, host, config = _service(container), container.attrs["HostConfig"], container.attrs["Config"]
    if not host["ReadonlyRootfs"]:
        yield "can write into its image"
    if host["CapDrop"] != ["ALL"] or host["CapAdd"] or host["Privileged"]:
        yield "has capabilities"
    if not any(option.startswith("no-new-privileges") for option in host["SecurityOpt"] or ()):
        yield "may gain privileges"
    if not host["Memory"]:
        yield "has no memory limit"
    # Unlike a named one it stays behind at each `down`.
    yield from (
        f"has a volume without a name at {mount['Destination']}"
        for mount in container.attrs["Mounts"]
        if mount["Type"] == "volume" and _UNNAMED.fullmatch(mount["Name"])
    )
    if "max-size" not in host["LogConfig"]["Config"]:
        yield "keeps its log for ever"
    if config["User"] in ("", "0", "root"):
        yield "runs as root"
    addresses = [binding["HostIp"] for bindings in (host["PortBindings"] or {}).values() for binding in bindings or ()]
    if addresses != ([LOCALHOST] if service in PUBLISHED else []):
        yield f"is published on {addresses}"
    environment = dict(entry.partition("=")[::2] for entry in config["Env"])
    yield from (
        f"has {name}" if environment.get(name) else f"lacks {name}"
        for name, services in KEY_OF.items()
        if bool(environment.get(name)) != (service in services)
    )


def idle_shares(project: Project, seconds: float) -> Mapping[str, float]:
    """CPU of each running container over so many seconds, as shares of one core, by the kernel's accounts."""
    running = [container for container in project.containers() if container.status == "running"]
    began, before = monotonic(), _cpu_seconds(running)
    threading.Event().wait(seconds)
    after, lasted = _cpu_seconds(running), monotonic() - began
    return {name: (after[name] - before[name]) / lasted for name in before}


def memory_bytes(project: Project) -> Mapping[str, int]:
    """Memory of each running container, caches of files included."""
    running = [container for container in project.containers() if container.status == "running"]
    return {str(container.name): int(_stats(container)["memory_stats"].get("usage", 0)) for container in running}


def _cpu_seconds(containers: list[Container]) -> dict[str, float]:
    return {
        str(container.name): _stats(container)["cpu_stats"]["cpu_usage"]["total_usage"] / NANOSECONDS
        for container in containers
    }


def _stats(container: Container) -> dict[str, Any]:
    taken: dict[str, Any] = container.client.api.stats(container.id, stream=False, one_shot=True)
    return taken


def _service(container: Container) -> str:
    return str(container.labels[SERVICE_LABEL])
