"""Receivers' URLs: a table of what is refused, by text and by address, and of what is not."""

import pytest

from shared.domain.receiver_urls import MAX_URL, UrlFlaw, host_is_private, is_public, resolved_flaw, url_flaw

PUBLIC = ("8.8.8.8", "203.0.114.5", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1")
PRIVATE = (
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:7f00:1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_one(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_none(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "127.1",
        "0177.0.0.1",
        "127.0.0.1.",
        "0x7f.0x0.0x0.0x1",
        "1.2.3.0x4",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "foo.localhost",
        "printer.local",
        "metadata.google.internal",
        "intranet",
    ],
)
def test_a_host_that_means_this_machine_or_network_is_private(host: str) -> None:
    assert host_is_private(host)


@pytest.mark.parametrize(
    "host", ["example.com", "hooks.example.com.", "4you.example", "1and1.com", "x0x7f.io", "a-b.co"]
)
def test_a_name_of_the_internet_is_not_private_by_itself(host: str) -> None:
    assert not host_is_private(host)


@pytest.mark.parametrize(
    ("url", "flaw"),
    [
        ("https://example.com", None),
        ("https://example.com/hooks?team=1", None),
        ("HTTPS://EXAMPLE.COM:8443/Hooks", None),
        ("https://8.8.8.8/hooks", None),
        ("https://[2606:4700:4700::1111]/", None),
        ("https://example.com/" + "a" * (MAX_URL - 20), None),
        ("https://example.com/" + "a" * (MAX_URL - 19), UrlFlaw.TOO_LONG),
        ("http://example.com", UrlFlaw.SCHEME),
        ("ftp://example.com", UrlFlaw.SCHEME),
        ("file:///etc/passwd", UrlFlaw.MALFORMED),
        ("javascript:alert(1)", UrlFlaw.MALFORMED),
        ("example.com/hooks", UrlFlaw.MALFORMED),
        ("//example.com/hooks", UrlFlaw.MALFORMED),
        ("https://", UrlFlaw.MALFORMED),
        ("https:///hooks", UrlFlaw.MALFORMED),
        ("https://exa mple.com", UrlFlaw.MALFORMED),
        ("https://example.com/ü", UrlFlaw.MALFORMED),
        ("https://exämple.com/", UrlFlaw.MALFORMED),
        ("https://example.com\\@127.0.0.1/", UrlFlaw.MALFORMED),
        ("https://example.com\r\nHost: evil/", UrlFlaw.MALFORMED),
        ("https://example.com\t/", UrlFlaw.MALFORMED),
        ("https://example.com:0/", UrlFlaw.MALFORMED),
        ("https://example.com:65536/", UrlFlaw.MALFORMED),
        ("https://example.com:port/", UrlFlaw.MALFORMED),
        ("https://[::1/", UrlFlaw.MALFORMED),
        ("https://[fe80::1%25eth0]/", UrlFlaw.MALFORMED),
        ("https://exa%6Dple.com/", UrlFlaw.MALFORMED),
        ("https://example..com/", UrlFlaw.MALFORMED),
        ("https://user@example.com/", UrlFlaw.CREDENTIALS),
        ("https://user:secret@example.com/", UrlFlaw.CREDENTIALS),
        ("https://@example.com/", UrlFlaw.CREDENTIALS),
        ("https://example.com/#part", UrlFlaw.FRAGMENT),
        ("https://example.com/#", UrlFlaw.FRAGMENT),
        ("https://127.0.0.1/", UrlFlaw.PRIVATE),
        ("https://0x7f.1/", UrlFlaw.PRIVATE),
        ("https://2130706433/", UrlFlaw.PRIVATE),
        ("https://[::ffff:127.0.0.1]/", UrlFlaw.PRIVATE),
        ("https://[::1]:8443/", UrlFlaw.PRIVATE),
        ("https://169.254.169.254/latest/meta-data", UrlFlaw.PRIVATE),
        ("https://localhost/", UrlFlaw.PRIVATE),
        ("http://10.0.0.1/", UrlFlaw.PRIVATE),
    ],
)
def test_a_url_on_the_open_internet(url: str, flaw: UrlFlaw | None) -> None:
    assert url_flaw(url, private_allowed=False) == flaw


@pytest.mark.parametrize(
    ("url", "flaw"),
    [
        ("http://127.0.0.1:9000/hooks", None),
        ("http://localhost:9000/hooks", None),
        ("https://10.0.0.1/", None),
        ("http://8.8.8.8/", UrlFlaw.SCHEME),
        ("http://user@127.0.0.1/", UrlFlaw.CREDENTIALS),
        ("gopher://127.0.0.1/", UrlFlaw.SCHEME),
    ],
)
def test_a_url_where_private_addresses_are_allowed(url: str, flaw: UrlFlaw | None) -> None:
    assert url_flaw(url, private_allowed=True) == flaw


@pytest.mark.parametrize(
    ("url", "addresses", "private_allowed", "flaw"),
    [
        ("https://example.com", (), False, None),
        ("https://example.com", ("8.8.8.8", "2606:4700:4700::1111"), False, None),
        ("https://example.com", ("127.0.0.1",), False, UrlFlaw.PRIVATE),
        ("https://example.com", ("8.8.8.8", "10.0.0.1"), False, UrlFlaw.PRIVATE),
        ("https://example.com", ("fe80::1%2",), False, UrlFlaw.PRIVATE),
        ("https://example.com", ("10.0.0.1",), True, None),
        ("http://receiver.example", ("10.0.0.1",), True, None),
        ("http://receiver.example", ("8.8.8.8",), True, UrlFlaw.SCHEME),
        ("http://receiver.example", ("10.0.0.1", "8.8.8.8"), True, UrlFlaw.SCHEME),
    ],
)
def test_a_url_whose_host_has_been_resolved(
    url: str, addresses: tuple[str, ...], private_allowed: bool, flaw: UrlFlaw | None
) -> None:
    assert resolved_flaw(url, addresses, private_allowed=private_allowed) == flaw
