"""Which environment variables look like settings and are none: a misspelt one else changes nothing, in silence."""

import difflib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "DIALSTREAM_"
# How alike two names must be, 0 to 1, for one to be taken for the other; names with the prefix are alike by it.
ALIKE: Final = 0.8
ALIKE_PREFIX: Final = 0.85
# Kubernetes tells every pod of a service named `dialstream…` in variables of these endings.
_OF_KUBERNETES: Final = re.compile(
    r".*_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A variable that no part of Dialstream reads, and the known name that comes nearest, if any does."""

    name: str
    nearest: str | None

    def __str__(self) -> str:
        """One sentence that names both."""
        hint = f"did you mean {self.nearest}?" if self.nearest else "see .env.example for all that there are"
        return f"{self.name} is no setting of Dialstream and changes nothing; {hint}"


def unknown_names(variables: Iterable[str], known: Collection[str]) -> list[UnknownName]:
    """The variables that begin with the prefix, or nearly so, and are not `known`; upper or lower case is the same."""
    found = []
    for variable in sorted(variables):
        name = variable.upper()
        if name in known or _OF_KUBERNETES.fullmatch(name):
            continue
        if name.startswith(PREFIX):
            found.append(UnknownName(variable, _nearest(name.removeprefix(PREFIX), known)))
        elif _is_misspelt_prefix(name):
            nearest = _nearest(name.partition("_")[2], known)
            found += [UnknownName(variable, nearest)] if nearest else []
    return found


def _nearest(rest: str, known: Collection[str]) -> str | None:
    rests = [name.removeprefix(PREFIX) for name in sorted(known)]
    alike = difflib.get_close_matches(rest, rests, n=1, cutoff=ALIKE)
    return PREFIX + alike[0] if alike else None


def _is_misspelt_prefix(name: str) -> bool:
    word, line, _ = name.partition("_")
    return bool(line) and difflib.SequenceMatcher(None, word + line, PREFIX).ratio() >= ALIKE_PREFIX
