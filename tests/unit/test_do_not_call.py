"""Which entries of a do-not-call list stop a number: those of its phone, in whatever spelling."""

from shared.store.catalog.do_not_call import DoNotCallEntry, entry_id, listing_ids, stopped_by
from tests.factories import a_moment_ago

MEXICAN, OLD_MEXICAN = "+525512345678", "+5215512345678"
OTHER = "+14155550100"


def test_all_spellings_of_a_phone_are_one_entry() -> None:
    assert entry_id("o", OLD_MEXICAN) == entry_id("o", MEXICAN) == f"o:{MEXICAN}"
    assert entry_id("o", OTHER) == f"o:{OTHER}"
    assert entry_id("p", MEXICAN) != entry_id("o", MEXICAN)


def test_entries_are_looked_up_under_every_spelling_each_once() -> None:
    assert sorted(listing_ids("o", [OLD_MEXICAN, MEXICAN, OTHER])) == [
        f"o:{OTHER}",
        f"o:{OLD_MEXICAN}",
        f"o:{MEXICAN}",
    ]
    assert listing_ids("o", []) == []


def test_an_entry_stops_its_phone_in_the_spelling_that_is_asked_for() -> None:
    entries = [{"organization_id": "o", "phone_number": OLD_MEXICAN}, {"organization_id": "p", "phone_number": OTHER}]
    assert stopped_by(entries, "o", [MEXICAN, OLD_MEXICAN, OTHER]) == {MEXICAN, OLD_MEXICAN}
    assert stopped_by(entries, "p", [MEXICAN, OTHER]) == {OTHER}
    assert stopped_by([], "o", [OTHER]) == set()


def test_an_older_entry_shows_the_source_by_its_present_name() -> None:
    def source(stored: str) -> str:
        document = {"phone_number": OTHER, "reason": None, "source": stored, "created_at": a_moment_ago()}
        return DoNotCallEntry.from_document(document).source

    without = DoNotCallEntry.from_document({"phone_number": OTHER, "created_at": a_moment_ago()})
    assert (without.source, without.reason) == ("native", None)
    assert [source(stored) for stored in ("api", "native", "call")] == ["native", "native", "call"]
