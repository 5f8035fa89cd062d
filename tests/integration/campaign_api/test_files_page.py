"""The example of docs/files.md, run as it stands there, and the settings that the page names."""

import asyncio
import os
import re
import sys
from pathlib import Path

from services.campaign_api.settings import ApiSettings
from tests.integration.campaign_api.client import Customer

PAGE = (Path(__file__).parents[3] / "docs" / "files.md").read_text(encoding="utf-8")


async def test_the_example_uploads_and_downloads(acme: Customer) -> None:
    [program] = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    environment = os.environ | {"DIALSTREAM_URL": acme.api.url, "DIALSTREAM_API_KEY": acme.key}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    assert said.startswith(b'stored "')


def test_the_page_names_settings_that_there_are() -> None:
    named = set(re.findall(r"DIALSTREAM_\w+", PAGE)) - {"DIALSTREAM_URL", "DIALSTREAM_API_KEY"}
    assert named <= {f"DIALSTREAM_{name.upper()}" for name in ApiSettings.model_fields}
    of_s3 = {f"DIALSTREAM_{name.upper()}" for name in ApiSettings.model_fields if name.startswith("s3_")}
    assert of_s3 <= named
