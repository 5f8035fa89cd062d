"""Clients generated from the committed documents know every route, and one of them lists campaigns of a running API."""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from deploy.openapi import FOLDER, documents
from tests.integration.campaign_api.client import Customer

# An environment of its own, which `make setup` fills: the generator and what its clients need.
PYTHON: Final = Path(sys.prefix) / "generator" / "bin" / "python"
# Of these bodies the generator knows nothing: the operation is left out, or answers bytes.
UNKNOWN_BODIES: Final = re.compile(r"Unsupported content.?type:? (?:text/csv|application/jsonl)")
LIST_CAMPAIGNS: Final = """
import json, sys
from native import AuthenticatedClient
from native.api.campaigns import campaigns_list

client = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2])
page = campaigns_list.sync(client=client)
refused = campaigns_list.sync_detailed(client=client, cursor="none of ours")
print(json.dumps({
    "campaigns": [[str(campaign.id), campaign.status.value] for campaign in page.campaigns],
    "refused": [refused.status_code.value, type(refused.parsed).__name__],
}))
"""


def run(*arguments: str | Path, at: Path) -> str:
    """What the program of the generator's environment says."""
    done = subprocess.run([PYTHON, *arguments], cwd=at, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def generate(name: str, at: Path) -> str:
    """Make the package that is called like the document, and answer what the generator says."""
    settings = at / "settings.yaml"
    settings.write_text("post_hooks: []\n", encoding="utf-8")  # formatting takes the longest
    package = at / name.removesuffix(".json")
    options = ("--meta", "none", "--path", FOLDER / name, "--output-path", package, "--config", settings)
    return run("-m", "openapi_python_client", "generate", *options, at=at)


@pytest.mark.parametrize("name", sorted(documents().keys() - {"operations.json", "native.json"}))
def test_a_client_of_each_api_is_generated_whole(name: str, tmp_path: Path) -> None:
    check_whole(generate(name, tmp_path))


async def test_a_generated_client_lists_the_campaigns_of_a_running_api(acme: Customer, tmp_path: Path) -> None:
    campaign = await acme.new_campaign()
    check_whole(await asyncio.to_thread(generate, "native.json", tmp_path))
    said = await asyncio.to_thread(run, "-c", LIST_CAMPAIGNS, acme.api.url, acme.key, at=tmp_path)
    assert json.loads(said) == {"campaigns": [[campaign["id"], "active"]], "refused": [400, "Problem"]}


def check_whole(said: str) -> None:
    """No schema and no operation was left out but for the kinds of bodies that the generator does not know."""
    assert len(re.findall(r"^WARNING", said, re.MULTILINE)) == len(UNKNOWN_BODIES.findall(said)), said
    assert "Unable to" not in said, said
