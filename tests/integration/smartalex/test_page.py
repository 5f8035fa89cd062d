"""Every line for curl on the page for SmartAlex's clients, run in its order against the gateway."""

import json
import re
import shlex
from pathlib import Path

from tests.integration.smartalex.client import PREFIX, Alex

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "apis" / "smartalex.md").read_text(encoding="utf-8")
RUN = (ROOT / "deploy" / "local" / "run.py").read_text(encoding="utf-8")


async def test_every_line_of_the_page_runs(alex: Alex) -> None:
    [block] = re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    commands = [each.strip() for each in re.split(r"^(?=curl )", block, flags=re.MULTILINE) if each]
    assert len(commands) == 5
    campaign = ""
    for command in commands:
        line = command.replace("\\\n", " ").replace("$A", "key").replace("$URL", "").replace("$CAMPAIGN", campaign)
        words = shlex.split(line)[1:]
        options = {"-H": "", "-X": "GET", "-d": ""}
        rest = []
        while words:
            word = words.pop(0)
            if word in options:
                options[word] = words.pop(0)
            else:
                rest.append(word)
        [path] = rest
        body = json.loads(options["-d"]) if options["-d"] else None
        answer = await alex.call(options["-X"], path.removeprefix(PREFIX), body)
        assert answer.status in {200, 201}, f"{command}: {answer.raw!r}"
        if path.endswith("/campaigns"):
            campaign = answer.body["data"]["id"]
    assert answer.body["data"]["status"] == "active"


def test_the_line_that_make_run_prints_is_one_of_the_page() -> None:
    printed = re.findall(r"\$DIALSTREAM_URL(/smartalex/[^\"]+)", RUN)
    assert printed
    assert all(f"$URL{path}" in PAGE for path in printed)
