"""Every line for curl on the page about people, run in its order against the gateway."""

import json
import re
import shlex
from pathlib import Path

from tests.integration.campaign_api.client import Customer

PAGE = (Path(__file__).parents[3] / "docs" / "people.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    blocks = re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return [each.strip() for block in blocks for each in re.split(r"^(?=curl )", block, flags=re.MULTILINE) if each]


async def test_every_line_of_the_page_runs(acme: Customer) -> None:
    campaign = await acme.new_campaign(state="draft", agent_id="another")
    ran = commands()
    assert len(ran) == len(re.findall(r"\bcurl -", PAGE)) > 15
    for command in ran:
        words = shlex.split(command.replace("$A", "key").replace("$URL", "").replace("$CAMPAIGN", campaign["id"]))[1:]
        options = {"-H": "", "-X": "", "-d": ""}
        rest = []
        while words:
            word = words.pop(0)
            if word in options:
                options[word] = words.pop(0)
            else:
                rest.append(word)
        [path] = rest
        body = json.loads(options["-d"]) if options["-d"] else None
        answer = await acme.call(options["-X"] or ("POST" if body is not None else "GET"), path, body)
        assert answer.status == 200, f"{command}: {answer.raw!r}"
