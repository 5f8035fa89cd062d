"""Carriers behind the providers under test, each told by number what to do: the same scenarios run on all."""

import re
import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from services.carrier_simulator.app import Simulator, running
from services.carrier_simulator.settings import (
    Behaviour,
    CallbackFault,
    Ending,
    Fault,
    OrderRefusal,
    Rule,
    SimulatorSettings,
)
from shared.clock import utc_now
from shared.domain.outcome import Outcome
from shared.domain.voicemail import Voicemail
from shared.settings import TelephonySettings
from shared.telephony.provider import CallReference, CallReport, MachineDetected, PlaceCall, TelephonyProvider
from shared.telephony.scripted import ScriptedProvider
from shared.telephony.scripts import Placement, ScriptedCall
from shared.telephony.twilio import TwilioProvider
from shared.telephony.twilio_callback import (
    CALLBACK_PATH,
    MACHINE_PATH,
    CallPickedUp,
    ForgedCallback,
    parse_callback,
    parse_machine_callback,
)
from tests.chaos.held_line import HeldLineProvider

ACCOUNT, TOKEN = "AC0000000000000000000000000000test", "a-token-of-nobody"
CALLER = "+12025550100"


def an_order(
    number: str,
    *,
    ring_timeout_seconds: float = 30,
    max_call_seconds: float = 600,
    voicemail: Voicemail | None = None,
) -> PlaceCall:
    """A call to `number`, of an attempt of its own."""
    return PlaceCall(
        attempt_id=str(uuid.uuid4()),
        organization_id="organization",
        shard=7,
        contact_id=str(uuid.uuid4()),
        campaign_id="campaign",
        phone_number=number,
        caller_number=CALLER,
        conversation_id="conversation",
        ring_timeout_seconds=ring_timeout_seconds,
        max_call_seconds=max_call_seconds,
        agent_id="agent & sons",
        voicemail=voicemail,
    )


def a_reference(order: PlaceCall, call_id: str | None = None) -> CallReference:
    """What a scheduler knows of the order's attempt."""
    return CallReference(
        attempt_id=order.attempt_id,
        phone_number=order.phone_number,
        caller_number=order.caller_number,
        started_at=utc_now(),
        call_id=call_id,
    )


class Carrier(Protocol):
    """A provider, and the carrier behind it seen from its own side."""

    reports: list[CallReport]

    @property
    def provider(self) -> TelephonyProvider:
        """What is under test."""
        ...

    def fate(self, number: str, plan: ScriptedCall) -> None:
        """Decides what calls to `number` do."""
        ...

    @property
    def placed(self) -> int:
        """Calls that came to exist."""
        ...

    @property
    def live(self) -> int:
        """Calls that are up."""
        ...

    @property
    def answered(self) -> int:
        """Calls that are up and answered."""
        ...

    @property
    def messages(self) -> list[str]:
        """The messages that were spoken, in order."""
        ...


@dataclass
class Scripted:
    """The scripted provider is its own carrier."""

    fates: dict[str, ScriptedCall] = field(default_factory=dict)
    reports: list[CallReport] = field(default_factory=list)
    provider: ScriptedProvider = field(init=False)

    def __post_init__(self) -> None:
        self.provider = ScriptedProvider(lambda call: self.fates[call.phone_number], self.reports.append)

    def fate(self, number: str, plan: ScriptedCall) -> None:
        self.fates[number] = plan

    @property
    def placed(self) -> int:
        return self.provider.placed

    @property
    def live(self) -> int:
        return self.provider.live

    @property
    def answered(self) -> int:
        return self.provider.answered

    @property
    def messages(self) -> list[str]:
        return [message for _, message in self.provider.messages]


_FAULTS = {
    Placement.ACCEPTED: None,
    Placement.REFUSED: None,
    Placement.DENIED: None,
    Placement.RATE_LIMITED: Fault.RATE_LIMITED,
    Placement.LOST_BEFORE: Fault.SILENT_BEFORE,
    Placement.LOST_AFTER: Fault.SILENT_AFTER,
}


@dataclass
class Simulated:
    """The simulated carrier behind a provider."""

    simulator: Simulator

    def fate(self, number: str, plan: ScriptedCall) -> None:
        if plan.refusal is not None and plan.refusal.code is not None:
            placed = plan.placement is not Placement.DENIED
            self.refuse(OrderRefusal(code=plan.refusal.code, to_prefix=number, placed=placed))
        refused = plan.placement is Placement.REFUSED
        self.rule(
            number,
            Rule(
                pattern="set by rule()",
                ending=Ending.REFUSED if refused else Ending(plan.outcome),
                fault=_FAULTS[plan.placement],
                callback_fault=_callback_fault(plan),
                ring_seconds=plan.ring_seconds,
                talk_seconds=plan.talk_seconds,
            ),
        )

    def rule(self, number: str, rule: Rule) -> None:
        """Says it in the simulator's own words."""
        here = rule.model_copy(update={"pattern": f"^{re.escape(number)}$"})
        others = [old for old in self.simulator.control.behaviour.simulator_rules if old.pattern != here.pattern]
        self.behave(rules=[rule.model_dump() for rule in [here, *others]])

    def refuse(self, *refusals: OrderRefusal) -> None:
        """Orders that the simulator refuses from now on; without any, none."""
        self.behave(refusals=[refusal.model_dump() for refusal in refusals])

    def behave(self, **changes: object) -> None:
        """Changes the simulator's settings."""
        self.simulator.control.behaviour = self.simulator.control.behaviour.changed(changes)

    @property
    def placed(self) -> int:
        return self.simulator.book.counts["placed"]

    @property
    def live(self) -> int:
        return len(self.simulator.book.live)

    @property
    def answered(self) -> int:
        return sum(call.answered_at is not None for call in self.simulator.book.live.values())

    @property
    def messages(self) -> list[str]:
        return [message for call in self.simulator.book.calls.values() for message in call.messages]


@dataclass
class Twilio(Simulated):
    """The Twilio provider against the simulated carrier, with a receiver for its callbacks."""

    provider: TwilioProvider
    settings: TelephonySettings
    reports: list[CallReport] = field(default_factory=list)
    pick_ups: list[CallPickedUp] = field(default_factory=list)
    machines: list[MachineDetected | None] = field(default_factory=list)
    forged: int = 0
    refuse_callbacks: int = 0

    async def receive_machine(self, request: web.Request) -> web.Response:
        """The same of machines; what has been heard stays in `machines`, None for a person."""
        url = f"{self.settings.callback_base_url}{request.raw_path}"
        signature = request.headers.get("X-Twilio-Signature")
        self.machines.append(parse_machine_callback(TOKEN, url, await request.read(), signature))
        return web.Response()

    async def receive(self, request: web.Request) -> web.Response:
        """What campaign-api does, as far as telephony is concerned."""
        if self.refuse_callbacks:
            self.refuse_callbacks -= 1
            return web.Response(status=503)
        url = f"{self.settings.callback_base_url}{request.raw_path}"
        signature = request.headers.get("X-Twilio-Signature")
        try:
            callback = parse_callback(TOKEN, url, await request.read(), signature, now=utc_now())
        except ForgedCallback:
            self.forged += 1
            return web.Response(status=403)
        match callback and callback.event:
            case CallReport() as report:
                self.reports.append(report)
            case CallPickedUp() as pick_up:
                self.pick_ups.append(pick_up)
        return web.Response()


@dataclass
class HeldLine(Simulated):
    """The provider of held lines against the simulated carrier."""

    provider: HeldLineProvider
    reports: list[CallReport]


def _callback_fault(plan: ScriptedCall) -> CallbackFault | None:
    if plan.report_early:
        return CallbackFault.EARLY
    return CallbackFault.LOST if plan.lose_report else None


def a_plan(outcome: Outcome = Outcome.ANSWERED, *, ring: float = 0, talk: float = 0) -> ScriptedCall:
    """An accepted call."""
    return ScriptedCall(outcome=outcome, ring_seconds=ring, talk_seconds=talk)


@asynccontextmanager
async def scripted_carrier() -> AsyncIterator[Scripted]:
    """A scripted provider, started."""
    carrier = Scripted()
    await carrier.provider.start()
    yield carrier
    await carrier.provider.close()


@asynccontextmanager
async def twilio_carrier() -> AsyncIterator[Twilio]:
    """The Twilio provider, the simulated carrier and a receiver of callbacks, on free loopback ports."""
    app = web.Application()
    receiver = web.AppRunner(app, access_log=None)
    carrier: list[Twilio] = []

    async def receive(request: web.Request) -> web.Response:
        return await carrier[0].receive(request)

    async def receive_machine(request: web.Request) -> web.Response:
        return await carrier[0].receive_machine(request)

    app.router.add_post(CALLBACK_PATH, receive)
    app.router.add_post(MACHINE_PATH, receive_machine)
    try:
        async with a_simulator() as simulator:
            await receiver.setup()
            await web.TCPSite(receiver, "127.0.0.1", 0).start()
            settings = twilio_settings(simulator.url, f"http://127.0.0.1:{receiver.addresses[0][1]}")
            provider = TwilioProvider(settings)
            await provider.start()
            carrier.append(Twilio(simulator, provider, settings))
            try:
                yield carrier[0]
            finally:
                await provider.close()
    finally:
        await receiver.cleanup()


@asynccontextmanager
async def held_line_carrier() -> AsyncIterator[HeldLine]:
    """The provider of held lines and the simulated carrier, on a free loopback port."""
    reports: list[CallReport] = []
    async with a_simulator() as simulator:
        provider = HeldLineProvider(twilio_settings(simulator.url, "http://127.0.0.1:9"), reports.append)
        await provider.start()
        try:
            yield HeldLine(simulator, provider, reports)
        finally:
            await provider.close()


def a_simulator() -> AbstractAsyncContextManager[Simulator]:
    """A simulated carrier at work."""
    return running(
        SimulatorSettings.model_validate({"twilio_account_sid": ACCOUNT, "twilio_auth_token": TOKEN}),
        Behaviour.model_validate({"simulator_callback_retry_seconds": 0.02}),
    )


def twilio_settings(base_url: str, callback_base_url: str, **others: object) -> TelephonySettings:
    """Complete settings of the Twilio provider."""
    return TelephonySettings.model_validate(
        {
            "twilio_base_url": base_url,
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": TOKEN,
            "twilio_answer_url": "https://agent.example/answer?lang=en",
            "callback_base_url": callback_base_url,
            **others,
        }
    )
