"""`dialstream calls …`: list, follow, download."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from dialstream_cli.client import Api, segment
from dialstream_cli.commands.campaigns import AnyCampaign
from dialstream_cli.faults import UsageFault
from dialstream_cli.output import AsJson, say, show, show_json, tsv
from dialstream_cli.rows import check_writable
from dialstream_cli.session import Limit, customer

app = typer.Typer(help="Calls: list them, follow them as they end, download them.", no_args_is_help=True)
PATH: Final = "/campaign/calls"
COLUMNS: Final = (
    "number",
    "created_at",
    "campaign_id",
    "phone_number",
    "caller_number",
    "status",
    "outcome",
    "duration_seconds",
    "contact_name",
    "result.disposition",
)
OfCampaign = Annotated[str | None, typer.Option("--campaign", help="Only those of this campaign: id or external_id.")]
Since = Annotated[
    str | None, typer.Option(help="Only calls that began at this time or later, such as 2027-03-05T15:30Z.")
]
Until = Annotated[str | None, typer.Option(help="Only calls that began before this time.")]


@app.command("list")
def list_all(
    context: typer.Context,
    campaign: OfCampaign = None,
    outcome: Annotated[list[str] | None, typer.Option(help="answered, busy, …; may be repeated.")] = None,
    status: Annotated[str | None, typer.Option(help="in_progress or ended.")] = None,
    number: Annotated[str | None, typer.Option(help="Called, or called from, in E.164.")] = None,
    contact: Annotated[str | None, typer.Option(help="The contact's id.")] = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List calls, newest first, those under way included."""
    query = {
        "campaign": campaign,
        "outcome": outcome or [],
        "status": status,
        "number": number,
        "contact": contact,
        "since": since,
        "until": until,
    }
    show([*customer(context).pages(PATH, "calls", query, most=limit)], COLUMNS, as_json=as_json)


@app.command()
def tail(
    context: typer.Context,
    campaign: OfCampaign = None,
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 1.0,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many calls; else at Ctrl-C.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print each call once it has ended, from now on."""
    ended, printed = Ended(customer(context), campaign), 0
    if not as_json:
        typer.echo("\t".join(COLUMNS))
    while True:
        for call in ended.look():
            typer.echo(
                json.dumps(call, ensure_ascii=False) if as_json else tsv([call], COLUMNS, head=False), nl=as_json
            )
            printed += 1
            if printed == count:
                return
        sys.stdout.flush()
        time.sleep(every)


@app.command()
def export(
    context: typer.Context,
    campaign: AnyCampaign,
    form: Annotated[str | None, typer.Option("--format", help="csv or jsonl; csv, unless --json is given.")] = None,
    output: Annotated[Path | None, typer.Option(help="A file; else standard output.")] = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """Download the ended calls of a campaign, newest first; with --json a line of JSON for each."""
    form = form or ("jsonl" if as_json else "csv")
    if form not in {"csv", "jsonl"}:
        raise typer.BadParameter("is csv or jsonl.", param_hint="--format")
    if as_json and form == "csv" and output is None:
        raise UsageFault("CSV is no JSON: leave out --json or --format csv, or write to a file by --output.")
    path = f"/campaign/campaigns/{segment(campaign)}/calls.{form}"
    chunks = customer(context).stream(path, {"since": since, "until": until})
    if output is None:
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        return
    size = _write(chunks, check_writable(output))
    if as_json:
        show_json({"file": str(output), "format": form, "bytes": size})
    else:
        say(f"Wrote {output}.")


def _write(chunks: Iterator[bytes], output: Path) -> int:
    """How many bytes were written to the file, which is there whole or as it was before."""
    if output.exists() and not output.is_file():
        # A device or a pipe, which nothing can be put in the place of.
        with output.open("wb") as out:
            return sum(out.write(chunk) for chunk in chunks)
    beside = output.with_name(f"{output.name}.part")
    try:
        with beside.open("wb") as out:
            size = sum(out.write(chunk) for chunk in chunks)
        beside.replace(output)
    finally:
        beside.unlink(missing_ok=True)
    return size


class Ended:
    """Finds the calls that have ended since the last look, each once; those before the first look are not told."""

    def __init__(self, api: Api, campaign: str | None) -> None:
        self._api, self._campaign = api, campaign
        self._last: int | None = None
        self._open: set[str] = set()

    def look(self) -> list[dict[str, Any]]:
        """Calls that have ended, oldest first. Numbers of calls ascend, so what is new stands before the last one."""
        first = self._last is None
        under_way = {call["id"]: call for call in self._pages(status="in_progress")}
        new = self._new()
        found = [] if first else [call for call in new if call["status"] == "ended"]
        gone = self._open - under_way.keys() - {call["id"] for call in found}
        for call in (self._api.get(f"{PATH}/{segment(call_id)}") for call_id in gone):
            if call["status"] == "ended":
                found.append(call)
            else:
                under_way[call["id"]] = call
        self._open = under_way.keys() | {call["id"] for call in new if call["status"] != "ended"}
        return sorted(found, key=lambda call: call["number"])

    def _new(self) -> list[dict[str, Any]]:
        last, new = self._last, []
        for call in self._pages():
            if last is None:
                # The first look: where to begin, no more.
                self._last = call["number"]
                return []
            if call["number"] <= last:
                break
            new.append(call)
        self._last = max([last or 0, *(call["number"] for call in new)])
        return new

    def _pages(self, **query: str) -> Iterator[dict[str, Any]]:
        return self._api.pages(PATH, "calls", {"campaign": self._campaign, **query})
