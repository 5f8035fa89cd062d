"""The services' own counters, added up over all processes of a run, also those that were killed.

Read every two seconds, so what a process counted in the last moments before a SIGKILL is missing: the sums are
lower bounds.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.lineup import Member

READ_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 1.0
# What is counted: name of the metric's sample → words for people.
COUNTED: Final[Mapping[str, str]] = {
    "dialstream_transactions_repeated_total": "transactions repeated after a conflict",
    "dialstream_transactions_ended_total": "transactions of the killed ended",
    "dialstream_endings_repeated_total": "endings told again",
    "dialstream_jobs_not_ours_total": "dial jobs read again or too late",
    "dialstream_claims_expired_total": "claims expired",
    "dialstream_jobs_released_total": "jobs given back",
    "dialstream_placements_unknown_total": "placements without an answer",
    "dialstream_results_second_sink_total": "endings through the second sink",
    "dialstream_dead_letters_total": "dead letters",
    "dialstream_ingested_contacts_total/repeated_batch": "batches read again",
}
BORN: Final = "process_start_time_seconds"


class Tally:
    """Remembers the last values of every process by when it was born."""

    def __init__(self, session: aiohttp.ClientSession, members: Iterable[Member]) -> None:
        self._session, self._members = session, list(members)
        self._last: dict[tuple[str, float], Counter[str]] = {}

    async def run(self) -> None:
        """Read now and then until cancelled."""
        while True:
            await self.read()
            await asyncio.sleep(READ_SECONDS)

    async def read(self) -> None:
        """Read every process that answers."""
        await asyncio.gather(*(self._read(member) for member in self._members))

    async def _read(self, member: Member) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._session.get(f"{member.url}/metrics") as answer:
                text = await answer.text() if answer.ok else ""
        except (aiohttp.ClientError, TimeoutError, OSError):
            return
        values = _values(text)
        born = values.pop(BORN, 0.0)
        self._last[member.name, born] = Counter({what: int(value) for what, value in values.items()})

    def sums(self) -> Counter[str]:
        """All of them together, in words."""
        return sum(self._last.values(), Counter[str]())


def _values(text: str) -> dict[str, float]:
    values: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == BORN:
                values[BORN] = sample.value
            what = COUNTED.get(sample.name) or COUNTED.get(f"{sample.name}/{sample.labels.get('result', '')}")
            if what is not None:
                values[what] = values.get(what, 0.0) + sample.value
    return values
