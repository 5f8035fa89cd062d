"""This dialect's application: `/smartalex/v1/…`, its own document and its own page of it."""

from typing import Final

from fastapi import FastAPI

from services.campaign_api.http import docs_page
from services.campaign_api.http.application import application
from services.campaign_api.http.edge import Edge
from services.campaign_api.http.openapi import About
from services.campaign_api.smartalex.errors import NobodyToCall, form, nobody_to_call
from services.campaign_api.smartalex.routes import agents, callbacks, calls, campaigns, contacts, imports, webhooks

PREFIX: Final = "/smartalex"
ABOUT: Final = About(
    title="Dialstream for clients of SmartAlex",
    version="1.0.0",
    description="""Outbound calling campaigns, in the requests and answers that clients of SmartAlex send and expect.

Every request carries `Authorization: Bearer <key>`. Answers are `{"data": …}`, lists
`{"data": […], "meta": {"total", "page", "per_page"}}`, refusals `{"error": {"code", "message", "status"}}`. Times are
ISO 8601 in UTC, whole seconds. The product's name stands here for compatibility only.
""",
    tags={
        "Campaigns": "Whom to call, when, and how it goes.",
        "Contacts": "The contact book.",
        "Imports": "Contacts from CSV files.",
        "Callbacks": "Contacts that wait to be called again.",
        "Calls": "Calls under way and made.",
        "Agents": "Voice agents.",
        "Webhooks": "Having your systems told what happens.",
    },
    prefix=PREFIX,
)
ROUTERS: Final = (
    campaigns.router,
    # Before that of contacts, which would take its addresses for ids.
    imports.router,
    contacts.router,
    callbacks.router,
    calls.router,
    agents.router,
    webhooks.router,
)


def build(edge: Edge) -> FastAPI:
    """The application."""
    app = application(ABOUT, (*ROUTERS, docs_page.router), form, edge)
    app.add_exception_handler(NobodyToCall, nobody_to_call)
    return app
