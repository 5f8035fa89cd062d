"""`dialstream ingest FILE --kafka`: contacts by `contact.batches` (docs/kafka-batches.md), and what became of them."""

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from dialstream_cli.client import Api, segment
from dialstream_cli.commands.contacts import progress
from dialstream_cli.credentials import ORGANIZATION
from dialstream_cli.faults import CommandFault, NotReachable, Refused, UsageFault
from dialstream_cli.output import AsJson, show_one
from dialstream_cli.rows import (
    SetAside,
    batches,
    check_writable,
    lines_of,
    parsed,
    set_aside_file,
    write_set_aside,
)
from dialstream_cli.session import customer, login_of

TOPIC: Final = "contact.batches"
MOST_REQUEST_BYTES: Final = 9 * 1024 * 1024
ASK_SECONDS: Final = 0.5
SHOWN: Final = ("batches", "inserted", "updated", "refused", "refused_rows")
_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class Message:
    """A batch as it is published: `rows` are the numbers of the file's rows in it."""

    batch_id: str
    key: bytes
    value: bytes
    rows: tuple[int, ...]


def ingest(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="NDJSON, a contact on each line.")],
    kafka: Annotated[str, typer.Option("--kafka", help="Bootstrap servers, host:port with commas.")],
    campaign: Annotated[str, typer.Option(help="The campaign's id or external_id.")] = "default",
    prefix: Annotated[str, typer.Option(help="DIALSTREAM_TOPIC_PREFIX of the installation.")] = "",
    refused: Annotated[Path | None, typer.Option(help="Where refused rows go; else FILE.refused.csv.")] = None,
    patience: Annotated[float, typer.Option(min=1, help="Seconds to wait for each result.")] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Publish contacts to Kafka, signed with the organization's key, and wait for what becomes of them.

    The same file again is the same batches, which change nothing once they are stored.
    """
    login, api, target = login_of(context), customer(context), check_writable(refused or set_aside_file(file))
    if login.organization is None:
        raise UsageFault(f"A batch names its organization: --organization, or {ORGANIZATION}.")
    bad: list[SetAside] = []
    messages = [*messages_of(file, login.organization, campaign, bad)]
    headers = [signed(login.key or "", message.value) for message in messages]
    # Only here, as what follows: no other command needs a loop.
    import asyncio  # noqa: PLC0415

    asyncio.run(_publish(kafka, prefix + TOPIC, messages, headers))
    answer = {"batches": len(messages), "inserted": 0, "updated": 0}
    try:
        with progress("Waiting for results", len(messages)) as advance:
            for message in messages:
                result = _result(api, message.batch_id, patience)
                answer["inserted"] += result["inserted"]
                answer["updated"] += result["updated"]
                bad += _set_aside(message, result)
                advance(1)
    finally:
        if bad:
            write_set_aside(bad, target)
    show_one({**answer, "refused": len(bad), "refused_rows": str(target) if bad else None}, SHOWN, as_json=as_json)
    if bad:
        raise CommandFault(f"{len(bad)} rows were refused; see {target}.")


def _set_aside(message: Message, result: Mapping[str, Any]) -> list[SetAside]:
    if result["status"] == "refused":
        return [SetAside(row, "", result["reason"]) for row in message.rows]
    return [SetAside(message.rows[row["index"]], row["field"] or "", row["reason"]) for row in result["failed"]]


def messages_of(file: Path, organization_id: str, campaign: str, bad: list[SetAside]) -> Iterator[Message]:
    """The file as batches; lines that are no contact go to `bad`."""
    for batch in batches(lines_of(file)):
        rows, contacts = [], []
        for row in batch:
            match parsed(row):
                case SetAside() as wrong:
                    bad.append(wrong)
                case contact:
                    rows.append(row.number)
                    contacts.append(contact)
        if contacts:
            yield message_of(organization_id, campaign, tuple(rows), contacts)


def message_of(organization_id: str, campaign: str, rows: tuple[int, ...], contacts: list[dict[str, Any]]) -> Message:
    """A batch, named by its content: the same contacts make the same bytes, whenever they are sent."""
    written = json.dumps(contacts, ensure_ascii=True, separators=(",", ":"))
    digest = hashlib.sha256(f"{organization_id}/{campaign}/{rows[0]}\n{written}".encode()).hexdigest()
    batch_id = f"cli-{digest}"
    batch = {
        "schema_version": 1,
        "batch_id": batch_id,
        "organization_id": organization_id,
        "campaign": campaign,
        "contacts": contacts,
    }
    value = json.dumps(batch, ensure_ascii=True, separators=(",", ":")).encode()
    return Message(batch_id, f"{organization_id}/{campaign}".encode(), value, rows)


def signed(key: str, value: bytes) -> list[tuple[str, bytes]]:
    """The headers that prove the organization without its key in the message. Raises UsageFault for no such key."""
    key_id, point, secret = key.removeprefix("ak_").partition(".")
    if not key.startswith("ak_") or not point:
        raise UsageFault("Batches are signed by an organization key (ak_…); a personal token cannot.")
    digest = hmac.new(hashlib.sha256(secret.encode()).hexdigest().encode(), value, hashlib.sha256).hexdigest()
    return [("dialstream-key", key_id.encode()), ("dialstream-signature", f"v1={digest}".encode())]


async def _publish(servers: str, topic: str, messages: list[Message], headers: list[list[tuple[str, bytes]]]) -> None:
    # Only here: it takes half a second, which no other command should cost.
    from aiokafka import AIOKafkaProducer  # noqa: PLC0415
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    # What goes wrong is said once, by the exception, and not at each try to connect.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        producer = AIOKafkaProducer(
            bootstrap_servers=servers, acks="all", enable_idempotence=True, max_request_size=MOST_REQUEST_BYTES
        )
    except ValueError as error:
        raise UsageFault(f"--kafka {servers}: write host:port, with commas between several ({error}).") from None
    try:
        await producer.start()
        for message, signature in zip(messages, headers, strict=True):
            await producer.send_and_wait(topic, message.value, key=message.key, headers=signature)
    except (KafkaError, OSError) as error:
        raise NotReachable(f"Kafka at {servers} does not take {topic}: {error}") from None
    finally:
        await producer.stop()


def _result(api: Api, batch_id: str, patience: float) -> Any:
    until = time.monotonic() + patience
    while True:
        try:
            found = api.get(f"/campaign/ingest-batches/{segment(batch_id)}")
            if found["status"] != "accepted":
                return found
        except Refused as refusal:
            if refusal.status != _NOT_FOUND:
                raise
        if time.monotonic() > until:
            raise CommandFault(
                f"Batch {batch_id} has no result after {patience:g} s: contact-ingest is away or behind, or has set it "
                f"aside (docs/kafka-batches.md, dead letters). Send the same file again to go on waiting."
            )
        time.sleep(ASK_SECONDS)
