"""Names of organizations that programs use."""

import re
from typing import Final

MAX_SLUG: Final = 64
_OTHERS: Final = re.compile(r"[^a-z0-9]+", re.ASCII)


def slug_of(name: str) -> str:
    """The slug of an organization that was given none: its name in lower case, all else than `a-z0-9` a hyphen.

    At most 64 characters, without hyphens at the ends; empty for a name without any letter or digit of these.
    """
    return _OTHERS.sub("-", name.lower()).strip("-")[:MAX_SLUG].rstrip("-")
