"""Containers of the tests go with the process that owns them; only where the tests run in containers."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator

import pytest
from docker.client import DockerClient

from tests.container_owner import LABEL, ROOT, remove_orphans
from tests.eventually import eventually
from tests.servers import Place, image_of

pytestmark = pytest.mark.skipif(
    Place.by(os.environ) is not Place.DOCKER, reason="DIALSTREAM_TEST_SERVERS does not say docker"
)

# Kafka is given, though none is there: MongoDB alone is started.
OWNER = """
import asyncio
from deploy.local.servers import Given
from tests.container_owner import name_of_this_process
from tests.servers import containers

async def main():
    async with containers(Given(kafka="127.0.0.1:1")):
        print(name_of_this_process(), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def client() -> Iterator[DockerClient]:
    with contextlib.closing(DockerClient.from_env()) as client:
        yield client


async def test_containers_go_when_their_owner_is_killed(client: DockerClient) -> None:
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", OWNER, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert owner.stdout is not None
    name = (await owner.stdout.readline()).decode().strip()
    labelled = {"label": f"{LABEL}={name}"}
    assert [container.image.tags for container in client.containers.list(filters=labelled)] == [[image_of("mongodb")]]
    owner.kill()
    await owner.wait()
    await eventually(lambda: not client.containers.list(all=True, filters=labelled), timeout=30, saying="all are gone")


async def test_containers_whose_owner_and_watcher_are_gone_are_removed_at_the_next_start(client: DockerClient) -> None:
    image = image_of("mongodb")
    owned = [f"{os.uname().nodename}/{os.getpid()}/1.00", f"elsewhere/{os.getpid()}/1.00"]
    orphan, foreign = (client.containers.create(image, labels={LABEL: owner}) for owner in owned)
    try:
        remove_orphans()
        left = {container.id for container in client.containers.list(all=True, filters={"label": LABEL})}
        assert orphan.id not in left
        assert foreign.id in left
    finally:
        foreign.remove(v=True)
