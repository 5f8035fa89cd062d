"""What commands print: a table on a terminal, TSV elsewhere, JSON on request."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print what the API answered, as JSON.")]
Row = Mapping[str, Any]
# Letters that a column needs on the average to be read; where a terminal has fewer, each row is shown by itself.
NARROWEST_COLUMN: Final = 8


def show(rows: Sequence[Row], columns: Sequence[str], *, as_json: bool) -> None:
    """Print rows: `columns` of them, or all that they have as one JSON array."""
    if as_json:
        show_json(list(rows))
    elif sys.stdout.isatty():
        _show_table(rows, columns)
    else:
        typer.echo(tsv(rows, columns), nl=False)


def show_one(row: Row, columns: Sequence[str], *, as_json: bool) -> None:
    """Print one thing: a line for each of `columns`, or all that it has as a JSON object."""
    if as_json:
        show_json(row)
        return
    width = max(map(len, columns)) if sys.stdout.isatty() else 0
    for name in columns:
        text = cell(value_of(row, name))
        typer.echo(f"{name:<{width}}  {text}" if width else f"{name}\t{text}")


def show_json(value: Any) -> None:
    """Print a value as JSON, in lines for people on a terminal, in one line elsewhere."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))


def say(sentence: str) -> None:
    """Tell the person something that is no part of the answer, on standard error."""
    typer.echo(sentence, err=True)


def tsv(rows: Iterable[Row], columns: Sequence[str], *, head: bool = True) -> str:
    """Lines of tab-separated values with a head; tabs and ends of lines in a value become spaces."""
    lines = ["\t".join(columns)] if head else []
    lines += ["\t".join(cell(value_of(row, name)) for name in columns) for row in rows]
    return "".join(f"{line}\n" for line in lines)


def value_of(row: Row, name: str) -> Any:
    """A value by its name, `contacts.total` for one inside another; None where there is none."""
    value: Any = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def cell(value: Any) -> str:
    """A value on one line: nothing for null, a list's values with commas, an object as JSON.

    Control characters become spaces: a name must not move the reader's cursor or forge a column.
    """
    match value:
        case None:
            text = ""
        case bool():
            text = "true" if value else "false"
        case list():
            text = ", ".join(map(cell, value))
        case dict():
            text = json.dumps(value, ensure_ascii=False)
        case _:
            text = str(value)
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _show_table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    # Only here: a command that prints no table starts without it.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console()
    if console.width < NARROWEST_COLUMN * len(columns):
        for place, row in enumerate(rows):
            if place:
                typer.echo()
            show_one(row, columns, as_json=False)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell(value_of(row, name))) for name in columns))
    console.print(table)
