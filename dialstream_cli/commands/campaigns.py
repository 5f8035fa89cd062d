"""`dialstream campaigns …`: list, make, move, follow, and say why nobody is called."""

import json
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from dialstream_cli.client import segment, stats_of_events
from dialstream_cli.commands.why import COLUMNS as WHY_COLUMNS
from dialstream_cli.commands.why import summary, why_rows
from dialstream_cli.faults import UsageFault
from dialstream_cli.output import AsJson, cell, say, show, show_json, show_one, tsv, value_of
from dialstream_cli.session import Limit, customer

app = typer.Typer(help="Campaigns: list, make, start, pause, follow, and why nobody is called.", no_args_is_help=True)
PATH: Final = "/campaign/campaigns"
# A stream that ends is followed anew: campaign-api has been restarted, or a proxy has had enough.
SECONDS_BETWEEN_STREAMS: Final = 1.0
LISTED: Final = ("id", "external_id", "name", "state", "state_reason", "priority", "created_at")
MOVED: Final = ("id", "name", "state", "state_reason")
WATCHED: Final = (
    "status",
    "contacts.total",
    "contacts.pending",
    "contacts.in_progress",
    "contacts.completed",
    "contacts.exhausted",
    "contacts.error",
    "contacts.skipped",
    "active_calls",
    "concurrency_limit",
    "last_minute.placed",
    "forecast.ends_at",
)
Campaign = Annotated[str, typer.Argument(help="The campaign's id or external_id.")]
AnyCampaign = Annotated[
    str, typer.Argument(help="The campaign's id or external_id; `default` for contacts of no campaign.")
]


@app.command("list")
def list_all(
    context: typer.Context,
    name: Annotated[str | None, typer.Option(help="Part of the name, in any case.")] = None,
    status: Annotated[list[str] | None, typer.Option(help="active, paused or closed; may be repeated.")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List campaigns, newest first."""
    query = {"name": name, "status": status or []}
    show([*customer(context).pages(PATH, "campaigns", query, most=limit)], LISTED, as_json=as_json)


@app.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="1 to 255 characters.")],
    configuration: Annotated[str | None, typer.Option(help="The configuration's id.")] = None,
    external_id: Annotated[str | None, typer.Option(help="Your own id; unique in the organization.")] = None,
    agent: Annotated[str | None, typer.Option(help="The voice agent's id.")] = None,
    number: Annotated[str | None, typer.Option(help="The number to call from, in E.164.")] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Wait for `campaigns start`.")] = False,
    file: Annotated[
        Path | None, typer.Option(help="JSON with any fields of POST /campaign/campaigns; options go over it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Create a campaign; it starts at once, unless it is a draft."""
    options: dict[str, Any] = {
        "name": name,
        "configuration_id": configuration,
        "external_id": external_id,
        "agent_id": agent,
        "agent_number": number,
        "state": "draft" if draft else None,
    }
    body = {**_fields(file), **{field: value for field, value in options.items() if value is not None}}
    _show_moved(customer(context).post(PATH, body), as_json=as_json)


@app.command()
def start(
    context: typer.Context,
    campaign: Campaign,
    max_calls: Annotated[int | None, typer.Option(min=1, help="Calls of this run, then it pauses.")] = None,
    as_json: AsJson = False,
) -> None:
    """Start a campaign that waits, is paused or has completed."""
    body = None if max_calls is None else {"max_calls": max_calls}
    _show_moved(customer(context).post(f"{PATH}/{segment(campaign)}/start", body), as_json=as_json)


@app.command()
def pause(context: typer.Context, campaign: Campaign, as_json: AsJson = False) -> None:
    """Place no more calls; those that are up go on."""
    _show_moved(customer(context).post(f"{PATH}/{segment(campaign)}/pause"), as_json=as_json)


@app.command()
def resume(context: typer.Context, campaign: Campaign, as_json: AsJson = False) -> None:
    """Go on with a paused campaign; the same as start."""
    start(context, campaign, None, as_json)


@app.command()
def cancel(
    context: typer.Context,
    campaign: Campaign,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Close a campaign for good: contacts that wait are called no more."""
    api = customer(context)
    if not yes:
        found = api.get(f"{PATH}/{segment(campaign)}")
        if not sys.stdin.isatty():
            raise UsageFault("A cancelled campaign never calls again; add --yes where nobody can be asked.")
        typer.confirm(f"Cancel {cell(found['name'])}? It never calls again.", abort=True, err=True)
    _show_moved(api.post(f"{PATH}/{segment(campaign)}/close"), as_json=as_json)


@app.command()
def watch(
    context: typer.Context,
    campaign: Campaign,
    until_done: Annotated[
        bool, typer.Option("--until-done", help="End once nobody waits and no call is up; else at Ctrl-C.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Follow a campaign's numbers as they change, at most once a second."""
    api, head, path = customer(context), True, f"{PATH}/{segment(campaign)}/events"
    while True:
        for stats in stats_of_events(api.stream(path)):
            if as_json:
                typer.echo(json.dumps(stats, ensure_ascii=False))
            elif sys.stdout.isatty():
                # On one line, however narrow the terminal is: only that one is written over.
                width = shutil.get_terminal_size().columns - 1
                typer.echo(f"\r\x1b[2K{progress_line(stats)[:width]}", nl=False)
            else:
                typer.echo(tsv([stats], WATCHED, head=head), nl=False)
            head = False
            if until_done and is_done(stats):
                if sys.stdout.isatty() and not as_json:
                    typer.echo()
                return
        time.sleep(SECONDS_BETWEEN_STREAMS)


@app.command()
def why(context: typer.Context, campaign: AnyCampaign, as_json: AsJson = False) -> None:
    """Say why nobody of a campaign is called, or so slowly, and what to do."""
    api = customer(context)
    diagnosis = api.get(f"{PATH}/{segment(campaign)}/diagnosis")
    if as_json:
        show_json(diagnosis)
        return
    if sys.stdout.isatty():
        say(summary(diagnosis))
    show(why_rows(diagnosis), WHY_COLUMNS, as_json=False)


def progress_line(stats: Mapping[str, Any]) -> str:
    """A campaign's numbers on one line of a terminal."""
    contacts = stats["contacts"]
    done = contacts["total"] - contacts["pending"] - contacts["in_progress"]
    ends_at = value_of(stats, "forecast.ends_at")
    return (
        f"{stats['status']}  {done:,} of {contacts['total']:,} done, {contacts['completed']:,} completed  "
        f"calls {stats['active_calls']:,} of {stats['concurrency_limit']:,}, "
        f"{stats['last_minute']['placed']:,} a minute" + (f"  ends {ends_at}" if ends_at else "")
    )


def is_done(stats: Mapping[str, Any]) -> bool:
    """Whether no contact of a campaign waits or is called."""
    contacts = stats["contacts"]
    return not (contacts["pending"] or contacts["in_progress"] or stats["active_calls"])


def _fields(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        fields = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageFault(f"{file} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UsageFault(f"{file} is no JSON: {error}.") from None
    if not isinstance(fields, dict):
        raise UsageFault(f"{file} is no JSON object.")
    return fields


def _show_moved(campaign: Mapping[str, Any], *, as_json: bool) -> None:
    show_one(campaign, MOVED, as_json=as_json)
    for warning in campaign.get("warnings", ()):
        say(f"{warning['code']}: {warning['message']}")
