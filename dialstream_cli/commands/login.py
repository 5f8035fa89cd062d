"""`dialstream login`: keep address and credential, once the API has taken them."""

import os
from typing import Annotated

import typer

from dialstream_cli.credentials import Login, customer_api, file_of, keep, kept, operator_api
from dialstream_cli.output import say


def login(
    url: Annotated[str, typer.Argument(help="Where campaign-api is, such as https://dialer.example.com.")],
    operator: Annotated[bool, typer.Option("--operator", help="The credential is the operator's token.")] = False,
    organization: Annotated[
        str | None, typer.Option("--organization", help="For a personal token: the organization's id.")
    ] = None,
) -> None:
    """Keep an address and a credential, which is asked for, or read from standard input.

    The file can be read by its owner alone. The credential is no option: others would see it in the list of processes.
    """
    credential = typer.prompt("Token" if operator else "Key", hide_input=True, err=True).strip()
    file = file_of(os.environ)
    if operator:
        new = Login(url=url, operator_token=credential)
        operator_api(new).get("/admin/organizations", {"limit": 1})
    else:
        new = Login(url=url, key=credential, organization=organization)
        customer_api(new).get("/campaign/timezones")
    keep(new.completed_by(kept(file)), file)
    say(f"Logged in at {url}; kept in {file}.")
