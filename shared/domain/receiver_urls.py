"""Where webhooks may be sent: the rules for a receiver's URL, and for each address that its host stands for.

A server that sends requests to where its customers say is a way into the operator's own network unless private
addresses are refused (OWASP, "Server-Side Request Forgery Prevention"). A name says nothing about that until it is
resolved, and may resolve to something else a moment later, so the address is looked at again for each connection.
"""

import re
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

MAX_URL: Final = 2048
_PORTS: Final = range(1, 65_536)
_LOCAL_NAMES: Final = ("localhost", "local", "internal", "localdomain")
# RFC 3986: everything else has to be percent-encoded; a host in other letters has to be in its xn-- form.
_URL_CHARACTERS: Final = re.compile(r"[!-~]+")
_HOST: Final = re.compile(r"[A-Za-z0-9._-]{1,253}\Z")
# WHATWG URL, "ends in a number": libraries read such a host as an IPv4 address in hexadecimal, octal or fewer parts.
_ENDS_IN_NUMBER: Final = re.compile(r"(?:.*\.)?(?:\d+|0[xX][0-9A-Fa-f]*)\.?\Z")
# RFC 6052: NAT64 carries any IPv4 address in its last 32 bits.
_NAT64: Final = int(IPv6Address("64:ff9b::")) >> 32


class UrlFlaw(StrEnum):
    """What is wrong with a receiver's URL."""

    TOO_LONG = "longer than 2048 characters"
    MALFORMED = "no URL with a scheme, a host and plain characters"
    SCHEME = "neither https nor, where allowed, http"
    CREDENTIALS = "a user or a password in it"
    FRAGMENT = "a fragment in it"
    PRIVATE = "an address that is not public"


def url_flaw(url: str, *, private_allowed: bool) -> UrlFlaw | None:
    """What makes a receiver's URL unusable, as far as its text tells; None: nothing does.

    `private_allowed`: the operator lets webhooks go to private addresses, and to those by http too.
    """
    if len(url) > MAX_URL:
        return UrlFlaw.TOO_LONG
    parts = _parsed(url)
    if parts is None:
        return UrlFlaw.MALFORMED
    if parts.scheme not in {"http", "https"}:
        return UrlFlaw.SCHEME
    if parts.username is not None or parts.password is not None:
        return UrlFlaw.CREDENTIALS
    if parts.fragment or url.endswith("#"):
        return UrlFlaw.FRAGMENT
    if not private_allowed:
        if host_is_private(parts.hostname or ""):
            return UrlFlaw.PRIVATE
        return UrlFlaw.SCHEME if parts.scheme == "http" else None
    # Of a name only its addresses tell: `resolved_flaw`.
    return UrlFlaw.SCHEME if parts.scheme == "http" and _is_public_address(parts.hostname or "") else None


def resolved_flaw(url: str, addresses: tuple[str, ...], *, private_allowed: bool) -> UrlFlaw | None:
    """What makes the URL unusable once its host stands for these addresses; none at all: nothing is known.

    One that is not public is enough to refuse: which of them is connected to is chance. By http only where all are
    private.
    """
    private = [not is_public(address) for address in addresses]
    if any(private) and not private_allowed:
        return UrlFlaw.PRIVATE
    if urlsplit(url).scheme == "http" and not all(private):
        return UrlFlaw.SCHEME
    return None


def host_of(url: str) -> str:
    """The host of a URL without a flaw, in small letters, an IPv6 address without its brackets."""
    return urlsplit(url).hostname or ""


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL without a flaw: what may be shown of it in a log."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def host_is_private(host: str) -> bool:
    """Whether a host is a private address, a spelling of an address that only libraries read, or a local name."""
    try:
        return not is_public(host)
    except ValueError:
        bare = host.rstrip(".").lower()
    # A name with no dot is looked up in the operator's own domain.
    return bool(_ENDS_IN_NUMBER.match(host)) or "." not in bare or bare.rpartition(".")[2] in _LOCAL_NAMES


def is_public(address: str) -> bool:
    """Whether an IP address, as the resolver writes it, belongs to the public internet.

    An IPv4 address inside an IPv6 one counts as itself (mapped, NAT64, 6to4). Raises `ValueError` for no address.
    """
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv4Address):
        return _is_public_v4(found)
    inner = _inside(found)
    if inner is not None:
        return _is_public_v4(inner)
    return found.is_global and not found.is_multicast and not found.is_reserved


def _is_public_address(host: str) -> bool:
    try:
        return is_public(host)
    except ValueError:
        return False


def _is_public_v4(address: IPv4Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inside(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    value = int(address)
    # RFC 4291, 2.5.5.1: deprecated "compatible" addresses carry one as NAT64 does.
    return IPv4Address(value & 0xFFFF_FFFF) if value >> 32 in {0, _NAT64} else None


def _parsed(url: str) -> SplitResult | None:
    if not _URL_CHARACTERS.fullmatch(url) or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    if not host or (port is not None and port not in _PORTS) or not parts.scheme:
        return None
    if ":" in host:
        # A zone of a link-local address is nothing for others.
        return parts if "%" not in host else None
    return parts if _HOST.match(host) and ".." not in host else None
