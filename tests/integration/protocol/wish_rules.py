"""The part of the protocol's machine in which contacts are reset, called back on request, given up, and the like."""

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from shared.domain.contact import ContactStatus
from shared.domain.wishes import MAY_BE_RESET, WishKind
from shared.store.client import Document
from tests.integration.protocol import edits
from tests.integration.protocol.machine_ends import Player, campaigns, picks, seldom, shards
from tests.integration.protocol.world import SHARDS

likely = st.sampled_from([True, True, True, False])
# What is asked of single contacts; a callback more often than what makes an end of one.
OF_CALLBACKS = [*(kind for kind in WishKind if kind is not WishKind.AGAIN), WishKind.CALLBACK, WishKind.CALLBACK]
soon = st.sampled_from([0.0, 2.0, 31.0])


class WishRules(Player):
    """The rules."""

    @rule(pick=picks, count=st.sampled_from([1, 3, 9]))
    def reset(self, pick: int, count: int) -> None:
        everybody = self.world.contacts
        self.play(edits.reset(self.world, *[*everybody[pick:], *everybody[:pick]][:count]))

    @rule(campaign_id=campaigns, status=st.sampled_from(sorted(MAY_BE_RESET)))
    def reset_campaign(self, campaign_id: str, status: ContactStatus) -> None:
        self.play(edits.reset_campaign(self.world, campaign_id, status))

    @rule(pick=picks, kind=st.sampled_from(OF_CALLBACKS), seconds=soon, as_shown=likely)
    def ask(self, pick: int, kind: WishKind, seconds: float, as_shown: bool) -> None:
        """Mostly of a callback that waits, now and then of one that is over; a new one of anybody."""
        contacts = self.play(self.world.store["contacts"].find({}).to_list())
        asked_of = contacts if kind is WishKind.CALLBACK else (_callbacks(contacts) or contacts)
        if asked_of:
            contact = asked_of[pick % len(asked_of)]
            self._ask(contact, kind, seconds, contact.get("waiting", 0) if as_shown else pick % 3)

    @rule(kind=st.sampled_from(OF_CALLBACKS), seconds=soon, carries_out=likely)
    def ask_of_all(self, kind: WishKind, seconds: float, carries_out: bool) -> None:
        """Without it few would be asked before they are called."""
        self._ask_all(kind, seconds, carries_out=carries_out)

    def _ask_all(self, kind: WishKind, seconds: float, *, carries_out: bool) -> None:
        for contact in _callbacks(self.play(self.world.store["contacts"].find({}).to_list())):
            self._ask(contact, kind, seconds, contact["waiting"])
        for shard in SHARDS if carries_out else ():
            self._as_owner(shard, False, self.world.carry_out)

    def _ask(self, contact: Document, kind: WishKind, seconds: float, waiting: int) -> None:
        by_number = None if kind is WishKind.CALLBACK else waiting
        if self.play(edits.ask(self.world, contact["_id"], kind, seconds, waiting=by_number)):
            self.figures[f"asked: {kind}"] += 1

    @precondition(lambda self: self.world.carrier.live())
    @rule(pick=picks, seconds=soon)
    def ask_in_call(self, pick: int, seconds: float) -> None:
        live = self.world.carrier.live()
        if self.play(edits.ask_in_call(self.world, live[pick % len(live)].request, seconds)):
            self.figures["asked in a call"] += 1

    @precondition(lambda self: self.world.carrier.calls)
    @rule(pick=picks, hardly=st.sampled_from([True, False, False]))
    def opt_out(self, pick: int, hardly: bool) -> None:
        """By the result of a call that is up, or has ended; seldom, because nobody of them is called again."""
        calls = self.world.carrier.calls
        if hardly and self.play(edits.report_result(self.world, calls[pick % len(calls)].request, opt_out=True)):
            self.figures["opted out by a result"] += 1

    @rule(shard=shards, old=seldom)
    def carry_out(self, shard: int, old: bool) -> None:
        self._as_owner(shard, old, self.world.carry_out)


def _callbacks(contacts: Sequence[Document]) -> list[Document]:
    """Those among these contacts that wait for another call."""
    return [contact for contact in contacts if contact["status"] == ContactStatus.PENDING and contact.get("waiting")]
