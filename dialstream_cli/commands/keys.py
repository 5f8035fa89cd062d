"""`dialstream keys …`: keys of organizations, which the operator makes."""

from typing import Annotated, Any, Final

import typer

from dialstream_cli.client import segment
from dialstream_cli.output import AsJson, say, show, show_one
from dialstream_cli.session import Limit, operator

app = typer.Typer(help="Keys of organizations; needs the operator's token.", no_args_is_help=True)
PATH: Final = "/admin/organization-pats"
LISTED: Final = ("id", "organization_id", "name", "scopes", "expires_at", "request_limits", "created_at")


@app.command("list")
def list_all(context: typer.Context, limit: Limit = 50, as_json: AsJson = False) -> None:
    """List the keys of all organizations, newest first."""
    show([*operator(context).pages(PATH, "organization_pats", most=limit)], LISTED, as_json=as_json)


@app.command()
def create(
    context: typer.Context,
    organization: Annotated[str, typer.Argument(help="The organization's id.")],
    name: Annotated[str, typer.Argument(help="For people.")],
    scope: Annotated[list[str] | None, typer.Option(help="May be repeated; else the usual ones.")] = None,
    as_json: AsJson = False,
) -> None:
    """Create a key; it is shown this once."""
    body: dict[str, Any] = {"organization_id": organization, "name": name}
    made = operator(context).post(PATH, body | ({"scopes": scope} if scope else {}))
    show_one(made, (*LISTED, "key"), as_json=as_json)
    say("Keep the key: it is not shown again.")


@app.command()
def revoke(
    context: typer.Context, key: Annotated[str, typer.Argument(help="The key's id.")], as_json: AsJson = False
) -> None:
    """Delete a key; it is refused from now on."""
    show_one(operator(context).delete(f"{PATH}/{segment(key)}"), ("id", "deleted"), as_json=as_json)
