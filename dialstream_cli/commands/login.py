"""`dialstream login`: keep address and credential, once the API has taken them."""

import os
import sys
from typing import Annotated

import typer

from dialstream_cli.credentials import Login, customer_api, file_of, keep, kept, operator_api
from dialstream_cli.faults import UsageFault
from dialstream_cli.output import AsJson, say, show_json


def login(
    url: Annotated[str, typer.Argument(help="Where campaign-api is, such as https://dialer.example.com.")],
    operator: Annotated[bool, typer.Option("--operator", help="The credential is the operator's token.")] = False,
    organization: Annotated[
        str | None, typer.Option("--organization", help="For a personal token: the organization's id.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Keep an address and a credential, which is asked for, or read from standard input.

    The file can be read by its owner alone. The credential is no option: others would see it in the list of processes.
    """
    credential = _credential("Token" if operator else "Key")
    file = file_of(os.environ)
    if operator:
        new = Login(url=url, operator_token=credential)
        operator_api(new).get("/admin/organizations", {"limit": 1})
    else:
        new = Login(url=url, key=credential, organization=organization)
        customer_api(new).get("/campaign/timezones")
    written = keep(_beside_the_other_credential(new), file)
    if as_json:
        show_json({"url": url, "file": str(written)})
    else:
        say(f"Logged in at {url}; kept in {written}.")


def _credential(name: str) -> str:
    """The credential, without blanks around it. Raises UsageFault for none."""
    if sys.stdin.isatty():
        return str(typer.prompt(name, hide_input=True, err=True)).strip()
    # Not by the prompt: that asks the terminal, where there is one, whatever standard input is.
    credential = sys.stdin.readline().strip()
    if not credential:
        raise UsageFault(f"Standard input has no {name.lower()}.")
    return credential


def _beside_the_other_credential(new: Login) -> Login:
    """The login with what an earlier one has kept for the same address: the operator's token, or the customer's key."""
    try:
        earlier = kept(file_of(os.environ))
    except UsageFault:
        # It is written anew.
        return new
    if new.key is not None:
        earlier = Login(url=earlier.url, operator_token=earlier.operator_token)
    return new.completed_by(earlier)
