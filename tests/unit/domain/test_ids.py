"""Recipes of ids and keys. What is stored was made by them, so their values stay as they are."""

import uuid
from typing import Final

import pytest
from hypothesis import given
from hypothesis.strategies import text, uuids

from shared.domain.ids import (
    SHARDS,
    attempt_id_of,
    batch_key,
    callback_id,
    campaign_budget,
    contact_id_of,
    conversation_id_of,
    counter_id,
    counter_source,
    default_campaign_id,
    event_key,
    is_default_campaign,
    job_key,
    listing_id,
    number_budget,
    of_callback,
    organization_budget,
    organization_of_budget,
    organization_of_default,
    partition_of,
    shard_of,
)

ACME: Final = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
SUMMER: Final = "6fa459ea-ee8a-4ca4-894e-db77e160355e"
ANN: Final = "16fd2706-8baf-433b-82eb-8c7fada847da"


def test_values_that_are_stored_stay_as_they_are() -> None:
    assert {
        "contact": contact_id_of(ACME, SUMMER, "lead 1"),
        "contact of no campaign": contact_id_of(ACME, default_campaign_id(ACME), "lead 1"),
        "attempt": attempt_id_of(ANN, "claim"),
        "conversation": conversation_id_of(ANN),
        "conversation of a stranger": conversation_id_of("no attempt of ours"),
    } == {
        "contact": "8680debe-7c7e-52da-94e6-511772718b92",
        "contact of no campaign": "5441f5d8-1a26-5288-b9b2-9c78df0bc946",
        "attempt": "45b11ede-fd75-500d-af32-11238c7bc17b",
        "conversation": "38225fbe-82a7-5656-9f0c-37f4948baffe",
        "conversation of a stranger": "8b944392-562d-5050-8c09-a08be80c0165",
    }
    assert default_campaign_id(ACME) == f"default:{ACME}"
    assert (organization_budget("o"), campaign_budget("c")) == ("org:o", "campaign:c")
    assert number_budget("o", "+12025550100") == "number:o:+12025550100"
    assert counter_id("c", counter_source("api", 7)) == "c/api-7"
    assert (listing_id("o", "+12025550100"), batch_key("o", "monday")) == ("o:+12025550100", "o:monday")


@pytest.mark.parametrize(("organization", "shard"), [(ACME, 9), (SUMMER, 11), ("", 0)])
def test_the_shard_of_an_organization_is_where_its_events_go(organization: str, shard: int) -> None:
    assert shard_of(organization) == partition_of(event_key(organization), SHARDS) == shard


def test_one_external_id_is_another_contact_in_each_campaign_and_organization() -> None:
    places = [(ACME, SUMMER), (ACME, ANN), (ACME, default_campaign_id(ACME))]
    assert len({contact_id_of(*place, "lead 1") for place in places}) == len(places)


def test_ids_of_contacts_and_attempts_are_uuids() -> None:
    for made in (contact_id_of(ACME, SUMMER, ""), attempt_id_of(ANN, ""), conversation_id_of("")):
        assert str(uuid.UUID(made)) == made


def test_a_key_leads_back_to_its_organization() -> None:
    assert organization_of_budget(organization_budget(ACME)) == ACME
    assert organization_of_budget(campaign_budget(SUMMER)) is None
    assert organization_of_budget(number_budget(ACME, "+12025550100")) is None
    assert organization_of_default(default_campaign_id(ACME)) == ACME
    assert is_default_campaign(default_campaign_id(ACME))
    assert not is_default_campaign(SUMMER)


def test_jobs_of_one_contact_spread_over_the_partitions() -> None:
    partitions = {partition_of(job_key(attempt_id_of(ANN, str(claim))), 16) for claim in range(200)}
    assert partitions == set(range(16))


def test_the_id_of_a_callback_names_contact_and_waiting() -> None:
    assert callback_id(ANN, 12) == f"{ANN}-12"
    assert of_callback(callback_id(ANN, 12)) == (ANN, 12)
    assert of_callback(callback_id(ANN, 0).upper()) == (ANN, 0)


@pytest.mark.parametrize(
    "text", ["", ANN, f"{ANN}-", f"{ANN}-01", f"{ANN}- 1", f"{ANN}--1", f"x{ANN}-1", f"{ANN}-1_0", "1-1"]
)
def test_other_texts_are_no_callbacks(text: str) -> None:
    assert of_callback(text) is None


@given(namespace=uuids(), name=text())
def test_ids_made_of_names_are_version_5_uuids(namespace: uuid.UUID, name: str) -> None:
    assert attempt_id_of(str(namespace), name) == str(uuid.uuid5(namespace, name))


@pytest.mark.parametrize("spelled", ["{}", "urn:uuid:{}", "{{{}}}"])
def test_a_uuid_is_read_in_each_of_its_spellings(spelled: str) -> None:
    namespace = uuid.uuid4()
    assert attempt_id_of(spelled.format(namespace), "claim") == str(uuid.uuid5(namespace, "claim"))
    assert attempt_id_of(spelled.format(str(namespace).upper()), "claim") == str(uuid.uuid5(namespace, "claim"))


@pytest.mark.parametrize("text", ["", "no uuid", "é" * 32, "0" * 31, "g" * 32])
def test_what_is_no_uuid_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        attempt_id_of(text, "claim")
