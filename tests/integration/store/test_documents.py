"""Every document fits its model: what today's code writes, and what earlier releases have left."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.clock import utc_now
from shared.domain.configuration import Configuration
from shared.store.client import Document, Store
from shared.store.documents.collections import COLLECTIONS
from shared.store.documents.completing import complete, defaults, stored_fields
from shared.store.documents.contacts import ContactDocument, contact_of
from shared.store.indexes import INDEXES
from tests.released.reading import RELEASES, read_release
from tests.released.scenario import write_everything

NOW = utc_now()


def misfits(collection: str, document: Mapping[str, Any]) -> list[str]:
    """What of a document its model does not say."""
    model = COLLECTIONS[collection]
    own = {name: value for name, value in document.items() if name in stored_fields(model)}
    wrong = sorted(document.keys() - own.keys())
    if collection == "configurations":
        Configuration.from_document(document)
        wrong = [name for name in wrong if name not in Configuration.model_fields]
    values = {"id" if name == "_id" else name: value for name, value in own.items()}
    try:
        TypeAdapter(model).validate_python(values)
    except ValidationError as error:
        wrong += [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
    return [f"{collection}: {fault}" for fault in wrong]


async def test_documents_that_the_engine_writes_fit_their_models(store: Store) -> None:
    await write_everything(store)
    # Tests share a database: collections may be there, and empty.
    written = {name for name in await store.db.list_collection_names() if await store[name].find_one() is not None}
    assert written == COLLECTIONS.keys(), "the scenario writes every collection"
    wrong = {fault for name in written async for document in store[name].find() for fault in misfits(name, document)}
    assert wrong == set()


@pytest.mark.parametrize("release", RELEASES)
def test_documents_of_earlier_releases_are_kept_for_every_collection_of_theirs(release: str) -> None:
    kept = read_release(release)
    assert len(kept) >= 17
    assert all(kept.values())
    assert {contact["status"] for contact in kept["contacts"]} == {
        "pending", "locked", "in_progress", "completed", "exhausted", "error", "skipped"
    }  # fmt: skip


def test_every_index_is_on_a_field_of_the_model() -> None:
    for collection, models in INDEXES.items():
        for model in models:
            for name in model.document["key"]:
                assert name.partition(".")[0] in stored_fields(COLLECTIONS[collection]), (collection, name)


def test_a_document_gets_the_defaults_of_the_fields_that_it_lacks_and_keeps_its_own() -> None:
    document = {"_id": "a", "created_at": NOW, "uncounted": 2, "lock": {"claim": "c", "phone": "+1"}}
    contact = contact_of(document)
    assert contact["uncounted"] == 2
    assert contact["put_off"] is None
    assert contact["lock"]["probing"] == ()
    assert contact["due_at"] == NOW
    assert document == {"_id": "a", "created_at": NOW, "uncounted": 2, "lock": {"claim": "c", "phone": "+1"}}


def test_a_field_that_was_not_asked_for_has_no_default() -> None:
    assert complete(ContactDocument, {"_id": "a"}, {"timezone"}) == {"_id": "a", "timezone": None}


def test_what_all_documents_share_cannot_be_changed() -> None:
    for model in COLLECTIONS.values():
        for value in defaults(model).values():
            assert not isinstance(value, list | dict | set)
    shared: Document = complete(COLLECTIONS["counters"], {})
    with pytest.raises(TypeError):
        shared["ended"]["lost"] = 1
