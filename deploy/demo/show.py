"""The demo: a list dialed to its end, some of it again, and talks that are reported; judged by the carrier's books."""

from pathlib import Path
from typing import Final

from rich.console import Console

from deploy.demo.client import Api
from deploy.demo.dial import carrier_summary, dial_to_the_end
from deploy.demo.display import report_load, report_outcome, report_promises, watching
from deploy.demo.follow_up import follow_up
from deploy.demo.load import load, read_rows
from deploy.demo.talks import talks
from shared.clock import monotonic, utc_now
from shared.errors import DialstreamError

DEMO_LIST: Final = Path(__file__).with_name("contacts.csv")


class PromiseBroken(DialstreamError):
    """The demo has ended, and the carrier has counted what must not happen."""


async def dial_list(
    api: Api, carrier_url: str, campaign_id: str, organization_id: str, contacts: int | None, console: Console
) -> None:
    """Loads the list, or its first `contacts` rows, dials it, has some called again, and people talked with; reports.

    Raises PromiseBroken when the carrier has seen what must not be, DemoStuck when nothing moves any more.
    """
    placed_before = (await carrier_summary(api, carrier_url))["placed"]
    rows = read_rows(DEMO_LIST, contacts)
    console.print(f"\nImporting {len(rows)} rows of the demo list ({DEMO_LIST.name}) by a signed URL ...")
    began = monotonic()
    loaded = await load(api, campaign_id, rows)
    report_load(console, loaded, monotonic() - began)
    console.print(f"\nDialing campaign {campaign_id}:")
    with watching(console) as display:
        end = await dial_to_the_end(api, carrier_url, campaign_id, placed_before, display.show)
    kept = await report_outcome(console, api, campaign_id, organization_id, end)
    promises = await follow_up(api, carrier_url, campaign_id, console, utc_now())
    kept = report_promises(console, promises) and kept
    if not report_promises(console, await talks(api, carrier_url, console, utc_now())) or not kept:
        raise PromiseBroken("the demo broke a promise; see above")
