"""Dashboard and alerts ask for what a running system has; promtool finds that the alerts fire when they must."""

import itertools
import json
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiokafka import AIOKafkaProducer

from deploy.demo.dial import new_campaign
from deploy.local.servers import Addresses
from shared.clock import utc_now
from shared.domain.ids import SHARDS
from shared.topics import CONTACT_BATCHES
from tests.e2e.system import System, system_on
from tests.eventually import eventually
from tests.monitoring.prometheus import Prometheus, scraping, tool

MONITORING = Path(__file__).resolve().parents[2] / "deploy" / "monitoring"
ALERTS = MONITORING / "alerts.yaml"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((MONITORING / "dashboard.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
COMPARED = re.compile(r" (==|!=|<=|>=|<|>) ")
# One of each: answered with a person, refused with a word about us, an answer that is lost.
CARRIER = {
    "DIALSTREAM_SIMULATOR_RULES": json.dumps(
        [
            {"pattern": "1$", "ending": "refused"},
            {"pattern": "2$", "ending": "answered", "fault": "silent_before"},
            {"pattern": ".", "ending": "answered"},
        ]
    ),
    "DIALSTREAM_SIMULATOR_REFUSALS": json.dumps([{"code": 21215, "country": "GB"}]),
}
PHONES = ("+14155550101", "+14155550102", "+14155550103", "+442079460123")


def expressions() -> Iterator[str]:
    """Every expression, such that it has an answer also while all is well: compared, it says 0 or 1."""
    for rule in RULES:
        for part in rule["expr"].split(" and "):
            yield COMPARED.sub(r" \1 bool ", part)
    for panel in PANELS:
        yield from (target["expr"].replace("$__rate_interval", "1m") for target in panel["targets"])


@pytest.fixture(scope="module")
async def system(servers: Addresses, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A system in which everything that is counted has happened once."""
    async with system_on(servers, tmp_path_factory.mktemp("logs"), settings=CARRIER) as system:
        await system.start()
        customer = await system.new_customer()
        campaign = await new_campaign(customer.api, utc_now())
        contacts = [{"external_id": phone, "phone_numbers": [phone]} for phone in PHONES]
        await customer.api.post(f"/campaign/campaigns/{campaign}/contacts", {"contacts": contacts})
        producer = AIOKafkaProducer(bootstrap_servers=servers.kafka)
        await producer.start()
        await producer.send_and_wait(system.topic_prefix + CONTACT_BATCHES.name, b"no JSON")
        batch = {
            "schema_version": 1,
            "batch_id": "one",
            "organization_id": customer.organization_id,
            "campaign": campaign,
            "credential": customer.who.key,
            "contacts": [{"external_id": "late", "phone_numbers": ["+14155550104"]}],
        }
        await producer.send_and_wait(system.topic_prefix + CONTACT_BATCHES.name, json.dumps(batch).encode())
        await producer.stop()
        yield system


@pytest.fixture(scope="module")
async def prometheus(system: System, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Prometheus]:
    tested = [member for member in system.lineup.members if member is not system.lineup.carrier]
    targets = [member.url.removeprefix("http://") for member in tested]
    async with scraping(targets, tmp_path_factory.mktemp("prometheus")) as prometheus:
        yield prometheus


@pytest.mark.parametrize("expression", sorted(set(expressions())))
async def test_a_running_system_answers(prometheus: Prometheus, expression: str) -> None:
    # A metric that nobody has never gets an answer; one that is counted for the first time gets it after a scrape.
    await eventually(lambda: prometheus.ask(expression), timeout=60, every=0.5, saying=expression)


def promtool(*arguments: str | Path) -> str:
    done = subprocess.run([tool("promtool"), *arguments], cwd=MONITORING, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_each_alert_fires_when_it_must_and_not_else() -> None:
    promtool("check", "rules", ALERTS)
    promtool("test", "rules", MONITORING / "alerts.test.yaml")


def test_every_alert_is_tested_on_a_fleet_that_is_well_and_on_one_that_is_not() -> None:
    tests = yaml.safe_load((MONITORING / "alerts.test.yaml").read_text())["tests"]
    names = sorted(rule["alert"] for rule in RULES)
    well, _, broken = [test["alert_rule_test"] for test in tests]
    assert sorted(case["alertname"] for case in well) == names
    assert sorted(case["alertname"] for case in broken if case["exp_alerts"]) == names


def test_the_alert_knows_how_many_shards_there_are() -> None:
    [rule] = [rule for rule in RULES if rule["alert"] == "DialstreamShardsWithoutScheduler"]
    assert rule["expr"].endswith(f" < {SHARDS}")


def test_panels_do_not_overlap_and_have_a_description() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        place = panel["gridPos"]
        columns = range(place["x"], place["x"] + place["w"])
        cells = set(itertools.product(columns, range(place["y"], place["y"] + place["h"])))
        assert not taken & cells, panel["title"]
        assert panel["description"]
        taken |= cells
