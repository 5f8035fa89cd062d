"""A real Prometheus for tests: the one on the PATH, else Debian's package, unpacked beside the downloads."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
import yaml

from deploy.local.home import LOCALHOST, Home, free_port, make_folder
from tests.eventually import eventually

PACKAGE: Final = "prometheus"
FETCH_SECONDS: Final = 300
SCRAPE_SECONDS: Final = 1


def tool(name: str) -> Path:
    """`prometheus` or `promtool`. Skips the test where there is none and Debian's cannot be had."""
    on_path = shutil.which(name)
    if on_path is not None:
        return Path(on_path)
    unpacked = Home.default().downloads / PACKAGE
    if not unpacked.is_dir():
        _fetch(unpacked)
    return unpacked / "usr" / "bin" / name


def _fetch(target: Path) -> None:
    if shutil.which("apt-get") is None:
        pytest.skip("no prometheus on the PATH, and no Debian to have one from")
    make_folder(target.parent)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        got = _run("apt-get", "download", PACKAGE, folder=folder)
        if got.returncode != 0 and os.geteuid() == 0:
            _run("apt-get", "update", "-qq", folder=folder)
            got = _run("apt-get", "download", PACKAGE, folder=folder)
        if got.returncode != 0:
            pytest.skip(f"no prometheus on the PATH, and Debian's cannot be had: {got.stderr}")
        [package] = Path(folder).glob("*.deb")
        half = Path(folder) / "unpacked"
        assert _run("dpkg-deb", "--extract", str(package), str(half), folder=folder).returncode == 0
        with contextlib.suppress(OSError):  # somebody else was faster
            half.rename(target)


def _run(*command: str, folder: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running one."""

    session: aiohttp.ClientSession
    url: str

    async def is_ready(self) -> bool:
        """Whether it answers queries."""
        try:
            async with self.session.get(f"{self.url}/-/ready") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def ask(self, expression: str) -> list[dict[str, Any]]:
        """The answer of an instant query. Fails the test when Prometheus does not understand it."""
        async with self.session.get(f"{self.url}/api/v1/query", params={"query": expression}) as answer:
            body = await answer.json()
        assert body["status"] == "success", f"{expression}: {body.get('error')}"
        result: list[dict[str, Any]] = body["data"]["result"]
        return result


@contextlib.asynccontextmanager
async def scraping(targets: Iterable[str], folder: Path) -> AsyncIterator[Prometheus]:
    """A Prometheus that scrapes these addresses (host:port) each second as the job `dialstream`."""
    job = {"job_name": "dialstream", "static_configs": [{"targets": list(targets)}]}
    configuration = folder / "prometheus.yaml"
    times = {"scrape_interval": f"{SCRAPE_SECONDS}s", "scrape_timeout": f"{SCRAPE_SECONDS}s"}
    configuration.write_text(yaml.safe_dump({"global": times, "scrape_configs": [job]}))
    address = f"{LOCALHOST}:{free_port()}"
    log = folder / "prometheus.log"
    with log.open("w") as file:
        process = await asyncio.create_subprocess_exec(
            *(tool("prometheus"), f"--config.file={configuration}", f"--web.listen-address={address}"),
            f"--storage.tsdb.path={folder / 'data'}",
            stdout=file,
            stderr=file,
        )
    try:
        async with aiohttp.ClientSession() as session:
            prometheus = Prometheus(session, f"http://{address}")
            await eventually(prometheus.is_ready, timeout=60, saying=f"Prometheus at {address}, log in {log},")
            yield prometheus
    finally:
        process.terminate()
        await process.wait()
