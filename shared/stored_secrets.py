"""Secrets that have to be read again (credentials of carriers, signing secrets of webhooks) at rest in MongoDB.

They are encrypted and authenticated by Fernet (AES-128-CBC and HMAC-SHA256, `cryptography`) with keys that are derived
from the texts of `DIALSTREAM_SECRET_KEY`: the newest, which stands first, writes; all of them read. That, and
`python -m deploy.reencrypt`, is how a key is replaced (docs/operations.md, "The secret key"). Passwords and API keys of
customers are not stored this way: nothing of theirs but a digest is kept.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from shared.domain.setting_rules import secret_key_texts
from shared.errors import SecretKeyMissing, SecretUnreadable


class SecretCipher:
    """Encrypts and decrypts stored secrets. Without a key it can do neither, and says so when it is asked to."""

    def __init__(self, secret_key: SecretStr | None) -> None:
        texts = secret_keys(secret_key)
        fernets = [Fernet(base64.urlsafe_b64encode(derived_key(text, "stored secrets"))) for text in texts]
        self._newest = fernets[0] if fernets else None
        self._all = MultiFernet(fernets) if fernets else None

    @property
    def has_key(self) -> bool:
        """Whether secrets can be encrypted and decrypted at all."""
        return self._newest is not None

    def encrypt(self, secret: str) -> str:
        """The form in which a secret is stored: ASCII, of no use without the key.

        Raises `SecretKeyMissing` where the operator has set no key.
        """
        if self._newest is None:
            raise SecretKeyMissing
        return self._newest.encrypt(secret.encode()).decode()

    def decrypt(self, stored: str) -> str:
        """The secret that was stored so.

        Raises `SecretKeyMissing` where the operator has set no key, `SecretUnreadable` where none of the keys wrote it
        or it was tampered with: then the old key has to come back, or the secret to be set anew.
        """
        if self._all is None:
            raise SecretKeyMissing
        try:
            return self._all.decrypt(stored.encode()).decode()
        except InvalidToken:
            raise SecretUnreadable from None

    def is_by_newest(self, stored: str) -> bool:
        """Whether the newest key wrote this; False also for what no key can read."""
        if self._newest is None:
            raise SecretKeyMissing
        try:
            self._newest.decrypt(stored.encode())
        except InvalidToken:
            return False
        return True


def secret_keys(secret_key: SecretStr | None) -> tuple[str, ...]:
    """The texts of `DIALSTREAM_SECRET_KEY`, the newest first; none when it is not set."""
    return () if secret_key is None else secret_key_texts(secret_key.get_secret_value())


def derived_key(text: str, purpose: str) -> bytes:
    """32 bytes for one purpose from one text of `DIALSTREAM_SECRET_KEY`, by HKDF with SHA-256.

    Keys of different purposes tell nothing of each other, so a token of one can never be used as one of another.
    """
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"dialstream {purpose}".encode()).derive(text.encode())
