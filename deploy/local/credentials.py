"""What `make run` must keep to itself: made once, kept in the home folder, readable by this user alone."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from deploy import dev_env
from deploy.local.home import Home, make_folder


@dataclass(frozen=True, slots=True)
class Credentials:
    """The operator's token, the account that engine and simulated carrier share, and what encrypts stored secrets."""

    admin_token: str
    twilio_account_sid: str
    twilio_auth_token: str
    secret_key: str

    @classmethod
    def new(cls) -> "Credentials":
        """Fresh ones. The account SID looks like Twilio's and is none."""
        return cls(
            secrets.token_urlsafe(32), f"AC{secrets.token_hex(16)}", secrets.token_hex(16), secrets.token_hex(32)
        )

    @property
    def environment(self) -> dict[str, str]:
        """The same as the environment variables that the services read."""
        return {f"DIALSTREAM_{name.upper()}": value for name, value in asdict(self).items()}


def credentials_of(home: Home) -> Credentials:
    """This home's credentials; those are made that the file lacks, and all when it is damaged."""
    path = home.root / "secrets.json"
    try:
        kept = dict(json.loads(path.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        kept = {}
    made = asdict(Credentials.new())
    credentials = Credentials(
        **{field.name: str(kept.get(field.name, made[field.name])) for field in fields(Credentials)}
    )
    if asdict(credentials) != kept:
        write_private(path, json.dumps(asdict(credentials)))
    return credentials


def read_dev_env(home: Home) -> dict[str, str]:
    """What `.local/dev.env` says; empty when there is none."""
    return dev_env.read(dev_env_of(home))


def write_dev_env(home: Home, values: Mapping[str, str]) -> Path:
    """Writes `.local/dev.env`, for shells (`source`) and scripts; returns its path."""
    write_private(dev_env_of(home), dev_env.text(values))
    return dev_env_of(home)


def dev_env_of(home: Home) -> Path:
    """Where addresses and keys of the running system are written."""
    return home.root / dev_env.NAME


def write_private(path: Path, text: str) -> None:
    """Replaces a file in one step; at no moment can another user read it."""
    make_folder(path.parent)
    half = path.with_name(f"{path.name}.{os.getpid()}.half")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    half.replace(path)
