"""`people`: what a search of a large contact book costs, by a part of a text and by a whole number or address."""

from collections.abc import Awaitable, Callable

from rich.console import Console

from deploy.local.servers import Addresses
from shared.clock import monotonic, utc_now
from shared.store.catalog.people import NewPerson, PeopleFilter, numbered_people
from shared.store.client import Store
from shared.store.contacts.enrolment import ToEnrol, enrol
from shared.store.contacts.matching import ContactsOf
from shared.store.contacts.upsert_people import create_people
from tests.bench.figures import Figures, milliseconds, percentile
from tests.bench.stage import BenchFailed, new_stage
from tests.factories import add_campaign, add_organization

AT_ONCE = 1000
ROUNDS = 30
PAGE = 50
ENROLLED = 5000


async def measure_people(addresses: Addresses, console: Console, *, large: int) -> Figures:
    """The first page and the total of searches, then an enrolment."""
    figures = Figures(f"people: a contact book of {large:,}", ("first page and total", "p50 / p99 ms"))
    async with new_stage(addresses) as stage:
        store = stage.store
        organization = await add_organization(store)
        organization_id: str = organization["_id"]
        await _fill(store, organization_id, large)
        console.print(f"  people: {large:,} are in", style="dim")
        wanted = {
            "a part that nobody has": (PeopleFilter(search="zzz9"), 0),
            "a part that one in a hundred has": (PeopleFilter(search="77@EX"), large // 100),
            "a part that everybody has": (PeopleFilter(search="example"), large),
            "a whole number": (PeopleFilter(search="+14150000042"), 1),
            "a whole e-mail address": (PeopleFilter(search="ada.42@example.com"), 1),
            "a tag": (PeopleFilter(tags=["vip"]), large // 100),
        }
        for name, (which, total) in wanted.items():

            async def ask(which: PeopleFilter = which, total: int = total) -> None:
                page = await numbered_people(store, organization_id, which, offset=0, limit=PAGE)
                if page.total != total:
                    raise BenchFailed(f"a search finds {page.total} people, not {total}")

            times = await _timed(ask)
            half, most = percentile(times, 0.5), percentile(times, 0.99)
            figures.rows.append((name, f"{milliseconds(half)} / {milliseconds(most)}"))
            figures.values[name] = {"p50_seconds": half, "p99_seconds": most}
        campaign = await add_campaign(store, organization)
        scope = ContactsOf(organization_id, organization["shard"], campaign["_id"])
        people = [ToEnrol(f"crm-{n}", f"cont_{n}") for n in range(min(large, ENROLLED))]
        began = monotonic()
        await enrol(store, scope, people, source="api-0", now=utc_now())
        took = monotonic() - began
        figures.rows.append((f"{len(people):,} people enrolled, in all", milliseconds(took)))
        figures.values["enrolled_seconds"] = took
    return figures


async def _fill(store: Store, organization_id: str, count: int) -> None:
    for start in range(0, count, AT_ONCE):
        new = [_person(n) for n in range(start, min(start + AT_ONCE, count))]
        await create_people(store, organization_id, new, utc_now())


def _person(n: int) -> NewPerson:
    values = {
        "first_name": f"Ada{n % 1000}",
        "last_name": f"Lovelace-Byron {n}",
        "phone": f"+1415{n:07d}",
        "email": f"Ada.{n}@example.com",
        "tags": ["vip"] if n % 100 == 0 else ["lead"],
        "custom_fields": {"plan": "pro", "score": n},
    }
    return NewPerson(values, f"crm-{n}")


async def _timed(ask: Callable[[], Awaitable[None]]) -> list[float]:
    times = []
    for _ in range(ROUNDS):
        began = monotonic()
        await ask()
        times.append(monotonic() - began)
    return times
