"""The secret key is replaced: `python -m deploy.reencrypt` on stored secrets."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.collection import Collection

from deploy import reencrypt as command
from shared.settings import MongoSettings, SecretSettings
from shared.store.client import Store
from shared.store.reencryption import reencrypt
from shared.stored_secrets import SecretCipher

OLD, NEW, FOREIGN = "old-" + "0" * 32, "new-" + "1" * 32, "foreign-" + "2" * 32
COLLECTION = "telephony_accounts"


def cipher(*keys: str) -> SecretCipher:
    return SecretCipher(SecretStr(",".join(keys)))


async def stored(store: Store) -> dict[str, str | None]:
    return {document["_id"]: document.get("credentials") async for document in store[COLLECTION].find()}


@contextlib.contextmanager
def connected_aside(store: Store) -> Iterator[Collection[Any]]:
    """The collection over another, blocking connection."""
    host, port = next(iter(store.client.nodes))
    client: MongoClient[Any] = MongoClient(host, port, directConnection=True)
    try:
        yield client[store.db.name][COLLECTION]
    finally:
        client.close()


async def keep(store: Store, **credentials: str | None) -> None:
    await store[COLLECTION].insert_many(
        [
            {"_id": name, "organization_id": "o", "number": place, "name": name, "credentials": value}
            for place, (name, value) in enumerate(credentials.items(), start=1)
        ]
    )


@pytest.fixture
def settings(store: Store, mongodb_address: str) -> MongoSettings:
    return MongoSettings(mongodb=mongodb_address, mongodb_database=store.db.name)


async def test_the_old_key_is_of_no_use_any_more(
    store: Store, settings: MongoSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    by_new = cipher(NEW).encrypt("second")
    await keep(store, old=cipher(OLD).encrypt("first"), new=by_new, none=None)
    rotating = SecretSettings(secret_key=SecretStr(f"{NEW},{OLD}"))
    assert await command.run(settings, rotating)
    assert "1 encrypted anew, 1 had the newest key already" in capsys.readouterr().out
    found = await stored(store)
    assert cipher(NEW).decrypt(str(found["old"])) == "first"
    assert found["new"] == by_new
    assert found["none"] is None
    assert await command.run(settings, SecretSettings(secret_key=SecretStr(NEW)))
    assert "0 encrypted anew, 2 had the newest key already" in capsys.readouterr().out
    assert await stored(store) == found


async def test_a_secret_that_no_key_opens_is_named_and_the_others_are_done(
    store: Store, settings: MongoSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = cipher(FOREIGN).encrypt("lost")
    await keep(store, foreign=foreign, old=cipher(OLD).encrypt("first"))
    assert not await command.run(settings, SecretSettings(secret_key=SecretStr(f"{NEW},{OLD}")))
    said = capsys.readouterr().out
    assert "no key opens credentials of foreign" in said
    assert "at the end of DIALSTREAM_SECRET_KEY" in said
    found = await stored(store)
    assert found["foreign"] == foreign
    assert cipher(NEW).decrypt(str(found["old"])) == "first"


async def test_a_secret_that_is_set_meanwhile_stays_as_it_was_set(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep(store, one=cipher(OLD).encrypt("before"))
    set_meanwhile = cipher(NEW).encrypt("after")
    rotating = cipher(NEW, OLD)
    # The customer's change comes between the read and the write.
    with connected_aside(store) as customer:

        def encrypt(secret: str) -> str:
            customer.update_one({"_id": "one"}, {"$set": {"credentials": set_meanwhile}})
            return cipher(NEW).encrypt(secret)

        monkeypatch.setattr(rotating, "encrypt", encrypt)
        await reencrypt(store, rotating, [(COLLECTION, "credentials")])
    assert (await stored(store))["one"] == set_meanwhile
