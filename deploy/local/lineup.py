"""Which processes make up a whole Dialstream on one machine, and the environment each of them gets."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.credentials import Credentials
from deploy.local.home import LOCALHOST, free_port
from deploy.local.servers import Addresses

PREFIX: Final = "DIALSTREAM_"
# Services that have no use for stored secrets.
READ_NO_SECRETS: Final = frozenset({"carrier_simulator", "contact_ingest", "console"})
REPOSITORY: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Member:
    """One service process."""

    name: str
    module: str
    port: int
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        """Where its HTTP pages are."""
        return f"http://{LOCALHOST}:{self.port}"

    @property
    def command(self) -> list[str]:
        """What runs it, in the repository's folder."""
        return [sys.executable, "-m", self.module]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many processes of each service."""

    apis: int = 1
    ingests: int = 1
    schedulers: int = 1
    executors: int = 1
    senders: int = 1
    # Calls go on without one: only those who look at its pages start it.
    consoles: int = 0


ONE_OF_EACH: Final = Counts()


@dataclass(frozen=True, slots=True)
class Lineup:
    """All of them."""

    carrier: Member
    apis: tuple[Member, ...]
    ingests: tuple[Member, ...]
    schedulers: tuple[Member, ...]
    executors: tuple[Member, ...]
    senders: tuple[Member, ...]
    consoles: tuple[Member, ...]

    @property
    def api(self) -> Member:
        """The one whose address is given out."""
        return self.apis[0]

    @property
    def members(self) -> tuple[Member, ...]:
        """In the order in which they start."""
        workers = (*self.ingests, *self.schedulers, *self.executors, *self.senders)
        return (self.carrier, *self.apis, *workers, *self.consoles)


def build_lineup(
    addresses: Addresses,
    credentials: Credentials,
    counts: Counts = ONE_OF_EACH,
    *,
    api_port: int | None = None,
    settings: Mapping[str, str] | None = None,
    own: Mapping[str, Mapping[str, str]] | None = None,
    instead: Mapping[str, str] | None = None,
) -> Lineup:
    """A line-up on free ports. `settings` are more variables for all members; addresses and keys win over them.

    `own`: variables of single members, by name, that win over everything. `instead`: modules that run single members,
    by name, in the place of their service's own, `tests.chaos.in_process_executor` for example.
    """
    carrier_port, free_api_port, *others = free_ports(
        1 + counts.apis + counts.ingests + counts.schedulers + counts.executors + counts.senders + counts.consoles
    )
    api_port = api_port or free_api_port
    ports = iter([api_port, *others])
    carrier_url = f"http://{LOCALHOST}:{carrier_port}"
    shared = {
        **{name: value for name, value in os.environ.items() if not name.startswith(PREFIX)},
        # Receivers of a machine's own are what webhooks are tried with there.
        "DIALSTREAM_WEBHOOK_PRIVATE_ADDRESSES": "true",
        **(settings or {}),
        **addresses.environment,
        **credentials.environment,
        "DIALSTREAM_HTTP_HOST": LOCALHOST,
        "DIALSTREAM_CONSOLE_API_URL": f"http://{LOCALHOST}:{api_port}",
        # Only ever the simulated carrier: nobody's phone must ring because of a demo.
        "DIALSTREAM_TELEPHONY_PROVIDER": "twilio",
        "DIALSTREAM_TWILIO_BASE_URL": carrier_url,
        "DIALSTREAM_TWILIO_ANSWER_URL": f"{carrier_url}/answer",
        "DIALSTREAM_CALLBACK_BASE_URL": f"http://{LOCALHOST}:{api_port}",
    }

    def member(name: str, module: str, port: int) -> Member:
        environment = {**shared, "DIALSTREAM_HTTP_PORT": str(port), "DIALSTREAM_INSTANCE": name}
        if module != "campaign_api":
            del environment["DIALSTREAM_ADMIN_TOKEN"]
        if module in READ_NO_SECRETS:
            del environment["DIALSTREAM_SECRET_KEY"]
        run_by = (instead or {}).get(name, f"services.{module}")
        return Member(name, run_by, port, {**environment, **(own or {}).get(name, {})})

    def members(name: str, module: str, count: int) -> tuple[Member, ...]:
        return tuple(member(f"{name}-{n}", module, next(ports)) for n in range(count))

    return Lineup(
        carrier=member("carrier-simulator", "carrier_simulator", carrier_port),
        apis=members("campaign-api", "campaign_api", counts.apis),
        ingests=members("contact-ingest", "contact_ingest", counts.ingests),
        schedulers=members("scheduler", "scheduler", counts.schedulers),
        executors=members("executor", "call_executor", counts.executors),
        senders=members("webhook-sender", "webhook_sender", counts.senders),
        consoles=members("console", "console", counts.consoles),
    )


def free_ports(count: int) -> list[int]:
    """So many different TCP ports on which no process listens."""
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return list(ports)
