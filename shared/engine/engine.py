"""The connections that use cases work with, made once by a process."""

from dataclasses import dataclass
from typing import Final

from shared.engine.hints import Hints
from shared.store.client import Store
from shared.stored_secrets import SecretCipher

NO_SECRETS: Final = SecretCipher(None)


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine's connections. `source` names the counters document that this process adds to.

    `secrets` encrypts what customers store; `private_receivers`: webhooks may go to private addresses.
    """

    store: Store
    hints: Hints
    source: str
    secrets: SecretCipher = NO_SECRETS
    private_receivers: bool = False
