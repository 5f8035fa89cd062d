"""The native API's application, at the root of the gateway: `/campaign/…`."""

from typing import Final

from fastapi import FastAPI

from services.campaign_api.http.application import application
from services.campaign_api.http.edge import Edge
from services.campaign_api.http.openapi import About
from services.campaign_api.native.errors import form
from services.campaign_api.native.routes import (
    agents,
    callbacks,
    caller_numbers,
    calling_hours,
    calls,
    campaign_log,
    campaigns,
    companies,
    concurrency,
    configurations,
    contacts,
    credential,
    diagnosis,
    do_not_call,
    files,
    imports,
    ingest_batches,
    limits,
    people,
    preview,
    redial,
    results,
    statistics,
    telephony_accounts,
    webhook_deliveries,
    webhooks,
)

ABOUT: Final = About(
    title="Dialstream",
    version="1.0.0",
    description="""Outbound calling campaigns for voice agents.

Every request carries `Authorization: Bearer …`: an organization key (`ak_…`), or a personal token (`pat_…`)
together with the header `X-Anyreach-Org`. Times are ISO 8601 in UTC. A campaign or contact can be addressed
by its id or by your own `external_id`, percent-encoded.
""",
)
ROUTERS: Final = (
    campaigns.router,
    contacts.router,
    callbacks.router,
    calls.router,
    campaign_log.router,
    results.router,
    statistics.router,
    diagnosis.router,
    preview.router,
    configurations.router,
    caller_numbers.router,
    agents.router,
    people.router,
    companies.router,
    telephony_accounts.router,
    concurrency.router,
    credential.router,
    calling_hours.router,
    do_not_call.router,
    files.router,
    imports.router,
    redial.router,
    ingest_batches.router,
    limits.router,
    webhooks.router,
    webhook_deliveries.router,
)


def build(edge: Edge) -> FastAPI:
    """The application. Its document is the gateway's, which lists the routes of both."""
    return application(ABOUT, ROUTERS, form, edge, openapi_url=None)
