"""The application for clients of Talkturo, mounted at `/talkturo`: routes under `/api`."""

from typing import Final

from fastapi import FastAPI

from services.campaign_api.http import docs_page
from services.campaign_api.http.application import application
from services.campaign_api.http.edge import Edge
from services.campaign_api.http.openapi import About
from services.campaign_api.talkturo.errors import form
from services.campaign_api.talkturo.routes import (
    calls,
    campaign_contacts,
    campaigns,
    companies,
    contacts,
    registry,
)

PREFIX: Final = "/talkturo"
ABOUT: Final = About(
    title="Dialstream for clients of Talkturo",
    version="1.0.0",
    description="""Outbound calling campaigns, by the requests that Talkturo's clients send.

The name is used for compatibility alone: Dialstream is neither made nor endorsed by Talkturo. Every request carries
`Authorization: Bearer ak_…`. Body fields may be written in camelCase or snake_case; ids are ours with a prefix, bare
UUIDs, or your own external ids.
""",
    tags={
        "Keys": "Whether a key is good.",
        "Assistants": "Voice agents, under this API's word.",
        "Phone numbers": "The numbers that calls are made from.",
        "Campaigns": "Whom to call, when, and how it goes.",
        "Campaign contacts": "Who is called in a campaign.",
        "Contacts": "The contact book.",
        "Companies": "The companies of the contact book.",
        "Calls": "Calls under way and made.",
    },
    prefix=PREFIX,
)
ROUTERS: Final = (
    registry.router,
    campaigns.router,
    campaign_contacts.router,
    contacts.router,
    companies.router,
    calls.router,
)


def build(edge: Edge) -> FastAPI:
    """The application, with its own document and documentation."""
    return application(ABOUT, (*ROUTERS, docs_page.router), form, edge)
