"""`dialstream contacts …`: load a file, show one contact with its history."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from dialstream_cli.client import Api, segment
from dialstream_cli.commands.campaigns import AnyCampaign
from dialstream_cli.faults import CommandFault, UsageFault
from dialstream_cli.output import AsJson, say, show, show_json, show_one
from dialstream_cli.rows import check_writable, count_of, lines_of, set_aside_file, write_set_aside
from dialstream_cli.session import customer
from dialstream_cli.uploads import Uploaded, upload

app = typer.Typer(help="Contacts: load a file, show one with its history.", no_args_is_help=True)
NDJSON: Final = frozenset({".ndjson", ".jsonl"})
ADDED: Final = ("inserted", "updated", "refused", "warnings", "refused_rows")
SHOWN: Final = (
    "id",
    "external_id",
    "phone_numbers",
    "timezone",
    "status",
    "ended_because",
    "waiting_for.reason",
    "waiting_for.until",
    "next_attempt_at",
    "attempts_made",
    "data",
)
ATTEMPT: Final = (
    "attempt_number",
    "started_at",
    "phone_number",
    "caller_number",
    "outcome",
    "duration_seconds",
    "error",
)
ASK_SECONDS: Final = 0.5
MOST_MAPPING: Final = 2000


@app.command()
def add(
    context: typer.Context,
    campaign: AnyCampaign,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, or NDJSON (.ndjson, .jsonl).")],
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", help="COLUMN=FIELD: what a column of a CSV file holds; may be repeated."),
    ] = None,
    refused: Annotated[
        Path | None, typer.Option(help="Where refused rows go; else beside the file, as FILE.refused.csv.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Load a file of contacts into a campaign; rows that are refused go to a file, and the exit code is 1."""
    api, target = customer(context), check_writable(refused or set_aside_file(file))
    if file.suffix.lower() in NDJSON:
        if mapping:
            raise UsageFault("--map is for CSV; lines of NDJSON name their fields themselves.")
        answer = _add_lines(api, campaign, file, target)
    else:
        answer = _add_csv(api, campaign, file, mapping_of(mapping or []), target)
    show_one(answer, ADDED, as_json=as_json)
    if answer["refused"]:
        raise CommandFault(f"{answer['refused']} rows were refused; see {target}.")


@app.command("show")
def show_contact(
    context: typer.Context,
    campaign: AnyCampaign,
    contact: Annotated[str, typer.Argument(help="The contact's id or external_id.")],
    as_json: AsJson = False,
) -> None:
    """Show a contact, what it waits for, and its attempts."""
    found = customer(context).get(f"/campaign/campaigns/{segment(campaign)}/contacts/{segment(contact)}")
    if as_json:
        show_json(found)
        return
    show_one(found, SHOWN, as_json=False)
    if found["attempts"]:
        typer.echo()
        show(found["attempts"], ATTEMPT, as_json=False)


def mapping_of(pairs: list[str]) -> dict[str, str]:
    """What columns hold, from `COLUMN=FIELD`; the column may have `=` in its name. Raises UsageFault."""
    mapping = {}
    for pair in pairs:
        column, equals, name = pair.rpartition("=")
        if not (equals and column and name):
            raise UsageFault(f"--map {pair}: write COLUMN=FIELD, such as 'Mobile=phone_numbers'.")
        mapping[column] = name
    return mapping


def _add_lines(api: Api, campaign: str, file: Path, target: Path) -> dict[str, Any]:
    so_far = Uploaded()
    try:
        with progress(f"Loading {file.name}", count_of(file)) as advance:
            for rows, so_far in upload(api, campaign, lines_of(file)):  # noqa: B007 - what is stored when it fails
                advance(rows)
    finally:
        if so_far.refused:
            write_set_aside(so_far.refused, target)
    return {
        "inserted": so_far.inserted,
        "updated": so_far.updated,
        "refused": len(so_far.refused),
        "warnings": len(so_far.warnings),
        "refused_rows": str(target) if so_far.refused else None,
    }


def _add_csv(api: Api, campaign: str, file: Path, mapping: Mapping[str, str], target: Path) -> dict[str, Any]:
    written = json.dumps(mapping, ensure_ascii=False, separators=(",", ":")) if mapping else None
    if written is not None and len(written) > MOST_MAPPING:
        raise UsageFault(f"All --map together have at most {MOST_MAPPING} characters; rename columns in the file.")
    job = api.send(
        "POST",
        f"/campaign/campaigns/{segment(campaign)}/imports",
        query={"mapping": written, "file_name": file.name[-255:]},
        content=(file.read_bytes(), "text/csv"),
    )
    with progress(f"Loading {file.name}", None) as advance:
        seen = 0
        while job["status"] == "running":
            time.sleep(ASK_SECONDS)
            job = api.get(f"/campaign/imports/{segment(job['id'])}")
            advance(job["rows"] - seen, job["total_rows"])
            seen = job["rows"]
    if job["refused"]:
        with target.open("wb") as out:
            out.writelines(api.stream(f"/campaign/imports/{segment(job['id'])}/refused"))
    if job["status"] == "cancelled":
        raise CommandFault(f"The import was cancelled after {job['rows']} rows, which stay.")
    if job["failure"] is not None:
        raise CommandFault(f"The import has failed after {job['rows']} rows: {job['failure']['message']}")
    return {**job, "warnings": None, "refused_rows": str(target) if job["refused"] else None}


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[..., None]]:
    """A bar on standard error while the block runs, moved by `advance(rows, total=None)`; none without a terminal."""
    if not sys.stderr.isatty():
        say(f"{what}.")
        yield lambda *_: None
        return
    from rich.console import Console  # noqa: PLC0415 - only where it is shown
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(what.replace("[", "\\["), total=total)

        def advance(rows: int, of: int | None = None) -> None:
            bar.update(task, advance=rows, total=of)

        yield advance
