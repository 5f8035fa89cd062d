"""The name of a contact, where its data has one."""

from collections.abc import Mapping
from typing import Any, Final

# Longer ones are cut: a call's record keeps the name beside its numbers.
MAX_NAME: Final = 255
# What a name is made of, the first of these of which anything is there.
NAME_FIELDS: Final = (("first_name", "last_name"), ("name",), ("full_name",))


def name_in(data: Mapping[str, Any] | None) -> str | None:
    """The name that a contact's data holds, as it is written there, at most 255 characters; None without one."""
    for fields in NAME_FIELDS:
        parts = [(data or {}).get(name) for name in fields]
        name = " ".join(part.strip() for part in parts if isinstance(part, str) and part.strip())
        if name:
            return name[:MAX_NAME]
    return None
