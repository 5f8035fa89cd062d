"""The examples of docs/kafka-batches.md, run as they stand there (only the topic gets the test's prefix)."""

import asyncio
import json
import os
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from deploy.demo.customer import Customer as DemoCustomer
from shared.settings import KafkaSettings
from tests.integration.contact_ingest.customer import Customer

PAGE = (Path(__file__).parents[3] / "docs" / "kafka-batches.md").read_text(encoding="utf-8")
BATCH_ID = "spring-2026-0001"
# Stands in for kcat where it is not installed; the same arguments, and the file as one message.
KCAT = """import argparse, asyncio, pathlib
from aiokafka import AIOKafkaProducer

options = argparse.ArgumentParser()
for name in ("-b", "-t", "-k"):
    options.add_argument(name, required=True)
options.add_argument("-P", action="store_true", required=True)
options.add_argument("-H", action="append", default=[])
options.add_argument("file", type=pathlib.Path)
given = options.parse_args()

async def main():
    producer = AIOKafkaProducer(bootstrap_servers=given.b)
    await producer.start()
    headers = [(name, value.encode()) for name, _, value in (header.partition("=") for header in given.H)]
    await producer.send_and_wait(given.t, given.file.read_bytes(), key=given.k.encode(), headers=headers)
    await producer.stop()

asyncio.run(main())
"""


def test_the_page_names_no_variable_but_those_of_the_settings_and_of_make_run() -> None:
    settings = {f"DIALSTREAM_{name.upper()}" for name in KafkaSettings.model_fields}
    assert set(re.findall(r"DIALSTREAM_\w+", PAGE)) - settings == DemoCustomer("id", "key").environment.keys()


def examples(language: str, topic: str) -> list[str]:
    """The page's examples in a language, for the test's topic."""
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return [text.replace("contact.batches", topic) for text in found]


async def run(customer: Customer, *command: str, folder: Path) -> None:
    environment = os.environ | {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "DIALSTREAM_KAFKA": customer.kafka_address,
        "DIALSTREAM_ORGANIZATION_ID": customer.organization_id,
        "DIALSTREAM_API_KEY": customer.credential,
    }
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()


@pytest.mark.usefixtures("ingest")
async def test_python_with_a_credential(customer: Customer, tmp_path: Path) -> None:
    await customer.store["configurations"].update_many({}, {"$set": {"default_country_code": "+1"}})
    await run(customer, sys.executable, "-c", examples("python", customer.topic)[0], folder=tmp_path)
    result = await customer.done(BATCH_ID)
    assert (result.inserted, result.failed) == (2, ())


@pytest.mark.usefixtures("ingest")
async def test_python_with_a_signature(customer: Customer, tmp_path: Path) -> None:
    program, signing = examples("python", customer.topic)
    program = re.sub(r' +"credential":.*\n', "", program)
    program = program.replace(
        "json.dumps(batch).encode(), key=key)",
        "(value := json.dumps(batch).encode()), key=key, "
        'headers=signature_headers(value, os.environ["DIALSTREAM_API_KEY"]))',
    )
    await run(customer, sys.executable, "-c", signing + program, folder=tmp_path)
    assert (await customer.done(BATCH_ID)).received == 2


@pytest.mark.usefixtures("ingest")
@pytest.mark.parametrize("signed", [False, True])
async def test_kcat(customer: Customer, tmp_path: Path, *, signed: bool) -> None:
    contact = {"external_id": "a", "phone_numbers": ["+14155550123"], "data": {"name": "Zoë"}}
    batch = customer.batch(contact, batch_id=BATCH_ID)
    if signed:
        del batch["credential"]
    (tmp_path / "batch.json").write_text(json.dumps(batch, indent=2, ensure_ascii=False), encoding="utf-8")
    if shutil.which("kcat") is None:
        script = tmp_path / "kcat.py"
        script.write_text(KCAT)
        # By a shell: a script's first line cannot name a Python whose path has blanks.
        (tmp_path / "kcat").write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, str(script)])} "$@"\n')
        (tmp_path / "kcat").chmod(0o755)
    await run(customer, "sh", "-ec", examples("sh", customer.topic)[signed], folder=tmp_path)
    assert (await customer.done(BATCH_ID)).inserted == 1
