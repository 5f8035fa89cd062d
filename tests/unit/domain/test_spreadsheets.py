import pytest

from shared.domain.spreadsheets import harmless


@pytest.mark.parametrize("text", ["=1+1", "+49", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_is_a_formula(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=1", " =1", "'=1", "7"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text
