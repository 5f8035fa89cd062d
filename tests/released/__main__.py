"""Keeps the documents that today's code writes, one JSON file for each collection, before a release is made.

`python -m tests.released tests/data/release-2`. The files of an earlier release are never written again.
"""

import asyncio
import uuid
from pathlib import Path
from typing import Annotated

import typer
from bson import json_util

from shared.settings import MongoSettings
from shared.store.client import Store, connect
from shared.store.migrations.schema import read_version
from tests.released.scenario import write_everything
from tests.servers import servers_for_tests


async def written() -> dict[str, str]:
    """Every collection of a small installation, as JSON."""
    async with servers_for_tests() as servers:
        name = f"released_{uuid.uuid4().hex}"
        store = connect(MongoSettings(mongodb=servers.mongodb, mongodb_database=name))
        try:
            await read_version(store)
            await store.ensure_indexes()
            await write_everything(store)
            return {name: await _text(store, name) for name in await store.db.list_collection_names()}
        finally:
            await store.client.drop_database(name)
            await store.close()


async def _text(store: Store, collection: str) -> str:
    documents = await store[collection].find().sort("_id", 1).to_list()
    options = json_util.CANONICAL_JSON_OPTIONS
    return "[\n" + ",\n".join(json_util.dumps(document, json_options=options) for document in documents) + "\n]\n"


def main(folder: Annotated[Path, typer.Argument(help="A new folder under tests/data.")]) -> None:
    """Keep today's documents."""
    texts = asyncio.run(written())
    folder.mkdir(parents=True)
    for collection, text in texts.items():
        (folder / f"{collection}.json").write_text(text)


if __name__ == "__main__":
    typer.run(main)
