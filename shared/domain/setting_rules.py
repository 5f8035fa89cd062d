"""What a text setting must look like to be of use: each rule gives the text back, or says what it must be.

The sentences of the errors go on from the setting's name: "must be …, and is …".
"""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
# MongoDB keeps these for itself: nothing of ours can be written there.
MONGODB_OWN: Final = ("admin", "config", "local")
MONGODB_NAME_BYTES: Final = 63
# Kafka takes 249 characters for a topic; ours and its dead letters come after the prefix.
TOPIC_PREFIX_CHARACTERS: Final = 200
INSTANCE_CHARACTERS: Final = 200
# Half of what `openssl rand -hex 32` gives: 128 bits where each is a random hexadecimal digit.
SECRET_KEY_CHARACTERS: Final = 32
_KAFKA_NAME: Final = re.compile(r"[A-Za-z0-9._-]*")
_MONGODB_NAME: Final = re.compile(r'[^/\\. "$*<>:|?\x00]+')
_BROKER: Final = re.compile(r"(?:\[[0-9A-Fa-f:.%]+]|[^\s/:@\[\]]+):(?P<port>\d{1,5})")
_PASSWORD: Final = re.compile(r"(?<=://)[^/]*@")
_PORTS: Final = range(1, 65_536)


def base_url(text: str) -> str:
    """An address to which a path is appended: http(s), a host, and nothing after its path."""
    return _url(text, whole=False)


def whole_url(text: str) -> str:
    """An address that is called as it stands: a query and a name with a password may be in it, a fragment not."""
    return _url(text, whole=True)


def _url(text: str, *, whole: bool) -> str:
    if not text:
        return text
    example = "https://agent.example/answer" if whole else "https://dial.example"
    if not text.lower().startswith(("http://", "https://")):
        raise ValueError(f"must be a URL that begins with http:// or https://, {example} for example, and is {text!r}")
    if re.search(r"[\s\x00-\x1f\x7f]", text):
        raise ValueError(f"must be a URL without white space, {example} for example, and is {text!r}")
    try:
        parts = urlsplit(text)
        has_place = bool(parts.hostname) and (parts.port is None or parts.port in _PORTS)
    except ValueError:
        has_place = False
    if not has_place:
        raise ValueError(f"must be a URL with a host, and with a port of 1 to 65535 if any, and is {_hidden(text)!r}")
    excess = _excess(text, parts, whole=whole)
    if excess:
        raise ValueError(f"must be a URL without {excess}, {example} for example, and is {_hidden(text)!r}")
    return text


def _excess(text: str, parts: SplitResult, *, whole: bool) -> str:
    if "#" in text:
        return "a fragment (`#…`)"
    if not whole and "?" in text:
        return "a query (`?…`), because paths are appended to it"
    if not whole and parts.username is not None:
        return "a user or a password"
    return ""


def kafka_addresses(text: str) -> str:
    """Bootstrap servers: one or several of host:port, comma separated."""
    for broker in text.split(","):
        found = _BROKER.fullmatch(broker.strip())
        if found is None or int(found["port"]) not in _PORTS:
            raise ValueError(
                "must be one or several of host:port, comma separated, kafka-1:9092,kafka-2:9092 for example, "
                f"and has {broker.strip()!r}"
            )
    return text


def kafka_name(text: str, longest: int) -> str:
    """A part of a Kafka topic's or member's name."""
    if len(text) > longest or not _KAFKA_NAME.fullmatch(text):
        raise ValueError(f"must be at most {longest} of the characters A-Z a-z 0-9 . _ - and is {text!r}")
    return text


def topic_prefix(text: str) -> str:
    """What comes before the topics' names."""
    return kafka_name(text, TOPIC_PREFIX_CHARACTERS)


def instance(text: str) -> str:
    """A process slot's name, part of its Kafka memberships' names."""
    return kafka_name(text, INSTANCE_CHARACTERS)


def mongodb_address(text: str) -> str:
    """A connection string's beginning and hosts; MongoDB's client reads the rest."""
    scheme, _, rest = text.partition("://")
    if scheme not in {"mongodb", "mongodb+srv"}:
        raise ValueError("must begin with mongodb:// or mongodb+srv:// and is something else")
    hosts = re.split(r"[/?]", rest.rpartition("@")[2], maxsplit=1)[0]
    if not all(host.strip() for host in hosts.split(",")):
        raise ValueError(f"must name one or several hosts after {scheme}:// and is {_hidden(text)!r}")
    return text


def names_replica_set(text: str) -> bool:
    """Whether a connection string names the replica set; one of `mongodb+srv` learns it from its DNS records."""
    options = text.partition("?")[2].lower().replace(";", "&").split("&")
    return text.startswith("mongodb+srv:") or any(re.fullmatch(r"replicaset=.+", option) for option in options)


def mongodb_name(text: str) -> str:
    """A database's name that MongoDB takes and that is not its own."""
    if not _MONGODB_NAME.fullmatch(text) or len(text.encode()) > MONGODB_NAME_BYTES:
        raise ValueError(
            f'must be 1 to {MONGODB_NAME_BYTES} bytes without / \\ . " $ * < > : | ? and spaces, and is {text!r}'
        )
    if text.lower() in MONGODB_OWN:
        raise ValueError(f"must not be one of MongoDB's own databases {', '.join(MONGODB_OWN)}, and is {text!r}")
    return text


def log_level(text: str) -> str:
    """One of the levels, in upper case."""
    if text.upper() not in LOG_LEVELS:
        raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}, and is {text!r}")
    return text.upper()


def account_sid(text: str) -> str:
    """A Twilio account: a part of every URL, and the name of every request's credentials."""
    if not re.fullmatch(r"[A-Za-z0-9]*", text):
        raise ValueError(f"must be letters and digits alone, AC and 32 hexadecimal digits at Twilio, and is {text!r}")
    return text


def is_twilio_sid(text: str) -> bool:
    """Whether Twilio could have given out this account."""
    return re.fullmatch(r"AC[0-9a-fA-F]{32}", text) is not None


def is_usable_secret(text: str) -> bool:
    """Whether a token survives an HTTP header: printable ASCII without white space, such as a file's last line end."""
    return re.fullmatch(r"[!-~]*", text) is not None


def secret_key_texts(text: str) -> tuple[str, ...]:
    """The keys of a comma-separated list, the newest first; raises ValueError on one too short, or written twice."""
    keys = tuple(key.strip() for key in text.split(","))
    if any(len(key) < SECRET_KEY_CHARACTERS or not is_usable_secret(key) for key in keys):
        raise ValueError(
            f"must be one key, or several, comma separated and the newest first, each of at least "
            f"{SECRET_KEY_CHARACTERS} printable ASCII characters without white space (it is not shown): "
            "make one with openssl rand -hex 32"
        )
    if len(set(keys)) < len(keys):
        raise ValueError("must name each key once, and names one twice (it is not shown)")
    return keys


def _hidden(url: str) -> str:
    """A URL as it may be shown."""
    return _PASSWORD.sub("***@", url)
