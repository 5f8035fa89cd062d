"""Forms of the console, purely: their fields, what was typed into them, and what is amiss with which one.

A form that is refused is shown again as it was typed, each fault beside its field. Spelling and bounds of numbers are
looked at here, so that a sentence can name the field's own unit; all else is the API's to judge.
"""

import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Self

from services.console.words import counted

UNPROCESSABLE: Final = 422
YES: Final = "yes"
_WHOLE: Final = re.compile(r"[0-9]{1,12}")
_DECIMAL: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
_ROUTE: Final = re.compile(r" \((?:GET|POST|PUT|PATCH|DELETE) /[^)]*\)")
_BETWEEN_DIGITS: Final = str.maketrans("", "", " -().")
_MISSING: Final = "Fill this in."
_NONE_TICKED: Final = "Tick one at least."
_NOT_LISTED: Final = "Choose one of the list."

# A refused value as the API names it: its place in the body, and the sentence.
Place = Sequence[str | int]
BadValues = Iterable[tuple[Place, str]]


class Kind(StrEnum):
    """How a field is typed."""

    TEXT = "text"
    LONG = "long"
    PHONE = "tel"
    WHOLE = "whole"
    DECIMAL = "decimal"
    TIME = "time"
    CLOCK = "clock"
    DATE = "date"
    TICK = "tick"
    TICKS = "ticks"
    CHOICE = "choice"
    LIST = "list"
    PAIRS = "pairs"


_WIDE: Final = frozenset({Kind.LONG, Kind.TICKS, Kind.PAIRS})
# Characters that a field beside others shows.
_LONG_OPTION: Final = 28


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name is that in the API's body, and `makes` are further parts of the body that it stands for.

    `least` and `most` bound numbers; of texts `most` is the number of characters. `options` are those of a choice, or
    of ticks; `suggestions` names a list of the page to choose from or not.
    """

    name: str
    label: str
    kind: Kind = Kind.TEXT
    required: bool = False
    least: int = 0
    most: int | None = None
    hint: str = ""
    placeholder: str = ""
    options: tuple[tuple[str, str], ...] = ()
    suggestions: str = ""
    makes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The label where it begins a sentence."""
        return f"{self.label[:1].upper()}{self.label[1:]}"

    @property
    def is_wide(self) -> bool:
        """Whether it has a row of its own: what is long would be cut otherwise."""
        longest = max((len(words) for _, words in self.options), default=0)
        return self.kind in _WIDE or (self.kind is Kind.CHOICE and longest > _LONG_OPTION)

    def amiss(self, typed: str) -> str:
        """What is wrong with a typed text, as a sentence; empty where nothing is, as far as is known here."""
        if not typed:
            said = _NONE_TICKED if self.kind is Kind.TICKS else _MISSING
            return said if self.required else ""
        match self.kind:
            case Kind.WHOLE if not _WHOLE.fullmatch(typed) or not self._holds(int(typed)):
                return f"Write a whole number{self._bounds}."
            case Kind.DECIMAL if not _DECIMAL.fullmatch(typed) or not self._holds(float(typed)):
                return f"Write a number{self._bounds}."
            case Kind.TIME if utc_field(typed) is None:
                return "Choose the day and the time (UTC)."
            case Kind.CHOICE if typed not in {value for value, _ in self.options}:
                return _NOT_LISTED
            case Kind.LIST if self.required and not self.read(typed):
                return _MISSING
            case Kind.PAIRS if _pairs(typed) is None:
                return "Write a name, a colon and a value on each line, each name once."
            case _:
                return ""

    def read(self, typed: str) -> Any:
        """The value for the API's body, of a text with which nothing is amiss; None for an empty one."""
        if self.kind is Kind.TICK:
            return typed == YES
        if not typed:
            return [] if self.kind in (Kind.LIST, Kind.TICKS) else None
        match self.kind:
            case Kind.WHOLE:
                return int(typed)
            case Kind.DECIMAL:
                return float(typed)
            case Kind.TIME:
                at = utc_field(typed)
                return None if at is None else utc_z(at)
            case Kind.LIST:
                return [part.strip() for part in re.split(r"[,;\n]", typed) if part.strip()]
            case Kind.TICKS:
                return typed.split()
            case Kind.PHONE:
                return typed.translate(_BETWEEN_DIGITS)
            case Kind.PAIRS:
                return _pairs(typed)
            case _:
                return typed

    def write(self, value: Any) -> str:
        """A value of the API as it would be typed."""
        if value is None or value is False or value == []:
            return ""
        match self.kind:
            case Kind.TICK:
                return YES
            case Kind.TIME:
                # A field of a browser knows minutes and no offset; ours are UTC.
                return f"{datetime.fromisoformat(value).astimezone(UTC):%Y-%m-%dT%H:%M}"
            case Kind.LIST:
                return ", ".join(value)
            case Kind.TICKS:
                return " ".join(value)
            case Kind.DECIMAL:
                return f"{value:g}"
            case Kind.LONG:
                return _lines(str(value))
            case _:
                # A browser's field of one line has none of its ends.
                return "".join(str(value).splitlines()).strip()

    def _holds(self, number: float) -> bool:
        return self.least <= number and (self.most is None or number <= self.most)

    @property
    def _bounds(self) -> str:
        return f", {self.least:,} or more" if self.most is None else f", {self.least:,} to {self.most:,}"


def new_once() -> str:
    """What tells the form of one page from that of every other."""
    return secrets.token_urlsafe(12)


@dataclass(frozen=True, slots=True)
class Form:
    """A form as a page shows it. Its `name` tells the ids of its fields from those of the page's other forms.

    `was` is what the fields held when the page was made: only what a person has changed since is sent, so that nothing
    is set back that another person has changed meanwhile. A field that is not in it counts as changed.
    """

    name: str
    fields: tuple[Field, ...]
    typed: Mapping[str, str]
    was: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    faults: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    refusal: str = ""
    code: int = 200
    # Tells this page's sending of the form from that of another: sent twice, it is done once.
    once: str = field(default_factory=new_once, compare=False)

    @classmethod
    def of(cls, name: str, fields: tuple[Field, ...], values: Mapping[str, Any]) -> Self:
        """A form that shows values of the API; fields without one are empty."""
        shown = {one.name: one.write(values.get(one.name)) for one in fields}
        return cls(name, fields, shown, shown)

    def filled(self, typed: Mapping[str, str], was: str = "", once: str = "") -> Self:
        """The form as it was sent, with what its page held before as JSON; looked at as far as is known here."""
        held = {name: _lines(text) for name, text in typed.items()}
        faults = {one.name: said for one in self.fields if (said := one.amiss(held.get(one.name, "")))}
        shown = replace(self, typed=held, was=_texts(was), once=once or self.once)
        return shown.with_faults(faults) if faults else shown

    def with_faults(self, faults: Mapping[str, str], refusal: str = "") -> Self:
        """The form with these sentences beside its fields, and one above them all."""
        said = refusal or f"Nothing is changed yet: look at {counted(len(faults), 'field')}."
        return replace(self, faults=faults, refusal=said, code=UNPROCESSABLE)

    def refused(self, status: int, detail: str, values: BadValues, at: Mapping[int, str]) -> Self:
        """The form after the API has refused it with a status, a sentence and bad values.

        `at` names the field that alone can be the reason of a status. What belongs to no field is said above them all.
        """
        faults: dict[str, str] = {}
        elsewhere = False
        for place, sentence in values:
            name = self._field_at(place)
            elsewhere = elsewhere or name is None
            if name is not None:
                faults[name] = f"{faults[name]} {_sentence(sentence)}" if name in faults else _sentence(sentence)
        if not faults and status in at:
            faults[at[status]] = detail
        if faults and not elsewhere:
            return replace(self.with_faults(faults), code=status)
        return replace(self, faults=faults, refusal=detail, code=status)

    def body(self) -> dict[str, Any]:
        """What was filled in, for the API; what was left empty is left out."""
        values = {one.name: one.read(self.typed.get(one.name, "")) for one in self.fields}
        return {name: value for name, value in values.items() if value not in (None, [])}

    def changes(self) -> dict[str, Any]:
        """What a person has changed, for the API: None for what was emptied."""
        held = {one.name: self.typed.get(one.name, "") for one in self.fields}
        return {one.name: one.read(held[one.name]) for one in self.fields if held[one.name] != self.was.get(one.name)}

    @property
    def was_text(self) -> str:
        """What its fields held, as JSON: a hidden field of the form."""
        return json.dumps(dict(self.was))

    @property
    def first_fault(self) -> str:
        """The first field with which something is amiss: the browser goes there."""
        return next((one.name for one in self.fields if one.name in self.faults), "")

    def id_of(self, one: Field) -> str:
        """The id of a field on the page."""
        return f"{self.name}-{one.name.replace('_', '-')}"

    def _field_at(self, place: Place) -> str | None:
        """The field that a place in the body comes from: the innermost name that one of them stands for."""
        owners = {part: one.name for one in self.fields for part in (*one.makes, one.name)}
        return next((owners[part] for part in reversed(place) if isinstance(part, str) and part in owners), None)


def with_options(fields: tuple[Field, ...], **options: Iterable[tuple[str, str]]) -> tuple[Field, ...]:
    """The fields, with what some of them offer."""
    return tuple(replace(one, options=tuple(options[one.name])) if one.name in options else one for one in fields)


def utc_field(typed: str) -> datetime | None:
    """The time of a `datetime-local` field, read as UTC; None for anything else."""
    try:
        at = datetime.fromisoformat(typed)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def utc_z(at: datetime) -> str:
    """A UTC time as the API wants it."""
    return at.isoformat().replace("+00:00", "Z")


def _pairs(typed: str) -> dict[str, str] | None:
    """`name: value` lines as names and values; None for any other text."""
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, typed.splitlines())):
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or name.strip() in found:
            return None
        found[name.strip()] = value.strip()
    return found


def _lines(text: str) -> str:
    """A text with the line ends that are stored; browsers send others."""
    return "\n".join(text.splitlines()).strip()


def _texts(text: str) -> Mapping[str, str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}


def _sentence(said: str) -> str:
    """The API's words on a value as a sentence, without its hints for programs."""
    said = _ROUTE.sub("", f"{said[:1].upper()}{said[1:]}")
    return said if said.endswith((".", "!", "?")) else f"{said}."
