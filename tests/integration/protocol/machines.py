"""Answering machines in the world: the carrier says that one has taken a call, and our endpoint does what is due."""

from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from services.campaign_api.carrier.answering_machines import on_machine
from shared.domain.outcome import Outcome
from shared.errors import TemporaryError
from shared.telephony.provider import CallMode, MachineDetected
from tests.integration.protocol.carrier import Call, Fate
from tests.integration.protocol.machine_ends import Player
from tests.integration.protocol.world import World, step


@step
async def machine_answers(world: World, call: Call, fate: Fate = Fate.PLACED, *, times: int = 1) -> None:
    """A machine has taken the call, and the carrier says so; `fate` is that of what we ask it for then."""
    request, world.carrier.fate = call.request, fate
    detected = MachineDetected(
        attempt_id=request.attempt_id,
        organization_id=request.organization_id,
        contact_id=request.contact_id,
        call_id=call.call_id,
        outcome=Outcome.VOICEMAIL,
        greeting_over=True,
    )
    for _ in range(times):
        with suppress(TemporaryError):
            await on_machine(world.store, world.carrier, detected)
        kept = await world.store["answering_machines"].find_one({"_id": request.attempt_id}, {"_id": 1})
        call.machine = call.machine or kept is not None
        if call.machine and call.outcome is Outcome.ANSWERED:
            # Hung up on.
            call.outcome = Outcome.VOICEMAIL


def with_machines(world: World) -> list[Call]:
    """Calls that are up and were ordered with something to do about machines."""
    if world.carrier.mode is not CallMode.CALLBACK:
        return []
    return [call for call in world.carrier.live() if call.request.voicemail is not None]


class MachineMoves(Player):
    """The rules."""

    @precondition(lambda self: bool(with_machines(self.world)))
    @rule(
        fate=st.sampled_from([Fate.PLACED, *Fate]),
        times=st.sampled_from([1, 1, 2]),
        reported=st.sampled_from([True, True, False]),
    )
    def machines_answer(self, fate: Fate, times: int, reported: bool) -> None:
        """All calls that may be taken by one; few would be otherwise."""
        for call in with_machines(self.world):
            self.play(machine_answers(self.world, call, fate, times=times))
            if not call.live and reported:
                self.play(self.world.report(call))
