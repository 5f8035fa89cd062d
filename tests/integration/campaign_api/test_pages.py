"""The pages for people come from the gateway alone, so that they work without internet."""

import re
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest

from tests.integration.campaign_api.client import Api


class References(HTMLParser):
    """Every address that the page names, with the tag that names it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.scripts_inside = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = [value for name, value in attributes if name in {"href", "src"} and value is not None]
        self.found.extend((tag, address) for address in named)
        self.scripts_inside += tag == "script" and not named


@pytest.mark.parametrize("prefix", ["", "/operations"])
async def test_everything_that_the_page_loads_is_here(api: Api, prefix: str) -> None:
    page = await api.call("GET", f"{prefix}/docs")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    references = References()
    references.feed(page.raw.decode())
    assert references.scripts_inside == 0
    kinds = {"script": "text/javascript", "link": "text/css", "a": "application/json"}
    loaded: dict[str, str] = {}
    for tag, address in references.found:
        assert "//" not in address
        answer = await api.call("GET", urljoin(f"{prefix}/docs", address))
        assert answer.status == 200, address
        kind = "image/png" if address.endswith(".png") else kinds[tag]
        assert answer.headers["Content-Type"].partition(";")[0] == kind
        loaded[address] = answer.raw.decode("latin-1")
    assert len(loaded) == 5
    # What the files themselves would load: only what is written inside them, and the document.
    assert set(re.findall(r"url\(['\"]?([a-z]+:|[^)]{0,20})", loaded["docs/swagger-ui.css"])) == {"data:"}
    assert "@import" not in loaded["docs/swagger-ui.css"]
    assert 'url: "openapi.json"' in loaded["docs/docs.js"]
    assert "validatorUrl: null" in loaded["docs/docs.js"]
    assert "SwaggerUIBundle" in loaded["docs/swagger-ui-bundle.js"]


async def test_the_browser_is_told_to_load_nothing_from_outside(api: Api) -> None:
    policy = (await api.call("GET", "/docs")).headers["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    sources = {source for rule in rules.values() for source in rule.split()}
    assert sources == {"'none'", "'self'", "'unsafe-inline'", "data:"}
    assert rules["script-src"] == "'self'"


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fdocs.html", "%2e%2e%2fsettings.py", "swagger-ui%2FLICENSE", ""])
async def test_no_other_file_can_be_had(api: Api, name: str) -> None:
    answer = await api.call("GET", f"/docs/{name}")
    assert (answer.status, list(answer.body)) == (404, ["detail"])


async def test_the_front_page_says_what_this_is_and_where_to_read_on(api: Api) -> None:
    front = await api.call("GET", "/")
    assert (front.status, front.body["name"]) == (200, "Dialstream")
    document = (await api.call("GET", front.body["openapi"])).body
    assert document["info"]["version"] == front.body["version"]
    for page in ("docs", "openapi", "health"):
        assert (await api.call("GET", front.body[page])).status == 200


async def test_what_carrier_and_probes_ask_for_is_in_a_document_of_its_own(api: Api) -> None:
    customers = (await api.call("GET", "/openapi.json")).body["paths"]
    theirs = (await api.call("GET", "/operations/openapi.json")).body["paths"]
    assert {"/health/live", "/health/ready", "/metrics"} < theirs.keys()
    assert customers.keys() & theirs.keys() == set()
    assert [path for path in customers if not path.startswith(("/campaign/", "/admin/", "/files"))] == ["/"]
