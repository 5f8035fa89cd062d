"""Encrypts all stored secrets anew with the newest key: `python -m deploy.reencrypt`; safe to run twice, also at once.

Run it when every service has the new key in front in DIALSTREAM_SECRET_KEY, and before the old one is taken out there
(docs/operations.md, "The secret key"). Services may run meanwhile. Killed, it goes on at the next run.
"""

import asyncio
import contextlib
import os
from typing import Final

import typer
from pydantic import ValidationError

from deploy import dev_env
from shared.errors import ConfigurationError, SecretKeyMissing, TemporaryError
from shared.logs import configure_logs
from shared.process import refuse_to_start
from shared.settings import MongoSettings, SecretSettings
from shared.store.client import connect
from shared.store.readiness import wait_for_primary
from shared.store.reencryption import reencrypt
from shared.stored_secrets import SecretCipher

START_SECONDS: Final = 10.0
SHOWN: Final = 10
_SECRET_KEY: Final = "DIALSTREAM_SECRET_KEY"


async def run(settings: MongoSettings, secrets: SecretSettings) -> bool:
    """Encrypt all stored secrets anew, saying what is done; whether the newest key opens all of them now.

    Raises `SecretKeyMissing` without a key, `Unavailable` when MongoDB is away: run it again.
    """
    cipher = SecretCipher(secrets.secret_key)
    if not cipher.has_key:
        raise SecretKeyMissing
    store = connect(settings)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        await wait_for_primary(store, START_SECONDS)
        done = await reencrypt(store, cipher)
    for each in done:
        print(f"{each.collection}: {each.changed:,} encrypted anew, {each.already:,} had the newest key already.")
        if each.unreadable:
            shown = ", ".join(each.unreadable[:SHOWN])
            more = f" and {len(each.unreadable) - SHOWN:,} more" if len(each.unreadable) > SHOWN else ""
            print(
                f"{each.collection}: no key opens {each.field} of {shown}{more}. Put the key they were stored with at "
                f"the end of {_SECRET_KEY} and run this again, or have their owners set them anew."
            )
    return not any(each.unreadable for each in done)


def secret_settings(command: str) -> SecretSettings:
    """The environment's key, and without one there that of `make run`. Ends the process when it cannot work."""
    local = {} if os.environ.get(_SECRET_KEY) else dev_env.read(dev_env.DEFAULT)
    try:
        return SecretSettings.model_validate({"secret_key": local[_SECRET_KEY]} if local.get(_SECRET_KEY) else {})
    except ValidationError as error:
        raise SystemExit(refuse_to_start(command, error)) from None


def main() -> None:
    """Encrypt all stored secrets anew with the newest key of DIALSTREAM_SECRET_KEY."""
    settings, secrets = dev_env.mongo_settings("reencrypt"), secret_settings("reencrypt")
    configure_logs("ERROR", "reencrypt")
    try:
        complete = asyncio.run(run(settings, secrets))
    except (TemporaryError, ConfigurationError, SecretKeyMissing) as error:
        raise SystemExit(f"reencrypt: {error}") from None
    if not complete:
        raise SystemExit(1)


if __name__ == "__main__":
    typer.run(main)
