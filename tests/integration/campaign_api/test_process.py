import asyncio
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.local.home import free_port
from shared.store.client import connect
from tests.eventually import PATIENCE, eventually
from tests.integration.campaign_api.client import ADMIN_TOKEN, Api
from tests.integration.campaign_api.conftest import Stack


@asynccontextmanager
async def process(environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of campaign-api."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.campaign_api", env=os.environ | environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


def environment_for(stack: Stack, port: int, **more: str) -> dict[str, str]:
    values = {
        "kafka": stack.settings.kafka,
        "topic_prefix": stack.settings.topic_prefix,
        "mongodb": stack.settings.mongodb,
        "mongodb_database": f"test_{uuid.uuid4().hex}",
        "admin_token": ADMIN_TOKEN,
        "http_port": str(port),
    }
    return {f"DIALSTREAM_{name.upper()}": value for name, value in (values | more).items()}


async def test_the_process_serves_until_sigterm_and_ends_with_0(api: Api, stack: Stack) -> None:
    environment = environment_for(stack, free_port())
    here = Api(f"http://127.0.0.1:{environment['DIALSTREAM_HTTP_PORT']}", api.session)

    async def is_ready() -> bool:
        try:
            return (await here.call("GET", "/health/ready")).status == 200
        except OSError:
            return False

    async with process(environment) as running:
        await eventually(is_ready, timeout=30)
        customer = await here.new_customer()
        path = f"/campaign/campaigns/{(await customer.new_campaign())['id']}/events"
        headers = {"Authorization": f"Bearer {customer.key}"}
        async with here.session.get(here.url + path, headers=headers) as stream:
            assert await stream.content.readline() == b"event: stats\n"
            running.send_signal(signal.SIGTERM)
            # A stream that is followed has no end of its own, and holds up nothing.
            await asyncio.wait_for(stream.read(), PATIENCE * 10)
        await asyncio.wait_for(running.wait(), PATIENCE * 10)
        assert running.returncode == 0
    settings = stack.settings.model_copy(update={"mongodb_database": environment["DIALSTREAM_MONGODB_DATABASE"]})
    store = connect(settings)
    await store.client.drop_database(settings.mongodb_database)
    await store.close()


async def test_a_process_whose_mongodb_stays_away_says_so_and_ends_with_1(stack: Stack) -> None:
    away = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100"
    environment = environment_for(stack, free_port(), mongodb=away, start_deadline_seconds="0.2")
    async with process(environment) as running:
        _, said = await asyncio.wait_for(running.communicate(), PATIENCE * 30)
        assert running.returncode == 1
        assert b"DIALSTREAM_MONGODB" in said


async def test_a_process_with_settings_that_make_no_sense_names_them_and_ends_with_2(stack: Stack) -> None:
    async with process(environment_for(stack, free_port(), requests_per_minute="-1")) as running:
        _, said = await asyncio.wait_for(running.communicate(), PATIENCE * 30)
        assert running.returncode == 2
        assert b"DIALSTREAM_REQUESTS_PER_MINUTE" in said
