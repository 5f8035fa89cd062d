"""The commands of `dialstream` and what is common to them: options, exit codes, endings."""

import os
import sys
from typing import Annotated

import typer

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
from dialstream_cli.faults import CommandFault
from dialstream_cli.output import say

app = typer.Typer(
    name="dialstream",
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


@app.callback()
def options(
    context: typer.Context,
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
    try:
        app()
    except CommandFault as fault:
        say(str(fault))
        sys.exit(fault.exit_code)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # The reader, `head` for example, has had enough; Python must not write to it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
