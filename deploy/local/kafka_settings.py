"""What our broker is told: settings, logging, JVM flags."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from deploy.local.home import LOCALHOST
from shared.topics import TOPICS

CLUSTER_ID: Final = "dialstreamlocalstack00"

JVM_FLAGS: Final = (
    "-Xms64m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    # Compiles fast rather than well: start 1.1 -> 0.8 s, and no difference in messages a second.
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
)

LOGGING: Final = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c: %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""


@dataclass(frozen=True, slots=True)
class Seat:
    """A node's place in its cluster: its number, and the port of each node's controller by number."""

    number: int
    controllers: Mapping[int, int]

    @property
    def copies(self) -> int:
        """How many nodes hold each partition."""
        return min(3, len(self.controllers))


def properties(data: str, port: int, seat: Seat, lines: Mapping[int, int] | None = None) -> str:
    """server.properties of a KRaft node on this machine that is broker and controller.

    `data`: its data folder, in plain letters from the folder in which it is started.
    `lines`: more ports to listen on, each with the port at which its clients reach it, a proxy's for example.
    """
    lines = lines or {}
    names = {listener: f"LINE{n}" for n, listener in enumerate(lines)}
    listeners = [f",{name}://{LOCALHOST}:{listener}" for listener, name in names.items()]
    advertised = [f",{name}://{LOCALHOST}:{lines[listener]}" for listener, name in names.items()]
    protocols = [f",{name}:PLAINTEXT" for name in names.values()]
    controller_port = seat.controllers[seat.number]
    voters = ",".join(f"{number}@{LOCALHOST}:{its_port}" for number, its_port in seat.controllers.items())
    largest_message = max(topic.max_message_bytes for topic in TOPICS) + 64 * 1024
    settings = {
        "process.roles": "broker,controller",
        "node.id": seat.number,
        "controller.quorum.voters": voters,
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listeners": f"PLAINTEXT://{LOCALHOST}:{port},CONTROLLER://{LOCALHOST}:{controller_port}{''.join(listeners)}",
        "advertised.listeners": f"PLAINTEXT://{LOCALHOST}:{port}{''.join(advertised)}",
        "listener.security.protocol.map": f"PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT{''.join(protocols)}",
        "log.dirs": data,
        "auto.create.topics.enable": "false",
        "message.max.bytes": largest_message,
        # Latency: nobody waits for members that may still come, or for a fuller batch of commits.
        "group.initial.rebalance.delay.ms": 0,
        "group.coordinator.append.linger.ms": 0,
        "group.min.session.timeout.ms": 1000,
        # A restart after kill -9 waits for its own old registration to run out: 11 s by default.
        "broker.session.timeout.ms": 1500,
        "broker.heartbeat.interval.ms": 200,
        # One node, one machine, little memory (the cleaner's default buffer alone is 128 MB).
        "num.network.threads": 2,
        "num.io.threads": 2,
        "background.threads": 2,
        "num.recovery.threads.per.data.dir": 2,
        "log.cleaner.dedupe.buffer.size": 4 * 1024 * 1024,
        "log.index.size.max.bytes": 1024 * 1024,
        "log.segment.bytes": 256 * 1024 * 1024,
        "log.segment.delete.delay.ms": 1000,
        "offsets.topic.num.partitions": 4,
        # Of three nodes one may be lost without losing an acknowledged message or standing still.
        "min.insync.replicas": max(1, seat.copies - 1),
        "offsets.topic.replication.factor": seat.copies,
        "transaction.state.log.num.partitions": 2,
        "transaction.state.log.replication.factor": seat.copies,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 1,
        "share.coordinator.state.topic.replication.factor": seat.copies,
        "share.coordinator.state.topic.min.isr": 1,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())
