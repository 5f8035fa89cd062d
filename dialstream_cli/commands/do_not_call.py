"""`dialstream dnc …`: the organization's do-not-call list."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from dialstream_cli.client import Api, segment
from dialstream_cli.commands.contacts import progress
from dialstream_cli.faults import CommandFault, Refused
from dialstream_cli.output import AsJson, say, show, show_one
from dialstream_cli.rows import (
    FileRow,
    SetAside,
    batches,
    check_writable,
    count_of,
    lines_of,
    set_aside_file,
    write_set_aside,
)
from dialstream_cli.session import Limit, customer

app = typer.Typer(help="The do-not-call list: numbers that nobody calls.", no_args_is_help=True)
PATH: Final = "/campaign/do-not-call"
LISTED: Final = ("phone_number", "reason", "source", "created_at")
Reason = Annotated[str | None, typer.Option(help="For people.")]


@app.command()
def add(
    context: typer.Context,
    numbers: Annotated[list[str], typer.Argument(help="In E.164, such as +14155550123.")],
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """List numbers: they are not called any more."""
    answer = customer(context).post(PATH, {"phone_numbers": numbers, "reason": reason}, again=True)
    show(answer["do_not_call"], LISTED, as_json=as_json)


@app.command("list")
def list_all(context: typer.Context, limit: Limit = 50, as_json: AsJson = False) -> None:
    """List the numbers, newest first."""
    show([*customer(context).pages(PATH, "do_not_call", most=limit)], LISTED, as_json=as_json)


@app.command()
def remove(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="In E.164.")],
    as_json: AsJson = False,
) -> None:
    """Take a number off the list."""
    answer = customer(context).delete(f"{PATH}/{segment(number)}")
    show_one(answer, ("phone_number", "deleted"), as_json=as_json)
    for warning in answer.get("warnings", ()):
        say(f"{warning['code']}: {warning['message']}")


@app.command("import")
def import_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A number in E.164 on each line.")],
    reason: Reason = None,
    refused: Annotated[Path | None, typer.Option(help="Where refused rows go; else FILE.refused.csv.")] = None,
    as_json: AsJson = False,
) -> None:
    """List all numbers of a file; rows that are refused go to a file, and the exit code is 1."""
    api, target = customer(context), check_writable(refused or set_aside_file(file))
    bad: list[SetAside] = []
    listed = 0
    try:
        with progress(f"Loading {file.name}", count_of(file)) as advance:
            for batch in batches(lines_of(file)):
                listed += _list_numbers(api, batch, reason, bad)
                advance(len(batch))
    finally:
        if bad:
            write_set_aside(bad, target)
    answer: dict[str, Any] = {"listed": listed, "refused": len(bad), "refused_rows": str(target) if bad else None}
    show_one(answer, tuple(answer), as_json=as_json)
    if bad:
        raise CommandFault(f"{len(bad)} rows were refused; see {target}.")


def _list_numbers(api: Api, rows: list[FileRow], reason: str | None, bad: list[SetAside]) -> int:
    """How many of the rows are listed now. Those that are no numbers go to `bad`, and the others out once more."""
    while rows:
        try:
            api.post(PATH, {"phone_numbers": [row.text for row in rows], "reason": reason}, again=True)
        except Refused as refusal:
            wrong = bad_numbers(refusal, rows)
            if not wrong:
                raise
            bad += wrong
            known = {row.row for row in wrong}
            rows = [row for row in rows if row.number not in known]
        else:
            break
    return len(rows)


def bad_numbers(refusal: Refused, rows: list[FileRow]) -> list[SetAside]:
    """The rows that a refusal names, by `["body", "phone_numbers", index]`; none where something else is wrong."""
    found = []
    for error in refusal.errors:
        match error["loc"]:
            case ["body", "phone_numbers", int(index), *_] if index < len(rows):
                found.append(SetAside(rows[index].number, "phone_number", error["msg"]))
            case _:
                return []
    return found
