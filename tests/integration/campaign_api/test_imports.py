"""Imports over HTTP, from the request to the contacts, with contact-ingest at work; and redials."""

from collections.abc import AsyncIterator

import pytest

from services.contact_ingest.jobs import Jobs
from shared.store.catalog.file_contents import GridFSFiles
from tests.integration.campaign_api.conftest import Stack


@pytest.fixture
async def jobs(stack: Stack) -> AsyncIterator[Jobs]:
    working = Jobs(stack.store, stack.producer, GridFSFiles(stack.store), "ingest-1")
    yield working
    await working.stop()
