"""`dialstream config check`: whether services would start on the environment's settings."""

import os

import typer

from dialstream_cli.faults import UsageFault
from dialstream_cli.output import AsJson, show

app = typer.Typer(help="The settings of services.", no_args_is_help=True)


@app.callback()
def settings() -> None:
    """The settings of services."""


@app.command()
def check(as_json: AsJson = False) -> None:
    """Check the DIALSTREAM_… variables of the environment as services do at their start; ends with 2 for a fault."""
    # The rules are the services' own, and take a second to load. Nothing else of this package knows them.
    from deploy.check_settings import check as check_settings  # noqa: PLC0415
    from deploy.check_settings import rows  # noqa: PLC0415

    remarks = check_settings(os.environ)
    show(rows(remarks), ("kind", "said"), as_json=as_json)
    if remarks.faults:
        raise UsageFault(f"{len(remarks.faults)} settings cannot work.")
