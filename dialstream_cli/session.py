"""What all commands share: the login that options, environment and file make together."""

import os
from typing import Annotated

import typer

from dialstream_cli.client import Api
from dialstream_cli.credentials import Login, customer_api, file_of, from_environment, kept, operator_api

Limit = Annotated[int, typer.Option(min=1, help="At most so many rows.")]


def login_of(context: typer.Context) -> Login:
    """How to reach the API; what the options lack is taken from the environment, then from the file."""
    given = context.find_object(Login) or Login()
    return given.over(from_environment(os.environ)).completed_by(kept(file_of(os.environ)))


def customer(context: typer.Context) -> Api:
    """The API as the organization. Raises UsageFault where address or key is missing."""
    return customer_api(login_of(context))


def operator(context: typer.Context) -> Api:
    """The API as the operator. Raises UsageFault where address or token is missing."""
    return operator_api(login_of(context))
