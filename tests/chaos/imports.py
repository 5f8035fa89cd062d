"""Customers import CSV files while everything breaks: every file ends, with every row stored or refused."""

import csv
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from deploy.demo.client import Api, Refused
from shared.domain.facts import FactType
from tests.chaos.asking import Asking
from tests.chaos.customers import Campaign, Organization
from tests.chaos.judge import Violation
from tests.chaos.phones import numbers_of
from tests.chaos.truth import Truth

COLUMNS: Final = ("external_id", "phone", "first_name")
BAD_AT_MOST: Final = 2
LISTED_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class File:
    """A file that was accepted: external id → number of its good rows, and how many are bad."""

    organization: Organization
    campaign: Campaign
    name: str
    good: dict[str, str]
    bad: int


@dataclass(frozen=True, slots=True)
class Imports:
    """Files of all customers: sent with a key of theirs, and noted in the truth.

    A file whose answer was lost is sent again, and is then two imports; the second one changes nothing.
    """

    asking: Asking
    truth: Truth
    dice: random.Random
    files: list[File] = field(default_factory=list)

    async def send(self, organization: Organization, campaign: Campaign, rows: Sequence[dict[str, Any]]) -> None:
        """Import these new contacts, and some rows without a number."""
        good, bad = numbers_of(rows), self.dice.randint(0, BAD_AT_MOST)
        name = f"file-{len(self.files)}.csv"
        content = _csv(good, bad)

        async def ask(api: Api) -> Any:
            async with api.session.post(
                f"{api.url}/campaign/campaigns/{campaign.id}/imports",
                params={"file_name": name},
                data=content,
                headers={"Authorization": f"Bearer {api.key}", "Content-Type": "text/csv"},
            ) as answer:
                body = await answer.json(content_type=None)
                if answer.status != HTTPStatus.ACCEPTED:
                    raise Refused(answer.status, body)
                return body

        await self.asking.certainly(organization.who.who.key, ask)
        self.files.append(File(organization, campaign, name, good, bad))
        campaign.on_their_way[name] = good

    async def look(self, organization: Organization, campaign: Campaign) -> None:
        """Contacts of files that have been read to their end may be edited from now on."""
        waiting = [file for file in self.files if file.campaign is campaign and file.name in campaign.on_their_way]
        if not waiting:
            return
        jobs = await self._jobs(organization, campaign)
        for file in waiting:
            if all(job["status"] == "done" for job in jobs if job["file_name"] == file.name):
                campaign.numbers.update(campaign.on_their_way.pop(file.name))

    async def judged(self) -> list[Violation]:
        """At rest: files that did not end as they must. Notes the rows that must be there, and what must be told."""
        found = []
        for file in self.files:
            if file.campaign.id in self.truth.closed:
                # Closed before the last row, perhaps: what is stored then is a race.
                continue
            keys = {(file.organization.id, external_id) for external_id in file.good}
            self.truth.accepted.update(keys)
            every = await self._jobs(file.organization, file.campaign)
            jobs = [job for job in every if job["file_name"] == file.name]
            found += [
                Violation("S8", f"{file.name} of {len(keys)} rows: {job}") for job in jobs if not _is_so(job, file)
            ]
            # Of contacts that were deleted meanwhile a second import makes new ones.
            if sum(job["inserted"] for job in jobs) < len(file.good):
                found.append(Violation("S8", f"{file.name}: {len(file.good)} rows became {jobs}"))
            self.truth.must_be_told.update((file.organization.id, FactType.IMPORT_DONE, job["id"]) for job in jobs)
        return found

    async def _jobs(self, organization: Organization, campaign: Campaign) -> list[dict[str, Any]]:
        path = f"/campaign/campaigns/{campaign.id}/imports"
        page = await self.asking.certainly(organization.who.who.key, lambda api: api.get(path, limit=LISTED_AT_ONCE))
        jobs: list[dict[str, Any]] = page["imports"]
        return jobs


def _is_so(job: dict[str, Any], file: File) -> bool:
    counts = (job["inserted"] + job["updated"], job["refused"], job["rows"])
    return bool(job["status"] == "done" and counts == (len(file.good), file.bad, len(file.good) + file.bad))


def _csv(good: dict[str, str], bad: int) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    # A quoted line break in every row: places in the file are not those of its lines.
    writer.writerows((external_id, number, "Ada\nAugusta") for external_id, number in good.items())
    writer.writerows((f"bad-{n}", "front desk", "Ada") for n in range(bad))
    return text.getvalue().encode()
