"""The commands of `dialstream` and what is common to them: options, exit codes, endings."""

import os
import sys
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from dialstream_cli import __version__
from dialstream_cli.commands import (
    callbacks,
    calls,
    campaigns,
    contacts,
    do_not_call,
    doctor,
    ingest,
    keys,
    login,
    numbers,
    settings,
    webhooks,
)
from dialstream_cli.credentials import Login
from dialstream_cli.faults import EXIT_FAILED, CommandFault, UsageFault
from dialstream_cli.output import say


class Commands(TyperGroup):
    """All commands. One whose reader has had enough (`| head`) has done what was wanted."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Raises what it raises, but for a pipe that nothing reads any more: Exit with 0."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Python must not write to it once more at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit from None


app = typer.Typer(
    name="dialstream",
    cls=Commands,
    help="Outbound calling campaigns, from a terminal. A table on a terminal, tab-separated values elsewhere.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("login")(login.login)
app.add_typer(campaigns.app, name="campaigns")
app.add_typer(contacts.app, name="contacts")
app.add_typer(calls.app, name="calls")
app.add_typer(callbacks.app, name="callbacks")
app.add_typer(do_not_call.app, name="dnc")
app.add_typer(numbers.app, name="numbers")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(keys.app, name="keys")
app.command("ingest")(ingest.ingest)
app.command("doctor")(doctor.doctor)
app.add_typer(settings.app, name="config")
# What a shell reports of a command that Ctrl-C has ended.
EXIT_INTERRUPTED = 130


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    _: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and end.")
    ] = False,
    url: Annotated[
        str | None, typer.Option(help="Where campaign-api is; else DIALSTREAM_URL, else of `login`.")
    ] = None,
    organization: Annotated[
        str | None, typer.Option(help="The organization's id, for personal tokens and `ingest`.")
    ] = None,
) -> None:
    """Outbound calling campaigns, from a terminal. A table on a terminal, tab-separated values elsewhere."""
    context.obj = Login(url=url, organization=organization)


def main() -> None:
    """Run one command. Exit codes: 0, 1 an error, 2 a wrong use, 3 the API or a server is not reachable."""
    if isinstance(sys.stdout, TextIOWrapper):
        # A name in letters that the terminal does not know must not end a list in its middle.
        sys.stdout.reconfigure(errors="replace")
    try:
        _check_arguments(sys.argv)
        app()
    except CommandFault as fault:
        say(str(fault))
        sys.exit(fault.exit_code)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except OSError as error:
        # A full disk, for example. What concerns servers is a CommandFault already.
        say(f"{error.filename or 'The output'} cannot be read or written: {error.strerror or error}.")
        sys.exit(EXIT_FAILED)


def _check_arguments(arguments: list[str]) -> None:
    """Raises UsageFault for bytes that are no text: they could be neither sent nor printed."""
    try:
        "".join(arguments).encode()
    except UnicodeEncodeError:
        raise UsageFault("An argument is no text in UTF-8.") from None
