"""Where the tests' Kafka and MongoDB come from: the environment, else Docker, else the local stack."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator

import yaml
from docker.client import DockerClient
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer

from deploy.local import kafka, mongo
from deploy.local.home import Home, free_port
from deploy.local.servers import Addresses, Given, borrowed_servers

START_SECONDS = 120.0
DEFAULT_DOCKER_HOST = "unix:///var/run/docker.sock"


@contextlib.asynccontextmanager
async def servers_for_tests() -> AsyncIterator[Addresses]:
    """Addresses of servers that serve, for as long as the block runs."""
    given = Given.by(os.environ, Home.default())
    if given.complete is None and await asyncio.to_thread(docker_answers):
        async with containers(given) as addresses:
            yield addresses
    else:
        async with borrowed_servers(Home.default(), given) as addresses:
            yield addresses


def docker_answers() -> bool:
    """Whether there is a Docker engine that we may use."""
    host = os.environ.get("DOCKER_HOST", DEFAULT_DOCKER_HOST)
    # Looked at first, because Docker's client leaks its socket when nobody listens.
    if host.startswith("unix://") and not _accepts(host.removeprefix("unix://")):
        return False
    try:
        with contextlib.closing(DockerClient.from_env(timeout=5)) as client:
            return bool(client.ping())
    except DockerException:
        return False


def _accepts(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
        return True


@contextlib.asynccontextmanager
async def containers(given: Given) -> AsyncIterator[Addresses]:
    """Servers in Docker, of the same images as docker-compose.yml, removed afterwards."""
    async with contextlib.AsyncExitStack() as stack:
        kafka_address = given.kafka or await _start_kafka(stack)
        mongodb_address = given.mongodb or await _start_mongodb(stack)
        yield Addresses(kafka_address, mongodb_address)


async def _start_kafka(stack: contextlib.AsyncExitStack) -> str:
    # A fixed port, because Kafka must know before it starts under which address clients will reach it.
    port = free_port()
    container = kafka_container(port)
    host = await _start(stack, container)
    address = f"{host}:{port}"
    await kafka.wait_until_serving(address, START_SECONDS)
    return address


def kafka_container(port: int) -> DockerContainer:
    """One Kafka node that clients reach on `port` of the Docker host."""
    settings = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "PLAINTEXT",
        "KAFKA_LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:9093",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    }
    container = DockerContainer(image_of("kafka")).with_bind_ports(port, port)
    settings["KAFKA_ADVERTISED_LISTENERS"] = f"PLAINTEXT://{container.get_docker_client().host()}:{port}"
    return container.with_envs(**settings)


async def _start_mongodb(stack: contextlib.AsyncExitStack) -> str:
    # testcontainers' own MongoDB container is never a replica set, and transactions need one.
    container = DockerContainer(image_of("mongodb")).with_exposed_ports(27017)
    lifetime = f"transactionLifetimeLimitSeconds={mongo.TRANSACTION_SECONDS}"
    container.with_command(f"mongod --replSet {mongo.REPLICA_SET} --bind_ip_all --setParameter {lifetime}")
    host = await _start(stack, container)
    port = int(container.get_exposed_port(27017))
    await mongo.become_primary(host, port, "localhost:27017", START_SECONDS)
    return mongo.address_of(port, host)


async def _start(stack: contextlib.AsyncExitStack, container: DockerContainer) -> str:
    await asyncio.to_thread(container.start)
    stack.push_async_callback(asyncio.to_thread, container.stop)
    return str(container.get_container_host_ip())


def image_of(service: str) -> str:
    """The pinned image of a service in docker-compose.yml."""
    compose = Home.default().root.parent / "docker-compose.yml"
    image: str = yaml.safe_load(compose.read_text())["services"][service]["image"]
    return image
