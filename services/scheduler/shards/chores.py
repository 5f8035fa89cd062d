"""The shard's sweeps: expired claims, the second sink, deletions, closed campaigns, do-not-call, wishes, completion.

Every chore finds its work in MongoDB alone, does at most one batch a transaction, and can be stopped and
started again anywhere.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from services.scheduler.shards.halt_news import tell_of_halts
from services.scheduler.shards.inbox import Chore
from services.scheduler.shards.memory import ShardMemory
from shared import metrics
from shared.clock import utc_now
from shared.domain.campaign import HaltReason
from shared.domain.refusal import Rest
from shared.logs import get_logger
from shared.store.client import Store
from shared.store.contacts import wishes
from shared.store.dialing import completion, deletions, expiries, halts, results, shard_work
from shared.store.dialing.adoption import adopt_facts
from shared.store.dialing.newly_listed import NewlyListed
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import ShardWork, Swept, do_shard_work

HeedRests = Callable[[Mapping[tuple[str, str], Rest | None]], None]

log = get_logger()


class Chores:
    """Sweeps of one shard under one ownership."""

    def __init__(
        self, store: Store, owner: Ownership, memory: ShardMemory, heed_rests: HeedRests, relay: Callable[[], None]
    ) -> None:
        self._store, self._owner, self._memory, self._heed_rests = store, owner, memory, heed_rests
        self._relay = relay
        self._listed = NewlyListed(store, owner.shard)
        self._changed: set[str] = set()

    async def do(self, chore: Chore, now: datetime) -> bool:
        """Do one batch of a chore; whether there may be more."""
        match chore:
            case Chore.EXPIRED:
                swept = await shard_work.expire_claims(self._store, self._owner, now)
                metrics.EXPIRED.inc(swept.moved)
                return self._account(swept)
            case Chore.DELETED:
                return self._account(await deletions.remove_deleted(self._store, self._owner, now))
            case Chore.OVER:
                return self._account(await expiries.end_expired(self._store, self._owner, now))
            case Chore.RESULTS:
                return await self._apply_results(now)
            case Chore.ASKED:
                return self._account(await wishes.carry_out(self._store, self._owner, now))
            case Chore.LISTED:
                return await self._skip_listed(now)
            case Chore.FACTS:
                return await self._adopt_facts()
            case Chore.FULL:
                halted = await halts.halt_full(self._store, self._owner, self._memory.limited_runs, now)
                self.heed_halts(halted)
                return bool(halted)

    async def _adopt_facts(self) -> bool:
        adopted = await adopt_facts(self._store, self._owner)
        if adopted:
            self._relay()
        return adopted > 0

    def heed_halts(self, halted: Mapping[str, HaltReason]) -> None:
        """Dial campaigns no more, by id, whose runs were halted, and tell operators."""
        self._memory.forget(halted.keys())
        tell_of_halts(halted)

    def take_changed(self) -> set[str]:
        """The organizations to be read again, whose campaigns or lists were changed here; each is given out once."""
        changed, self._changed = self._changed, set()
        return changed

    def _account(self, swept: Swept) -> bool:
        self._changed |= swept.changed
        self._memory.account(swept.held, swept.due, swept.remaining)
        self._memory.counted(swept.numbers, utc_now())
        self._memory.recent_calls.count(swept.calls, utc_now())
        return swept.moved > 0

    async def _apply_results(self, now: datetime) -> bool:
        waiting = await results.unapplied_results(self._store, self._owner.shard)
        if not waiting:
            return False
        done = await do_shard_work(self._store, self._owner, ShardWork(ended=waiting), now)
        self._memory.account(done.held, done.due, done.remaining)
        self._memory.recent_calls.count(done.calls, now)
        self._heed_rests(done.rests)
        self.heed_halts(done.halted)
        self._changed |= done.changed
        await results.remove_results(self._store, [event.attempt_id for event in waiting])
        return True

    async def skip_closed(self, campaign_id: str, now: datetime) -> bool:
        """Skip some of the contacts that still wait in a closed campaign; whether there may be more."""
        return self._account(await shard_work.skip_closed(self._store, self._owner, campaign_id, now))

    async def complete_campaigns(self, now: datetime) -> set[str]:
        """Complete campaigns in which nothing is left to do; the organizations of those that were."""
        completing = self._memory.completing
        candidates = completing.to_look_at(now)
        if not candidates:
            return set()
        changed = set()
        remaining = await completion.read_remaining(self._store, self._owner.shard, candidates)
        for campaign_id in candidates:
            found = remaining.get(campaign_id)
            if found is None or not found.is_completed(now):
                left, settled = (0, True) if found is None else (found.left.contacts, found.is_settled(now))
                completing.looked_at(campaign_id, left, settled=settled)
            elif await completion.complete_campaign(self._store, self._owner, campaign_id, now):
                log.info("campaign completed", campaign=campaign_id)
                changed.add(completing.organization_of(campaign_id))
                completing.looked_at(campaign_id, 0, settled=True)
        return changed

    def numbers_listed(self) -> None:
        """Have a sweep under way go over the last entries once more: numbers may have come onto a do-not-call list."""
        self._listed.look_again()

    async def _skip_listed(self, now: datetime) -> bool:
        """Skip some of the waiting contacts all of whose numbers are on a do-not-call list by now."""
        contacts = await self._listed.next_part(self._memory.organizations)
        if contacts is None:
            return False
        if contacts:
            self._account(await shard_work.skip_listed(self._store, self._owner, contacts, now))
        await self._listed.part_is_done()
        return True
