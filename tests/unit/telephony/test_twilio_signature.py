"""Vectors: Twilio's published example and those its own client libraries are tested with."""

import pytest

from shared.telephony.twilio_signature import is_signed, sign

TOKEN = "12345"
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
PLAIN_HTTP = URL.replace("https", "http")


def a_form(caller: str = "+14158675309") -> list[tuple[str, str]]:
    return [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", caller),
        ("Digits", "1234"),
        ("From", caller),
        ("To", "+18005551212"),
    ]


@pytest.mark.parametrize(
    ("form", "signature"),
    [
        pytest.param(a_form(), "RSOYDt4T1cUTdK1PDd93/VVr8B8=", id="published example"),
        pytest.param(a_form("+12349013030"), "0/KCTR6DLpKmkAf8muzZqo1nDgQ=", id="older example"),
        pytest.param(
            [("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234")],
            "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
            id="several values of one name",
        ),
    ],
)
def test_known_signatures(form: list[tuple[str, str]], signature: str) -> None:
    assert sign(TOKEN, URL, form) == signature
    assert sign(TOKEN, URL, reversed(form)) == signature
    assert is_signed(TOKEN, URL, form, signature)


def test_equal_value_given_twice_counts_once() -> None:
    assert sign(TOKEN, URL, [*a_form(), ("Digits", "1234")]) == sign(TOKEN, URL, a_form())


@pytest.mark.parametrize(
    ("url", "signature"),
    [
        pytest.param(URL, "kvajT1Ptam85bY51eRf/AJRuM3w=", id="signed with port 443"),
        pytest.param(PLAIN_HTTP, "0ZXoZLH/DfblKGATFgpif+LLRf4=", id="signed with port 80"),
        pytest.param(URL.replace(".com", ".com:1234"), "RSOYDt4T1cUTdK1PDd93/VVr8B8=", id="signed without the port"),
        pytest.param(
            PLAIN_HTTP.replace(".com", ".com:1234"), "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=", id="signed with the port"
        ),
    ],
)
def test_port_may_be_spelled_either_way(url: str, signature: str) -> None:
    assert is_signed(TOKEN, url, a_form(), signature)


@pytest.mark.parametrize("signed", [URL, f"{URL}#rc=5&rp=ct,rt,5xx"])
def test_fragment_may_be_signed_or_not(signed: str) -> None:
    assert is_signed(TOKEN, f"{URL}#rc=5&rp=ct,rt,5xx", a_form(), sign(TOKEN, signed, a_form()))


@pytest.mark.parametrize(
    ("token", "url", "form", "signature"),
    [
        pytest.param("12346", URL, a_form(), sign(TOKEN, URL, a_form()), id="another token"),
        pytest.param(TOKEN, f"{URL}3", a_form(), sign(TOKEN, URL, a_form()), id="another query"),
        pytest.param(TOKEN, PLAIN_HTTP, a_form(), sign(TOKEN, URL, a_form()), id="another scheme"),
        pytest.param(TOKEN, URL.replace("my", "your"), a_form(), sign(TOKEN, URL, a_form()), id="another host"),
        pytest.param(TOKEN, URL, a_form("+14158675308"), sign(TOKEN, URL, a_form()), id="another value"),
        pytest.param(TOKEN, URL, a_form()[1:], sign(TOKEN, URL, a_form()), id="one field less"),
        pytest.param(TOKEN, URL, [*a_form(), ("X", "1")], sign(TOKEN, URL, a_form()), id="one field more"),
        pytest.param(TOKEN, URL, a_form(), None, id="no signature"),
        pytest.param(TOKEN, URL, a_form(), "", id="empty signature"),
        pytest.param(TOKEN, URL, a_form(), "ü\ud800", id="not even ASCII"),
    ],
)
def test_anything_else_is_not_signed(token: str, url: str, form: list[tuple[str, str]], signature: str | None) -> None:
    assert not is_signed(token, url, form, signature)
