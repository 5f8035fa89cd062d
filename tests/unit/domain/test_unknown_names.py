import pytest

from shared.domain.unknown_names import UnknownName, unknown_names

KNOWN = {"DIALSTREAM_KAFKA", "DIALSTREAM_RING_SECONDS", "DIALSTREAM_TWILIO_ANSWER_URL", "DIALSTREAM_MONGODB"}


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("DIALSTREAM_RING_SECOND", "DIALSTREAM_RING_SECONDS"),
        ("DIALSTREAM_RINGSECONDS", "DIALSTREAM_RING_SECONDS"),
        ("DIALSTREAM_TWILLIO_ANSWER_URL", "DIALSTREAM_TWILIO_ANSWER_URL"),
        ("dialstream_kafak", "DIALSTREAM_KAFKA"),
        ("DIALSTREM_KAFKA", "DIALSTREAM_KAFKA"),
        ("DIALSTREAM_COLOUR", None),
    ],
)
def test_a_misspelt_name_is_found_with_what_was_meant(variable: str, nearest: str | None) -> None:
    assert unknown_names([variable], KNOWN) == [UnknownName(variable, nearest)]


@pytest.mark.parametrize(
    "variable",
    [
        "DIALSTREAM_KAFKA",
        "dialstream_kafka",
        "PATH",
        "DIALOG_KAFKA",
        "DIALSTREAM_API_SERVICE_HOST",
        "DIALSTREAM_API_SERVICE_PORT_HTTP",
        "DIALSTREAM_API_PORT_8080_TCP_ADDR",
    ],
)
def test_known_names_those_of_others_and_those_of_kubernetes_are_none(variable: str) -> None:
    assert unknown_names([variable], KNOWN) == []


def test_it_is_told_in_one_sentence() -> None:
    assert str(UnknownName("DIALSTREAM_KAFAK", "DIALSTREAM_KAFKA")) == (
        "DIALSTREAM_KAFAK is no setting of Dialstream and changes nothing; did you mean DIALSTREAM_KAFKA?"
    )
    assert "see .env.example" in str(UnknownName("DIALSTREAM_COLOUR", None))
