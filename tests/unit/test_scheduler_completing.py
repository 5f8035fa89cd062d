"""Which campaigns a shard's loop looks at to complete them: those with nobody left, and no other."""

from datetime import UTC, datetime, timedelta

from services.scheduler.shards.completing import AT_ONCE, LOOK_AGAIN, Completing
from shared.store.dialing.campaign_ends import CampaignEnds

NOW = datetime(2026, 11, 18, 15, tzinfo=UTC)
MOMENT = timedelta(milliseconds=10)


def completing(*campaign_ids: str, **ends: datetime) -> Completing:
    organizations = dict.fromkeys([*campaign_ids, *ends], "acme")
    known = Completing()
    known.renew(["acme"], CampaignEnds(ends=ends, completing=campaign_ids, organizations=organizations))
    return known


def test_without_such_campaigns_nothing_is_looked_at() -> None:
    known = completing()
    known.account({"spring": -3})
    known.contacts_changed(["spring"])
    assert known.newly_ended(NOW) == []
    assert known.to_look_at(NOW) == []


def test_something_is_expected_while_a_campaign_is_to_be_looked_at_or_an_end_date_is_to_come() -> None:
    assert not completing().is_expecting
    known = completing("spring")
    assert known.is_expecting
    known.to_look_at(NOW)
    known.looked_at("spring", 2, settled=False)
    assert not known.is_expecting
    ending = completing(summer=NOW)
    assert ending.is_expecting
    assert ending.newly_ended(NOW) == ["summer"]
    assert ending.is_expecting, "it is looked at once more"
    ending.to_look_at(NOW)
    ending.looked_at("summer", 0, settled=True)
    assert not ending.is_expecting


def test_who_is_left_is_counted_once_and_told_by_transactions_from_then_on() -> None:
    known = completing("spring")
    assert known.to_look_at(NOW) == ["spring"]
    known.looked_at("spring", 2, settled=False)
    assert known.to_look_at(NOW + 2 * LOOK_AGAIN) == []
    known.account({"spring": -1, "summer": -1})
    assert known.to_look_at(NOW + 2 * LOOK_AGAIN) == []
    known.account({"spring": -1})
    assert known.to_look_at(NOW + MOMENT) == ["spring"], "at once: nobody is left"


def test_where_nobody_is_left_and_it_is_not_completed_it_is_looked_again_each_second() -> None:
    known = completing("spring")
    for second in range(3):
        now = NOW + second * LOOK_AGAIN
        assert known.to_look_at(now) == ["spring"]
        known.looked_at("spring", 0, settled=False)
        assert known.to_look_at(now + MOMENT) == []


def test_one_that_is_settled_is_looked_at_again_when_it_is_given_contacts_or_read_anew() -> None:
    known = completing("spring")
    known.to_look_at(NOW)
    known.looked_at("spring", 0, settled=True)
    assert known.to_look_at(NOW + LOOK_AGAIN) == []
    known.contacts_changed(["spring"])
    assert known.to_look_at(NOW + LOOK_AGAIN) == ["spring"]
    known.looked_at("spring", 0, settled=True)
    known.renew(["acme"], CampaignEnds(completing=["spring"], organizations={"spring": "acme"}))
    assert known.to_look_at(NOW + LOOK_AGAIN) == ["spring"]


def test_a_campaign_that_completes_by_itself_no_more_is_forgotten_with_its_organization_alone() -> None:
    known = completing("spring", summer=NOW)
    known.renew(["beta"], CampaignEnds(completing=["autumn"], organizations={"autumn": "beta"}))
    known.renew(["acme"], CampaignEnds())
    assert known.newly_ended(NOW) == []
    assert known.to_look_at(NOW) == ["autumn"]
    assert known.organization_of("autumn") == "beta"


def test_an_end_date_that_comes_is_told_once_and_looked_at_whatever_else_it_is() -> None:
    known = completing(spring=NOW, summer=NOW + LOOK_AGAIN)
    assert known.newly_ended(NOW - MOMENT) == []
    assert known.to_look_at(NOW - MOMENT) == []
    assert known.newly_ended(NOW) == ["spring"]
    assert (known.has_ended("spring"), known.has_ended("summer")) == (True, False)
    assert known.newly_ended(NOW) == []
    assert known.to_look_at(NOW) == ["spring"]
    known.looked_at("spring", 0, settled=True)
    known.contacts_changed(["spring", "summer"])
    assert known.to_look_at(NOW) == ["spring"], "it takes contacts, and they end"


def test_of_very_many_all_have_their_turn() -> None:
    every = {f"campaign-{n}" for n in range(AT_ONCE + 7)}
    known = completing(*every)
    first, rest = known.to_look_at(NOW), known.to_look_at(NOW)
    assert len(first) == AT_ONCE
    assert every <= {*first, *rest}
