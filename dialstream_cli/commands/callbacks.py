"""`dialstream callbacks …`: who waits to be called back, and what is to become of it."""

from typing import Annotated, Any, Final

import typer

from dialstream_cli.client import segment
from dialstream_cli.commands.calls import OfCampaign
from dialstream_cli.commands.campaigns import AnyCampaign
from dialstream_cli.output import AsJson, show, show_one
from dialstream_cli.session import Limit, customer

app = typer.Typer(help="Callbacks: who waits to be called again, and when.", no_args_is_help=True)
PATH: Final = "/campaign/callbacks"
LISTED: Final = (
    "id",
    "type",
    "at",
    "next_attempt_at",
    "waiting_for.reason",
    "phone_numbers",
    "external_id",
    "campaign_id",
    "notes",
)
CHANGED: Final = ("id", "external_id", "status", "ended_because", "next_attempt_at", "waiting_for.reason")
Callback = Annotated[str, typer.Argument(help="The callback's id.")]
At = Annotated[str, typer.Argument(help="Not before this time, such as 2027-03-05T15:30Z.")]
Notes = Annotated[str | None, typer.Option(help="For people.")]


@app.command("list")
def list_all(
    context: typer.Context,
    campaign: OfCampaign = None,
    kind: Annotated[str | None, typer.Option("--type", help="Only those of this type.")] = None,
    due_after: Annotated[str | None, typer.Option(help="Only those due at this time or later.")] = None,
    due_before: Annotated[str | None, typer.Option(help="Only those due before this time.")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List callbacks, soonest first."""
    query = {"campaign": campaign, "type": kind, "due_after": due_after, "due_before": due_before}
    show([*customer(context).pages(PATH, "callbacks", query, most=limit)], LISTED, as_json=as_json)


@app.command()
def request(
    context: typer.Context,
    campaign: AnyCampaign,
    contact: Annotated[str, typer.Argument(help="The contact's id or external_id.")],
    at: At,
    notes: Notes = None,
    as_json: AsJson = False,
) -> None:
    """Call a contact back at a time, whatever has become of it so far."""
    path = f"/campaign/campaigns/{segment(campaign)}/contacts/{segment(contact)}/callback"
    show_one(customer(context).post(path, {"at": at, "notes": notes}), CHANGED, as_json=as_json)


@app.command()
def reschedule(
    context: typer.Context, callback: Callback, at: At, notes: Notes = None, as_json: AsJson = False
) -> None:
    """Call back at another time."""
    _change(context, callback, "reschedule", {"at": at, "notes": notes}, as_json=as_json)


@app.command()
def now(context: typer.Context, callback: Callback, as_json: AsJson = False) -> None:
    """Call back as soon as hours and limits allow."""
    _change(context, callback, "now", None, as_json=as_json)


@app.command()
def skip(context: typer.Context, callback: Callback, as_json: AsJson = False) -> None:
    """Leave out this retry; a requested callback is dropped."""
    _change(context, callback, "skip", None, as_json=as_json)


@app.command()
def cancel(context: typer.Context, callback: Callback, as_json: AsJson = False) -> None:
    """Call the contact no more in this campaign."""
    _change(context, callback, "cancel", None, as_json=as_json)


@app.command()
def done(context: typer.Context, callback: Callback, as_json: AsJson = False) -> None:
    """Note that the matter is settled."""
    _change(context, callback, "done", None, as_json=as_json)


def _change(context: typer.Context, callback: str, verb: str, body: Any, *, as_json: bool) -> None:
    show_one(customer(context).post(f"{PATH}/{segment(callback)}/{verb}", body), CHANGED, as_json=as_json)
