"""Where the API is and with what credential: options, then the environment, then what `login` has kept."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from dialstream_cli.client import Api, connect
from dialstream_cli.faults import UsageFault

# Of which the local stack's `.local/dev.env` has the first, second and last.
URL: Final = "DIALSTREAM_URL"
KEY: Final = "DIALSTREAM_API_KEY"
ORGANIZATION: Final = "DIALSTREAM_ORGANIZATION_ID"
OPERATOR: Final = "DIALSTREAM_ADMIN_TOKEN"
_OWNER_ONLY: Final = 0o600


@dataclass(frozen=True, slots=True)
class Login:
    """What is known of how to reach the API; None is not known."""

    url: str | None = None
    key: str | None = None
    organization: str | None = None
    operator_token: str | None = None

    def over(self, other: "Login") -> "Login":
        """This one, filled up with what the other one knows."""
        mine = {name: value for name, value in asdict(self).items() if value}
        return Login(**{**asdict(other), **mine})

    def completed_by(self, file: "Login") -> "Login":
        """This one with what a login has kept: a credential goes to the address that it was given for, and no other."""
        if self.url is not None and self.url.rstrip("/") != (file.url or "").rstrip("/"):
            return self
        return self.over(file)


def from_environment(environment: Mapping[str, str]) -> Login:
    """What the environment says."""
    return Login(*(environment.get(name) or None for name in (URL, KEY, ORGANIZATION, OPERATOR)))


def file_of(environment: Mapping[str, str]) -> Path | None:
    """The file that `login` writes: in XDG_CONFIG_HOME, else ~/.config; None for a user without a home."""
    home = environment.get("XDG_CONFIG_HOME")
    try:
        return (Path(home) if home else Path.home() / ".config") / "dialstream" / "login.json"
    except RuntimeError:
        return None


def kept(file: Path | None) -> Login:
    """What the last `login` has kept; nothing without one. Raises UsageFault where the file cannot be read."""
    if file is None:
        return Login()
    try:
        values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return Login(**{name: str(value) for name, value in values.items() if value is not None})
    except (FileNotFoundError, NotADirectoryError):
        return Login()
    except (OSError, ValueError, TypeError, AttributeError):
        raise UsageFault(f"{file} cannot be read; run `dialstream login` again.") from None


def keep(login: Login, file: Path | None) -> Path:
    """Write the file, which only its owner may read, from its first byte on. Raises UsageFault where that cannot be."""
    if file is None:
        raise UsageFault("There is no home folder to keep a login in; set XDG_CONFIG_HOME.")
    beside = file.with_suffix(".new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside.unlink(missing_ok=True)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(asdict(login), out)
        beside.replace(file)
    except OSError as error:
        raise UsageFault(f"{file} cannot be written: {error.strerror}; XDG_CONFIG_HOME names another folder.") from None
    return file


def customer_api(login: Login) -> Api:
    """The API with an organization's key or a person's token. Raises UsageFault where something is missing."""
    if not login.key:
        raise UsageFault(f"No key: run `dialstream login`, or set {KEY}.")
    _check_sendable(login.key, KEY)
    organization = login.organization if login.key.startswith("pat_") else None
    if login.key.startswith("pat_") and organization is None:
        raise UsageFault(f"A personal token needs an organization: --organization, or {ORGANIZATION}.")
    if organization is not None:
        _check_sendable(organization, ORGANIZATION)
    return connect(checked_url(login), login.key, organization)


def operator_api(login: Login) -> Api:
    """The API with the operator's token. Raises UsageFault where something is missing."""
    if not login.operator_token:
        raise UsageFault(f"Keys are the operator's: run `dialstream login --operator`, or set {OPERATOR}.")
    _check_sendable(login.operator_token, OPERATOR)
    return connect(checked_url(login), login.operator_token, None)


def checked_url(login: Login) -> str:
    """The API's address. Raises UsageFault where none is known, or it is none."""
    if not login.url:
        raise UsageFault(f"No address of campaign-api: run `dialstream login URL`, or set {URL}.")
    try:
        parts = urlsplit(login.url)
        good = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or 1) > 0
    except ValueError:
        good = None
    if not good:
        raise UsageFault(f"{login.url!r} is no address of campaign-api; write it like https://dialer.example.com.")
    return login.url


def _check_sendable(key: str, name: str) -> None:
    """Raises UsageFault for a text that no header can carry, such as one that was copied with a line's end."""
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise UsageFault(f"{name} has characters that none has; look at it, or log in again.")
