"""Each dialect has its own document and page of it, under its prefix."""

import pytest

from tests.integration.campaign_api.client import Api
from tests.integration.dialects.described import DESCRIBED, Described


@pytest.mark.parametrize("dialect", DESCRIBED, ids=lambda one: one.prefix)
async def test_a_dialect_has_its_document_and_a_page_of_it(api: Api, dialect: Described) -> None:
    page = await api.call("GET", f"{dialect.prefix}/docs")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert (await api.call("GET", f"{dialect.prefix}/docs/docs.js")).status == 200
    document = (await api.call("GET", f"{dialect.prefix}/openapi.json")).body
    assert [server["url"] for server in document["servers"]] == [dialect.prefix]
    assert all(not path.startswith(dialect.prefix) for path in document["paths"])
