"""Forms of the console: what is typed, what is amiss with it, and what the API is sent."""

import json
from typing import Any

import pytest

from services.console import campaign_fields, configuration_fields
from services.console.forms import Field, Form, Kind, utc_field, with_options

WHOLE = Field("max_calls", "Calls", Kind.WHOLE, least=1, most=50)
FIELDS = (Field("name", "Name", required=True), WHOLE, Field("zones", "Zones", Kind.LIST, makes=("timezones",)))


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        (Field("x", "X", required=True), "", "Fill this in."),
        (Field("x", "X"), "", ""),
        (Field("x", "X", Kind.LIST, required=True), " , ;", "Fill this in."),
        (Field("x", "X", Kind.TICKS, required=True), "", "Tick one at least."),
        (WHOLE, "1", ""),
        (WHOLE, "51", "Write a whole number, 1 to 50."),
        (WHOLE, "0", "Write a whole number, 1 to 50."),
        (WHOLE, "1.5", "Write a whole number, 1 to 50."),
        (WHOLE, "٣", "Write a whole number, 1 to 50."),
        (WHOLE, "9" * 5000, "Write a whole number, 1 to 50."),
        (Field("x", "X", Kind.WHOLE), "-1", "Write a whole number, 0 or more."),
        (Field("x", "X", Kind.DECIMAL, most=10), "0.5", ""),
        (Field("x", "X", Kind.DECIMAL, most=10), "10.5", "Write a number, 0 to 10."),
        (Field("x", "X", Kind.DECIMAL), "nan", "Write a number, 0 or more."),
        (Field("x", "X", Kind.TIME), "2026-12-01T09:30", ""),
        (Field("x", "X", Kind.TIME), "tomorrow", "Choose the day and the time (UTC)."),
        (Field("x", "X", Kind.TIME), "0001-01-01T00:00+23:00", "Choose the day and the time (UTC)."),
        (Field("x", "X", Kind.CHOICE, options=(("a", "A"),)), "b", "Choose one of the list."),
        (Field("x", "X", Kind.PAIRS), "Name: Ada\nCity: Bath: Somerset", ""),
        (Field("x", "X", Kind.PAIRS), "Ada", "Write a name, a colon and a value on each line, each name once."),
        (Field("x", "X", Kind.PAIRS), "a: 1\na: 2", "Write a name, a colon and a value on each line, each name once."),
    ],
)
def test_what_is_amiss_with_a_field_is_said(field: Field, typed: str, said: str) -> None:
    assert field.amiss(typed) == said


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        (Kind.TEXT, "x", "x"),
        (Kind.TEXT, "", None),
        (Kind.PHONE, "+1 (415) 555-0100", "+14155550100"),
        (Kind.WHOLE, "007", 7),
        (Kind.DECIMAL, "0.25", 0.25),
        (Kind.TIME, "2026-12-01T09:30", "2026-12-01T09:30:00Z"),
        (Kind.TICK, "yes", True),
        (Kind.TICK, "", False),
        (Kind.TICKS, "mon fri", ["mon", "fri"]),
        (Kind.LIST, " US, DE-BY;\nFR,", ["US", "DE-BY", "FR"]),
        (Kind.LIST, "", []),
        (Kind.PAIRS, "Name: Ada\n\nUrl: https://x", {"Name": "Ada", "Url": "https://x"}),
    ],
)
def test_what_is_typed_is_read(kind: Kind, typed: str, value: object) -> None:
    assert Field("x", "X", kind).read(typed) == value


@pytest.mark.parametrize(
    ("kind", "value", "typed"),
    [
        (Kind.TEXT, None, ""),
        (Kind.TEXT, " two\nlines ", "twolines"),
        (Kind.WHOLE, 0, "0"),
        (Kind.DECIMAL, 2.0, "2"),
        (Kind.TIME, "2026-12-01T10:30:05.123+01:00", "2026-12-01T09:30"),
        (Kind.TICK, True, "yes"),
        (Kind.TICK, False, ""),
        (Kind.TICKS, ["mon", "fri"], "mon fri"),
        (Kind.LIST, ["US", "DE-BY"], "US, DE-BY"),
        (Kind.LONG, "one\r\ntwo\n", "one\ntwo"),
    ],
)
def test_what_is_stored_is_shown_as_it_would_be_typed(kind: Kind, value: object, typed: str) -> None:
    assert Field("x", "X", kind).write(value) == typed


def test_only_what_a_person_has_changed_is_sent() -> None:
    page = Form.of("settings", FIELDS, {"name": "Old", "max_calls": 5, "zones": ["Europe/Paris"]})
    sent = Form("settings", FIELDS, {}).filled({"name": "New", "max_calls": "", "zones": "Europe/Paris"}, page.was_text)
    assert sent.changes() == {"name": "New", "max_calls": None}
    again = Form("settings", FIELDS, {}).filled(page.typed, page.was_text)
    assert again.changes() == {}


@pytest.mark.parametrize("was", ["", "no json", "[]", '{"name": 5}', "[" * 100_000])
def test_without_what_its_page_showed_all_of_a_form_is_sent(was: str) -> None:
    sent = Form("settings", FIELDS, {}).filled({"name": "New", "max_calls": "", "zones": ""}, was)
    assert sent.changes() == {"name": "New", "max_calls": None, "zones": []}


def test_a_refused_form_keeps_what_was_typed_and_what_its_page_showed() -> None:
    form = Form("new", FIELDS, {}).filled({"name": "<b>", "max_calls": "many", "zones": ""}, json.dumps({"name": "x"}))
    assert (form.code, form.refusal) == (422, "Nothing is changed yet: look at 1 field.")
    assert form.faults == {"max_calls": "Write a whole number, 1 to 50."}
    assert (form.typed["name"], form.typed["max_calls"], form.was) == ("<b>", "many", {"name": "x"})
    assert form.first_fault == "max_calls"


def test_bad_values_are_said_at_the_field_that_they_come_from() -> None:
    form = Form("new", FIELDS, {}).filled({"name": "x", "max_calls": "", "zones": "A"})
    no_zone = "no zone (GET /campaign/timezones lists them all)"
    values = [(("body", "closures", 3, "timezones", 0), no_zone), (("body", "name"), "too long.")]
    refused = form.refused(422, "body.closures: no zone", values, {})
    assert refused.faults == {"zones": "No zone.", "name": "Too long."}
    assert (refused.refusal, refused.first_fault) == ("Nothing is changed yet: look at 2 fields.", "name")


def test_what_belongs_to_no_field_is_said_above_them_all() -> None:
    form = Form("new", FIELDS, {}).filled({"name": "x", "max_calls": "", "zones": ""})
    elsewhere = form.refused(422, "body.labels: too large", [(("body", "labels"), "too large")], {})
    assert (elsewhere.refusal, elsewhere.faults, elsewhere.code) == ("body.labels: too large", {}, 422)
    assert form.refused(503, "Away.", (), {409: "name"}).refusal == "Away."
    taken = form.refused(409, "Another one has this name.", (), {409: "name"})
    assert (taken.faults, taken.code) == ({"name": "Another one has this name."}, 409)


def configuration(**typed: str) -> Form:
    page = Form.of("new", configuration_fields.NEW, {**configuration_fields.NEW_VALUES, "name": "Office"})
    return Form("new", configuration_fields.NEW, {}).filled({**page.typed, **typed})


def test_a_new_configuration_has_its_first_window_and_a_zone_rule() -> None:
    body = configuration_fields.new_body(configuration(clock="number", days="mon sat", end="00:00"))
    assert body == {
        "name": "Office",
        "default_timezone": "America/New_York",
        "use_contact_timezone": True,
        "timezone_from_number": True,
        "default_windows": [{"days": ["mon", "sat"], "start": "09:00", "end": "24:00"}],
        "max_attempts": 3,
    }
    assert configuration_fields.new_body(configuration(days=""))["default_windows"] == []


@pytest.mark.parametrize("clock", configuration_fields.CLOCKS)
def test_a_zone_rule_is_shown_as_it_was_set(clock: str) -> None:
    stored = {"name": "Office", "default_timezone": "UTC", **configuration_fields.CLOCKS[clock][1]}
    form = configuration_fields.settings_form(stored)
    assert form.typed["clock"] == clock
    changed = Form("settings", configuration_fields.SETTINGS, {}).filled({**form.typed, "clock": "zone"}, form.was_text)
    expected = {} if clock == "zone" else {"use_contact_timezone": False, "timezone_from_number": False}
    assert configuration_fields.settings_changes(changed) == expected


@pytest.mark.parametrize(
    ("typed", "rules"),
    [
        ({"rule": "again", "minutes": "15"}, {"busy": {"retry": True, "delay_seconds": 900}}),
        ({"rule": "again", "minutes": "0", "growth": "1"}, {"busy": {"retry": True, "delay_seconds": 0}}),
        (
            {"rule": "again", "minutes": "1", "growth": "1.5", "attempts": "4"},
            {
                "busy": {
                    "retry": True,
                    "delay_seconds": 60,
                    "mode": "exponential",
                    "multiplier": 1.5,
                    "max_attempts": 4,
                }
            },
        ),
        ({"rule": "never"}, {"busy": {"retry": False}}),
        ({"rule": "built-in"}, {}),
    ],
)
def test_a_retry_rule_is_set_anew(typed: dict[str, str], rules: dict[str, Any]) -> None:
    others = {"failed": {"retry": False}}
    sent = Form("retry", configuration_fields.RETRY, {}).filled({"outcome": "busy", **typed})
    form = configuration_fields.retry_form(sent)
    assert form.refusal == ""
    stored = {"busy": {"delay_seconds": 5}, **others}
    assert configuration_fields.retry_changes(form, stored) == {"retry_rules": {**others, **rules}}


def test_to_be_called_again_needs_a_time() -> None:
    sent = Form("retry", configuration_fields.RETRY, {}).filled({"outcome": "busy", "rule": "again"})
    assert configuration_fields.retry_form(sent).faults.keys() == {"minutes"}


def campaign(**typed: str) -> Form:
    known = {"configuration_id": (("c1", "Office"),)}
    fields = with_options(campaign_fields.NEW, **known)
    page = Form.of("new", fields, campaign_fields.NEW_VALUES)
    return campaign_fields.new_form(
        Form("new", fields, {}).filled({**page.typed, "name": "Spring", "configuration_id": "c1", **typed})
    )


def test_a_campaign_begins_as_a_draft_at_once_or_at_a_time() -> None:
    common = {"name": "Spring", "configuration_id": "c1", "auto_complete": False, "priority": 1}
    assert campaign_fields.new_body(campaign()) == {**common, "state": "draft"}
    assert campaign_fields.new_body(campaign(begin="now")) == {**common, "state": "running"}
    later = campaign_fields.new_body(campaign(begin="later", start_at="2026-12-01T09:00"))
    assert later == {**common, "start_at": "2026-12-01T09:00:00Z"}
    assert campaign(begin="later").faults.keys() == {"start_at"}
    assert campaign(begin="draft", start_at="2026-12-01T09:00").faults.keys() == {"begin"}


def test_the_time_of_the_beginning_is_changed_before_it_has_come() -> None:
    names = {state: {one.name for one in campaign_fields.fields_of(state)} for state in ("scheduled", "running")}
    assert names["scheduled"] - names["running"] == {"start_at"}


def test_a_time_with_an_offset_is_read_as_what_it_is() -> None:
    at = utc_field("2026-12-01T09:30+02:00")
    assert at is not None
    assert at.isoformat() == "2026-12-01T07:30:00+00:00"
