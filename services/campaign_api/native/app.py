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
    next_call,
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
    tags={
        "Campaigns": "Whom to call, when, and how it goes.",
        "Contacts": "The people of a campaign, with their attempts.",
        "Callbacks": "Contacts that wait to be called again.",
        "Credentials": "The credential that a request carries.",
        "Calls": "Calls under way and made; reports and downloads.",
        "Results": "What voice agents report of their calls.",
        "Configurations": "Calling windows, retries and agents of campaigns.",
        "Caller numbers": "The numbers that calls are made from.",
        "Agents": "Voice agents.",
        "People": "The contact book.",
        "Companies": "The companies of the contact book.",
        "Telephony accounts": "Carriers' accounts of your own.",
        "Concurrency": "How many calls at once.",
        "Calling hours": "Hours and closures of the whole organization.",
        "Do not call": "Numbers that nobody calls.",
        "Files": "Uploads and downloads by signed URLs.",
        "Imports": "CSV files that become contacts.",
        "Kafka batches": "What became of contacts that came through Kafka.",
        "Limits": "How often one number may be called.",
        "Webhooks": "Having your systems told what happens.",
        "Operator": "Organizations and their credentials; needs the operator's token.",
        "About": "What this is.",
    },
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
    next_call.router,
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
