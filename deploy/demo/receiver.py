"""A receiver of webhooks on the screen: it checks each signature, prints what is new, and counts the rest."""

import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web
from rich.console import Console
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from deploy.demo.client import Api
from deploy.local.home import LOCALHOST
from shared.domain.webhook_signatures import standard_secret

DESCRIPTION: Final = "make run: the receiver on the screen"
# Of each type of event so many are printed, of those of campaigns all; a demo has thousands of calls.
PRINTED: Final = 3
_ALWAYS: Final = "campaign."
# What is worth a line of the screen.
_SHOWN: Final = ("name", "state", "outcome", "status", "reason", "external_id", "type", "at", "duration_seconds")


@dataclass(slots=True)
class DemoReceiver:
    """Answers 204 to events with a right signature and 401 to others; at `url`."""

    console: Console
    url: str = ""
    came: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    _ids: set[str] = field(default_factory=set)
    _verifier: Webhook | None = None

    async def subscribe(self, api: Api) -> None:
        """Have the organization's events sent here, and no more to the receivers of earlier runs; then a test event."""
        page = await api.get("/campaign/webhooks", limit=200)
        for known in page["webhooks"]:
            if known["description"] == DESCRIPTION:
                await api.delete(f"/campaign/webhooks/{known['id']}")
        made = await api.post("/campaign/webhooks", {"url": f"{self.url}/hooks", "description": DESCRIPTION})
        self._verifier = Webhook(standard_secret(made["secret"]))
        await api.post(f"/campaign/webhooks/{made['id']}/test")

    async def on_event(self, request: web.Request) -> web.Response:
        """One request."""
        raw = await request.read()
        try:
            if self._verifier is None:
                raise WebhookVerificationError("nobody has subscribed yet")
            event = self._verifier.verify(raw, dict(request.headers))
        except (WebhookVerificationError, ValueError):
            self.refused += 1
            return web.Response(status=401)
        if event["id"] not in self._ids:
            self._ids.add(event["id"])
            self._show(event)
        return web.Response(status=204)

    def said(self) -> str:
        """All that came, in a line."""
        counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.came.items()))
        return f"Webhooks: {counts or 'none'}; {self.refused} with a wrong signature."

    def _show(self, event: Mapping[str, Any]) -> None:
        kind = event["type"]
        self.came[kind] += 1
        if kind.startswith(_ALWAYS) or self.came[kind] <= PRINTED:
            facts = {name: event["data"][name] for name in _SHOWN if event["data"].get(name) is not None}
            line = f"webhook  {kind}  {json.dumps(facts, ensure_ascii=False) if facts else ''}".rstrip()
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)


@contextlib.asynccontextmanager
async def receiving(console: Console) -> AsyncIterator[DemoReceiver]:
    """A receiver on a free port of this machine, for as long as the block runs."""
    receiver = DemoReceiver(console)
    app = web.Application()
    app.router.add_post("/hooks", receiver.on_event)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOCALHOST, 0).start()
        receiver.url = f"http://{LOCALHOST}:{runner.addresses[0][1]}"
        yield receiver
    finally:
        await runner.cleanup()
