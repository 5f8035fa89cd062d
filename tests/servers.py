"""The tests' Kafka and MongoDB: given addresses, else the local stack, or containers when asked for."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

import yaml
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from deploy.local import kafka, mongo
from deploy.local.home import LOCALHOST, Home, free_port
from deploy.local.servers import Addresses, Given, borrowed_servers
from tests.container_owner import LABEL, name_of_this_process, remove_orphans, watched

VARIABLE: Final = "DIALSTREAM_TEST_SERVERS"
START_SECONDS: Final = 120.0
# Its helper, which removes containers of dead owners, is one more image to pull; tests/container_owner.py does that.
testcontainers_config.ryuk_disabled = True


class Place(StrEnum):
    """The place in which servers that are not given are started."""

    LOCAL = "local"
    DOCKER = "docker"

    @classmethod
    def by(cls, environment: Mapping[str, str]) -> "Place":
        """The place that DIALSTREAM_TEST_SERVERS names, never an engine that happens to answer. Raises ValueError."""
        said = environment.get(VARIABLE) or cls.LOCAL
        if said not in set(cls):
            raise ValueError(f"{VARIABLE} ({said}) must be one of {', '.join(cls)}")
        return cls(said)


@contextlib.asynccontextmanager
async def servers_for_tests() -> AsyncIterator[Addresses]:
    """Addresses of servers that serve, for as long as the block runs. Addresses in the environment win."""
    given = Given.by(os.environ, Home.default())
    if given.complete is None and Place.by(os.environ) is Place.DOCKER:
        async with containers(given) as addresses:
            yield addresses
    else:
        async with borrowed_servers(Home.default(), given) as addresses:
            yield addresses


@contextlib.asynccontextmanager
async def containers(given: Given) -> AsyncIterator[Addresses]:
    """Servers in Docker, of the same images as docker-compose.yml, removed afterwards."""
    owner = name_of_this_process()
    await asyncio.to_thread(remove_orphans)
    with watched(owner):
        kafka_address = given.kafka or await _start_kafka(owner)
        mongodb_address = given.mongodb or await _start_mongodb(owner)
        yield Addresses(kafka_address, mongodb_address)


async def _start_kafka(owner: str) -> str:
    # A fixed port, because Kafka must know before it starts under which address clients will reach it.
    port = free_port()
    await _start(kafka_container(port), owner)
    address = f"{engine_host(os.environ)}:{port}"
    await kafka.wait_until_serving(address, START_SECONDS)
    return address


def kafka_container(port: int) -> DockerContainer:
    """One Kafka node that clients reach on `port` of the Docker host."""
    settings = {
        "CLUSTER_ID": "dialstreamintests00000",
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "PLAINTEXT",
        "KAFKA_LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:9093",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_LOG_DIRS": "/var/lib/kafka/data",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_GROUP_COORDINATOR_APPEND_LINGER_MS": "0",
        "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
        "KAFKA_BROKER_SESSION_TIMEOUT_MS": "1500",
        "KAFKA_BROKER_HEARTBEAT_INTERVAL_MS": "200",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        # As the local stack: the tests' topics come and go by the hundred, and the cleaner's buffer is 128 MB.
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "4",
        "KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS": "2",
        "KAFKA_LOG_CLEANER_DEDUPE_BUFFER_SIZE": "4194304",
        "KAFKA_LOG_INDEX_SIZE_MAX_BYTES": "1048576",
        "KAFKA_LOG_SEGMENT_DELETE_DELAY_MS": "1000",
        "KAFKA_HEAP_OPTS": "-Xms64m -Xmx512m",
    }
    settings["KAFKA_ADVERTISED_LISTENERS"] = f"PLAINTEXT://{engine_host(os.environ)}:{port}"
    return _published(DockerContainer(image_of("kafka")), port, port).with_envs(**settings)


async def _start_mongodb(owner: str) -> str:
    # testcontainers' own MongoDB container is never a replica set, and transactions need one.
    host, port = engine_host(os.environ), free_port()
    container = _published(DockerContainer(image_of("mongodb")), 27017, port)
    lifetime = f"transactionLifetimeLimitSeconds={mongo.TRANSACTION_SECONDS}"
    container.with_command(f"mongod --replSet {mongo.REPLICA_SET} --bind_ip_all --setParameter {lifetime}")
    await _start(container, owner)
    await mongo.become_primary(host, port, "localhost:27017", START_SECONDS)
    return mongo.address_of(port, host)


def engine_host(environment: Mapping[str, str]) -> str:
    """The host at which tests reach published ports: this machine, or that of an engine elsewhere.

    TESTCONTAINERS_HOST_OVERRIDE wins, for tests that themselves run in a container beside those.
    """
    given = environment.get("TESTCONTAINERS_HOST_OVERRIDE")
    return given or urlsplit(environment.get("DOCKER_HOST", "")).hostname or LOCALHOST


def _published(container: DockerContainer, inside: int, outside: int) -> DockerContainer:
    """The container with a port published; on this machine alone where the tests run on the engine's machine."""
    here = engine_host(os.environ) == LOCALHOST
    # Docker's client takes an address, too; testcontainers hands it through and does not say so.
    ports: dict[Any, Any] = container.ports
    ports[inside] = (LOCALHOST, outside) if here else outside
    return container


async def _start(container: DockerContainer, owner: str) -> None:
    await asyncio.to_thread(container.with_kwargs(labels={LABEL: owner}).start)


def image_of(service: str) -> str:
    """The pinned image of a service in docker-compose.yml."""
    compose = Home.default().root.parent / "docker-compose.yml"
    image: str = yaml.safe_load(compose.read_text())["services"][service]["image"]
    return image
