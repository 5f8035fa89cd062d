"""`dialstream numbers …`: the organization's caller numbers."""

from typing import Annotated, Final

import typer

from dialstream_cli.client import segment
from dialstream_cli.output import AsJson, say, show, show_json, show_one
from dialstream_cli.session import Limit, customer

app = typer.Typer(help="Caller numbers: those that calls are made from.", no_args_is_help=True)
PATH: Final = "/campaign/caller-numbers"
COLUMNS: Final = (
    "id",
    "number",
    "label",
    "active",
    "pools",
    "weight",
    "max_calls",
    "daily_limit",
    "calls_per_second",
    "telephony_account_id",
)
USE: Final = (
    "id",
    "number",
    "active_calls",
    "calls_today",
    "ended_calls.ended",
    "ended_calls.answered",
    "ended_calls.answer_rate",
    "resting.until",
    "resting.said",
)
Number = Annotated[str, typer.Argument(help="The caller number's id.")]


@app.command("list")
def list_all(
    context: typer.Context,
    pool: Annotated[str | None, typer.Option(help="Only those of this pool.")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List caller numbers, newest first."""
    show([*customer(context).pages(PATH, "caller_numbers", {"pool": pool}, most=limit)], COLUMNS, as_json=as_json)


@app.command()
def use(
    context: typer.Context,
    hours: Annotated[int, typer.Option(min=1, max=168, help="Count ended calls that began in the last so many.")] = 24,
    as_json: AsJson = False,
) -> None:
    """Show calls now and today, the answer rate, and what rests, of all caller numbers by their digits."""
    found = customer(context).get("/campaign/caller-number-use", {"hours": hours})
    if as_json:
        show_json(found)
        return
    show(found["caller_numbers"], USE, as_json=False)
    say(f"Ended calls are those that began since {found['ended_calls_since']}.")


@app.command()
def add(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="In E.164.")],
    label: Annotated[str, typer.Option(help="For people.")] = "",
    pool: Annotated[list[str] | None, typer.Option(help="A pool it is in; may be repeated.")] = None,
    max_calls: Annotated[int | None, typer.Option(min=1, help="Calls at once.")] = None,
    daily_limit: Annotated[int | None, typer.Option(min=1, help="Calls a day (UTC).")] = None,
    account: Annotated[str | None, typer.Option(help="The telephony account's id; else the operator's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Register a number to call from."""
    body = {
        "number": number,
        "label": label,
        "pools": pool or [],
        "max_calls": max_calls,
        "daily_limit": daily_limit,
        "telephony_account_id": account,
    }
    show_one(customer(context).post(PATH, body), COLUMNS, as_json=as_json)


@app.command()
def switch(
    context: typer.Context,
    number: Number,
    on: Annotated[bool, typer.Option("--on/--off", help="Whether calls are made from it.")],
    as_json: AsJson = False,
) -> None:
    """Switch a number on or off."""
    changed = customer(context).send("PATCH", f"{PATH}/{segment(number)}", body={"active": on})
    show_one(changed, COLUMNS, as_json=as_json)


@app.command()
def remove(context: typer.Context, number: Number, as_json: AsJson = False) -> None:
    """Take a number out of the registry."""
    show_one(customer(context).delete(f"{PATH}/{segment(number)}"), ("id", "deleted"), as_json=as_json)
