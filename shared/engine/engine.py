"""The connections that use cases work with, made once by a process."""

from dataclasses import dataclass, field
from typing import Final

from shared.engine.file_places import FilePlace
from shared.engine.hints import Hints
from shared.engine.live import Live
from shared.store.client import Store
from shared.stored_secrets import SecretCipher

NO_SECRETS: Final = SecretCipher(None)


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine's connections. `source` names the counters document that this process adds to.

    `live`: what clients of this process follow. `secrets` encrypts what customers store; `account_base_urls` are those
    that their telephony accounts may name. `private_receivers`: webhooks may go to private addresses.
    """

    store: Store
    hints: Hints
    source: str
    files: FilePlace
    live: Live = field(default_factory=Live)
    secrets: SecretCipher = NO_SECRETS
    account_base_urls: frozenset[str] = frozenset()
    private_receivers: bool = False
