"""The application of this API, mounted at `/sysevo`; its routes are below `/sysevo/api/v1`."""

from typing import Final

from fastapi import FastAPI

from services.campaign_api.http import docs_page
from services.campaign_api.http.application import application
from services.campaign_api.http.edge import Edge
from services.campaign_api.http.openapi import About
from services.campaign_api.sysevo.errors import form, install_declined
from services.campaign_api.sysevo.routes import campaigns, files, lifecycle, results, telephony, workflows

PREFIX: Final = "/sysevo"
ABOUT: Final = About(
    title="Dialstream for clients of SysEvo and Dograh",
    version="1.0.0",
    description="""Outbound calling campaigns by the paths, words and forms that clients of SysEvo and Dograh use.

Every request carries `X-API-Key: …` or `Authorization: Bearer …`: an organization key (`ak_…`), or a personal token
(`pat_…`) together with the header `X-Anyreach-Org`. Unknown fields are ignored; times are ISO 8601 in UTC. The names of
products are used for compatibility only: Dialstream is neither of them.
""",
    tags={
        "Campaigns": "Whom to call, when, and how it goes.",
        "Files": "Uploads and downloads by signed URLs.",
        "Results": "Progress, runs and reports.",
        "Workflows": "Voice agents, under this API's word.",
        "Telephony": "Carriers' accounts and their numbers.",
    },
    prefix=PREFIX,
)
ROUTERS: Final = (
    campaigns.router,
    files.router,
    lifecycle.router,
    results.router,
    workflows.router,
    telephony.router,
)


def build(edge: Edge) -> FastAPI:
    """The application."""
    app = application(ABOUT, (*ROUTERS, docs_page.router), form, edge)
    install_declined(app)
    return app
