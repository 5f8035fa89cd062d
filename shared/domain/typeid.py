"""TypeIDs: a UUID as text that says what it is the id of (https://github.com/jetify-com/typeid, version 0.3)."""

import uuid
from typing import Final

# Crockford's base 32, in lower case.
_DIGITS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
# 26 digits of five bits hold the 128, with two zero bits in front.
_LENGTH: Final = 26


def typeid(prefix: str, identifier: uuid.UUID) -> str:
    """The TypeID of a UUID: `prefix`, `_` and 26 digits, the most significant first."""
    value = identifier.int
    return f"{prefix}_" + "".join(_DIGITS[value >> 5 * place & 31] for place in reversed(range(_LENGTH)))
