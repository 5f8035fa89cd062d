"""How every service starts, or says why it does not: settings, misspelt names, a taken port."""

import asyncio
import json
import os
import socket
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.local.home import LOCALHOST
from deploy.local.servers import Addresses
from shared.store.client import Store
from shared.store.migrations.schema import VERSION
from tests.eventually import PATIENCE

SERVICES = (
    "campaign_api",
    "contact_ingest",
    "scheduler",
    "call_executor",
    "webhook_sender",
    "console",
    "carrier_simulator",
)
ACCOUNT = {
    "DIALSTREAM_SECRET_KEY": "x" * 32,
    "DIALSTREAM_TWILIO_ACCOUNT_SID": "AC0",
    "DIALSTREAM_TWILIO_AUTH_TOKEN": "token",
    "DIALSTREAM_TWILIO_BASE_URL": "http://127.0.0.1:1",
    "DIALSTREAM_TWILIO_ANSWER_URL": "http://127.0.0.1:1/answer",
    "DIALSTREAM_CALLBACK_BASE_URL": "http://127.0.0.1:1",
}
NO_KAFKA = {"DIALSTREAM_KAFKA": "127.0.0.1:1", "DIALSTREAM_START_DEADLINE_SECONDS": "0.2"}


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.create_server((LOCALHOST, 0)) as other:
        port: int = other.getsockname()[1]
        yield port


async def ended(service: str, variables: dict[str, str]) -> tuple[int | None, str]:
    """The exit code of a service that ends by itself, and what it said."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("DIALSTREAM_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"services.{service}",
        env={**others, **ACCOUNT, **variables},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await asyncio.wait_for(process.communicate(), PATIENCE * 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, said.decode()


def log_lines(said: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.splitlines()]


@pytest.mark.parametrize("service", SERVICES)
async def test_settings_that_cannot_work_are_refused_with_a_sentence_each(service: str) -> None:
    wrong = {
        "DIALSTREAM_LOG_LEVEL": "LOUD",
        "DIALSTREAM_HTTP_PORT": "70000",
        "DIALSTREAM_START_DEADLINE_SECONDS": "inf",
    }
    code, said = await ended(service, wrong)
    assert code == 2
    assert said.splitlines() == [
        f"{service.replace('_', '-')} does not start because of its settings:",
        "DIALSTREAM_START_DEADLINE_SECONDS must be a finite number, and is 'inf'",
        "DIALSTREAM_LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR, and is 'LOUD'",
        "DIALSTREAM_HTTP_PORT must be less than or equal to 65535, and is '70000'",
    ]


@pytest.mark.parametrize("service", ["campaign_api", "contact_ingest", "scheduler", "call_executor", "webhook_sender"])
async def test_documents_of_a_newer_release_are_refused(
    service: str, servers: Addresses, topic_prefix: str, store: Store
) -> None:
    await store["schema"].update_one({"_id": "database"}, {"$set": {"version": VERSION + 1}})
    here = {
        **servers.environment,
        "DIALSTREAM_TOPIC_PREFIX": topic_prefix,
        "DIALSTREAM_MONGODB_DATABASE": store.db.name,
        "DIALSTREAM_HTTP_PORT": "0",
    }
    code, said = await ended(service, here)
    assert code == 2, said
    assert "run the newer release that has migrated them" in log_lines(said)[-1]["why"]


@pytest.mark.parametrize("service", SERVICES)
async def test_a_port_that_another_program_has_is_named(
    service: str, servers: Addresses, topic_prefix: str, taken_port: int
) -> None:
    here = {
        **servers.environment,
        "DIALSTREAM_TOPIC_PREFIX": topic_prefix,
        "DIALSTREAM_MONGODB_DATABASE": f"test_{uuid.uuid4().hex}",
        "DIALSTREAM_HTTP_PORT": str(taken_port),
    }
    code, said = await ended(service, here)
    assert code == 2, said
    last = log_lines(said)[-1]
    assert last["why"] == (
        f"port {taken_port} of 127.0.0.1 cannot be listened on, because another process has it: "
        f"set DIALSTREAM_HTTP_PORT ({taken_port}) to a free port, or to 0 for any"
    )


@pytest.mark.parametrize("service", ["contact_ingest", "campaign_api", "carrier_simulator"])
async def test_an_address_of_another_machine_is_named(service: str, servers: Addresses, topic_prefix: str) -> None:
    here = {
        **servers.environment,
        "DIALSTREAM_TOPIC_PREFIX": topic_prefix,
        "DIALSTREAM_MONGODB_DATABASE": f"test_{uuid.uuid4().hex}",
        "DIALSTREAM_HTTP_HOST": "192.0.2.1",
    }
    code, said = await ended(service, here)
    assert code == 2, said
    assert "set DIALSTREAM_HTTP_HOST (192.0.2.1) to one that is" in log_lines(said)[-1]["why"]


@pytest.mark.parametrize("service", ["campaign_api", "contact_ingest", "scheduler", "call_executor", "webhook_sender"])
async def test_a_misspelt_name_is_a_warning_at_the_start_of_every_service(
    service: str, store: Store, mongodb_address: str
) -> None:
    others = {
        "DIALSTREAM_MONGODB": mongodb_address,
        "DIALSTREAM_MONGODB_DATABASE": store.db.name,
        "DIALSTREAM_SIMULATOR_SEED": "1",
        "DIALSTREAM_URL": "http://127.0.0.1:8000",
        "DIALSTREAM_INGEST_MAX_BATCHES": "2",
    }
    code, said = await ended(service, {**NO_KAFKA, **others, "DIALSTREAM_RING_SECOND": "900"})
    assert code == 1
    warnings = [line for line in log_lines(said) if line["event"] == "look at the settings"]
    assert [(line["level"], line["why"]) for line in warnings] == [
        (
            "warning",
            "DIALSTREAM_RING_SECOND is no setting of Dialstream and changes nothing; "
            "did you mean DIALSTREAM_RING_SECONDS?",
        )
    ]
    assert log_lines(said)[0] == warnings[0]


@pytest.mark.parametrize("service", ["scheduler", "call_executor"])
async def test_a_provider_that_is_not_there_is_refused_like_every_setting(
    service: str, servers: Addresses, topic_prefix: str
) -> None:
    here = {
        **servers.environment,
        "DIALSTREAM_TOPIC_PREFIX": topic_prefix,
        "DIALSTREAM_MONGODB_DATABASE": f"test_{uuid.uuid4().hex}",
        "DIALSTREAM_TELEPHONY_PROVIDER": "pigeon",
    }
    code, said = await ended(service, here)
    assert code == 2
    assert log_lines(said)[-1]["why"] == (
        "DIALSTREAM_TELEPHONY_PROVIDER must be `twilio` or `scripted`, and is 'pigeon'"
    )
