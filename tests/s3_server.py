"""An S3 for tests: moto in this process, or a real server where `DIALSTREAM_TEST_S3` asks for it (`make s3-test`).

moto accepts bad signatures and expired URLs; versitygw (Apache-2.0) is built from its Go module, once, in some minutes.
"""

import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.request import Request, urlopen

from moto.server import ThreadedMotoServer

from deploy.local.home import LOCALHOST, Home, free_port
from shared.settings import FileSettings

VARIABLE: Final = "DIALSTREAM_TEST_S3"
VERSITYGW: Final = "v1.8.0"
ACCESS_KEY, SECRET_KEY = "access", "secret-of-the-tests"
BUILD_SECONDS: Final = 1800


def is_real() -> bool:
    """Whether the tests run against a server that looks at signatures and times."""
    return os.environ.get(VARIABLE, "") == "versitygw"


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """The endpoint of an S3 that keeps what it has in this folder, if anywhere."""
    with _versitygw(folder) if is_real() else _moto() as endpoint:
        yield endpoint


def settings_of(endpoint: str, bucket: str) -> FileSettings:
    """Settings for files in this bucket."""
    return FileSettings.model_validate(
        {
            "s3_bucket": bucket,
            "s3_endpoint": endpoint,
            "s3_access_key_id": ACCESS_KEY,
            "s3_secret_access_key": SECRET_KEY,
        }
    )


@contextmanager
def _moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address=LOCALHOST, port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextmanager
def _versitygw(folder: Path) -> Iterator[str]:
    port, admin = free_port(), {"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}
    meta, data = folder / "meta", folder / "data"
    meta.mkdir(parents=True)
    data.mkdir()
    # File systems of containers often have no attributes, in which it would keep what it knows of objects.
    command = [str(_binary()), "--port", f"{LOCALHOST}:{port}", "--quiet", "posix", "--sidecar", str(meta), str(data)]
    with subprocess.Popen(command, env={**os.environ, **admin}, stdout=subprocess.DEVNULL) as process:
        try:
            _wait_for(f"http://{LOCALHOST}:{port}", process)
            yield f"http://{LOCALHOST}:{port}"
        finally:
            process.terminate()


def new_bucket(endpoint: str, folder: Path) -> str:
    """A new, empty bucket of the server at this endpoint."""
    name = f"files-{uuid.uuid4().hex[:12]}"
    if is_real():
        (folder / "data" / name).mkdir()
    else:
        with urlopen(Request(f"{endpoint}/{name}", method="PUT")):
            pass
    return name


def _binary() -> Path:
    on_path = shutil.which("versitygw")
    if on_path is not None:
        return Path(on_path)
    kept = Home.default().downloads / f"versitygw-{VERSITYGW}"
    if not (kept / "versitygw").is_file():
        module = f"github.com/versity/versitygw/cmd/versitygw@{VERSITYGW}"
        subprocess.run(
            ["go", "install", module], env={**os.environ, "GOBIN": str(kept)}, timeout=BUILD_SECONDS, check=True
        )
    return kept / "versitygw"


def _wait_for(endpoint: str, process: subprocess.Popen[bytes]) -> None:
    last = time.monotonic() + 30
    while time.monotonic() < last and process.poll() is None:
        try:
            with urlopen(f"{endpoint}/", timeout=1):
                return
        except OSError as error:
            if getattr(error, "code", None) is not None:
                return  # it answers, if only that it does not know us
            time.sleep(0.05)
    raise RuntimeError("versitygw does not answer")
