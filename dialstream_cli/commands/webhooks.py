"""`dialstream webhooks listen`: prints the events that arrive, and says whether their signatures are right."""

import base64
import contextlib
import json
import os
import signal
from collections import deque
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Annotated, Any, Final

import typer

from dialstream_cli.client import segment
from dialstream_cli.faults import CommandFault, UsageFault
from dialstream_cli.output import AsJson, cell, say
from dialstream_cli.session import customer

app = typer.Typer(help="Webhooks: see what arrives.", no_args_is_help=True)
SECRET: Final = "DIALSTREAM_WEBHOOK_SECRET"
PATH: Final = "/campaign/webhooks"
# Events are thin (docs/webhooks.md): what is larger is none.
MOST_BYTES: Final = 1024 * 1024
ACCEPTED, WRONG_SIGNATURE, TOO_LARGE = 204, 401, 413
_PREFIX: Final = "whsec_"


@app.callback()
def webhooks() -> None:
    """Webhooks: see what arrives."""


@app.command()
def listen(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8790,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    subscribe: Annotated[
        str | None,
        typer.Option(help="The URL by which Dialstream reaches this port: subscribed and tested, removed at the end."),
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many requests; else at Ctrl-C.")] = None,
    as_json: AsJson = False,
) -> None:
    """Answer 204 to events with a right signature and 401 to others, and print both.

    The secret is that of the subscription: of --subscribe, else of the environment (DIALSTREAM_WEBHOOK_SECRET).
    """
    secret = os.environ.get(SECRET, "")
    if subscribe is None and not secret:
        raise UsageFault(f"Signatures need the subscription's secret: set {SECRET}, or --subscribe URL.")
    try:
        receiver = Receiver((host, port), secret, as_json=as_json)
    except (OSError, UnicodeError) as error:
        raise CommandFault(f"Cannot listen at {host}:{port}: {getattr(error, 'strerror', None) or error}.") from None
    # As at Ctrl-C: the subscription must not outlive this command.
    signal.signal(signal.SIGTERM, _interrupt)
    with receiver, contextlib.ExitStack() as stack:
        say(f"Listening at http://{host}:{receiver.server_address[1]}.")
        if subscribe is not None:
            receiver.secret = stack.enter_context(_subscribed(context, subscribe))
        while count is None or receiver.requests < count:
            receiver.handle_request()
            while receiver.arrived:
                typer.echo(receiver.arrived.popleft())
    if receiver.wrong:
        raise CommandFault(f"{receiver.wrong} of {receiver.requests} requests had a wrong signature.")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


class Receiver(HTTPServer):
    """Takes one request after the other; `requests` and `wrong` count them, `arrived` are lines yet to be printed."""

    def __init__(self, address: tuple[str, int], secret: str, *, as_json: bool) -> None:
        self.secret, self.as_json = secret, as_json
        self.requests = self.wrong = 0
        self.arrived: deque[str] = deque()
        super().__init__(address, _Handler)

    def take(self, raw: bytes, headers: Mapping[str, str]) -> int:
        """Note one event; the status to answer with."""
        event = event_of(raw, headers, self.secret)
        self.requests += 1
        self.wrong += event is None
        told: Mapping[str, Any] = event if event is not None else {"body": raw.decode(errors="replace")}
        if self.as_json:
            self.arrived.append(json.dumps({"signature_is_right": event is not None, **told}, ensure_ascii=False))
        else:
            self.arrived.append(line_of(told, right=event is not None))
        return WRONG_SIGNATURE if event is None else ACCEPTED

    def handle_error(self, *_: Any) -> None:
        """Nothing: the sender has gone before it was answered, and will send again."""


class _Handler(BaseHTTPRequestHandler):
    """One request; a sender that stalls is dropped after `timeout` seconds."""

    server: Receiver
    timeout = 10.0

    def do_POST(self) -> None:
        """An event."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            status = TOO_LARGE
        else:
            status = self.server.take(self.rfile.read(int(length)), dict(self.headers.items()))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing: what arrives is printed already."""


def event_of(raw: bytes, headers: Mapping[str, str], secret: str) -> dict[str, Any] | None:
    """The event, if its signature is right and not older than five minutes (Standard Webhooks); None if not."""
    # Only here: no other command needs it.
    from standardwebhooks import Webhook  # noqa: PLC0415
    from standardwebhooks.webhooks import WebhookVerificationError  # noqa: PLC0415

    try:
        event = Webhook(_standard(secret)).verify(raw, {name.lower(): value for name, value in headers.items()})
    except (WebhookVerificationError, ValueError):
        return None
    return event if isinstance(event, dict) else None


def line_of(event: Mapping[str, Any], *, right: bool) -> str:
    """An event on one line."""
    verdict = "signature right" if right else "SIGNATURE WRONG"
    said = event.get("data", event.get("body"))
    parts = (event.get("created_at"), event.get("type"), verdict, event.get("id"), said)
    return "\t".join(cell(part) for part in parts if part is not None)


def _standard(secret: str) -> str:
    """A secret as verifiers of Standard Webhooks take it; the bytes of one without their prefix are its text."""
    return secret if secret.startswith(_PREFIX) else _PREFIX + base64.b64encode(secret.encode()).decode()


@contextlib.contextmanager
def _subscribed(context: typer.Context, url: str) -> Iterator[str]:
    """A subscription with its secret for as long as the block runs, to which a test event is sent."""
    api = customer(context)
    made = api.post(PATH, {"url": url, "description": "dialstream webhooks listen"})
    try:
        api.post(f"{PATH}/{segment(made['id'])}/test")
        yield str(made["secret"])
    finally:
        api.delete(f"{PATH}/{segment(made['id'])}")
