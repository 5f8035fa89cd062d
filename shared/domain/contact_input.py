"""One contact as customers send it, over HTTP or Kafka, and what becomes of a list of them.

A field that was left out of an update stays as it is and null clears it, so `model_fields_set` matters.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

from shared.domain.fields import E164, TimezoneName
from shared.domain.json_rules import JsonObject, ShortText, check_json, check_text
from shared.domain.phone import InvalidPhoneNumber, NumberType, PhoneNumber, compared, normalize
from shared.domain.queue_order import MAX_CONTACT_PRIORITY, MIN_CONTACT_PRIORITY
from shared.domain.row_remarks import Fact, Remark, RemarkCode

MAX_PHONE_NUMBERS: Final = 10
# National numbers are read as North American ones unless the configuration says otherwise.
FALLBACK_COUNTRY_CODE: Final = "+1"
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_uuid(text: str) -> bool:
    """Whether the text is a hyphenated UUID, in either case: the form of our own ids."""
    return _UUID.fullmatch(text) is not None


def _uuid(value: str) -> str:
    if not is_uuid(value):
        raise PydanticCustomError("uuid", "Write a UUID like 3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21")
    return str(UUID(value))


def read_instant(value: Any) -> datetime:
    """An aware ISO 8601 text as UTC, cut to the milliseconds that are stored."""
    try:
        parsed = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        if parsed.utcoffset() is None:
            raise PydanticCustomError("timezone_aware", "Add an offset to the time: end it with Z or with +02:00")
        parsed = parsed.astimezone(UTC)
    except OverflowError as error:
        raise PydanticCustomError("datetime_range", "Write a time between the years 1 and 9999") from error
    except (TypeError, ValueError) as error:
        if isinstance(error, PydanticCustomError):
            raise
        raise PydanticCustomError("datetime", "Write an ISO 8601 time like 2026-07-01T14:30:00Z") from error
    return parsed.replace(microsecond=parsed.microsecond // 1000 * 1000)


ContactId = Annotated[str, AfterValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]
"""A contact's own id, in lower case."""

Instant = Annotated[datetime, BeforeValidator(read_instant), WithJsonSchema({"type": "string", "format": "date-time"})]
"""A moment, sent as ISO 8601 with an offset; kept in UTC to the millisecond."""

PhoneText = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(check_text)]
"""A phone number as people write it; `prepare_contacts` reads it."""


class ContactInput(BaseModel):
    """One contact to add or to change. Only `phone_numbers` is required; null clears an optional field."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: ContactId | None = Field(None, description="Our id of a contact of this campaign that is to be changed.")
    external_id: ShortText | None = Field(None, description="Your id; unique in the campaign.")
    phone_numbers: Annotated[list[PhoneText], Field(min_length=1, max_length=MAX_PHONE_NUMBERS)] = Field(
        description="Dialed in this order, the next one on each retry."
    )
    data: JsonObject | None = Field(None, description="Anything your agent needs; at most 64 KiB.")
    timezone: TimezoneName | None = Field(None, description="IANA name; without it the configuration's default.")
    scheduled_at: Instant | None = Field(None, description="Do not call before this time.")
    expires_at: Instant | None = Field(None, description="Do not call from this time on: who waits ends as skipped.")
    priority: Annotated[int, Field(ge=MIN_CONTACT_PRIORITY, le=MAX_CONTACT_PRIORITY)] | None = Field(
        None, description="Contacts of a higher priority are called first in their campaign; without it 0."
    )
    agent_id: ShortText | None = None
    agent_version: ShortText | None = None
    agent_number: E164 | None = Field(None, description="The caller number for this contact.")
    agent_config: JsonObject | None = None
    initial_context: Annotated[str | dict[str, Any], AfterValidator(check_json)] | None = None

    @field_validator("expires_at")
    @classmethod
    def _expires_after_it_is_due(cls, expires_at: datetime | None, info: ValidationInfo) -> datetime | None:
        scheduled_at = info.data.get("scheduled_at")
        if expires_at is not None and scheduled_at is not None and expires_at <= scheduled_at:
            raise PydanticCustomError(
                "expires_before_due",
                "A contact must not expire before it is due: write a later time than scheduled_at, {scheduled_at}",
                {"scheduled_at": scheduled_at.isoformat().replace("+00:00", "Z")},
            )
        return expires_at


# What an update may change; the ids are how a contact is found, the numbers are always given.
OPTIONAL_FIELDS: Final = (
    "data",
    "timezone",
    "scheduled_at",
    "expires_at",
    "priority",
    "agent_id",
    "agent_version",
    "agent_number",
    "agent_config",
    "initial_context",
)


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact ready to be stored: numbers in E.164, and only the fields that were given.

    `indexes` are all places in the request that this row answers, the last one being its own: a contact
    that stood in the request several times is one row.
    """

    indexes: tuple[int, ...]
    id: str | None
    external_id: str | None
    external_id_given: bool
    phone_numbers: tuple[str, ...]
    fields: Mapping[str, Any]

    @property
    def index(self) -> int:
        """The row's own place in the request, from 0."""
        return self.indexes[-1]


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row of a request cannot be used. `loc` leads to the value inside the row."""

    index: int
    external_id: str | None
    loc: tuple[str | int, ...]
    message: str

    @property
    def field(self) -> str:
        """`loc` as people write it: `phone_numbers[0]`."""
        return field_path(self.loc)


@dataclass(frozen=True, slots=True)
class RowWarning:
    """What a customer should know about a row that was used."""

    index: int
    external_id: str | None
    remark: Remark


@dataclass(frozen=True, slots=True)
class PreparedContacts:
    """The rows to store, the rows that cannot be, and remarks."""

    rows: tuple[ContactRow, ...]
    problems: tuple[RowProblem, ...]
    warnings: tuple[RowWarning, ...]


def field_path(loc: Sequence[str | int]) -> str:
    """`("phone_numbers", 0)` as `phone_numbers[0]`."""
    path = ""
    for part in loc:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def prepare_contacts(
    inputs: Sequence[ContactInput],
    *,
    default_country_code: str | None,
    strict_e164: bool,
    refused_types: Collection[NumberType] = (),
    positions: Sequence[int] | None = None,
) -> PreparedContacts:
    """Read the numbers and fold what stands twice; pure, and the same answer for the same request.

    `strict_e164` is for the campaign `default`, which has no configuration: numbers must be E.164 then.
    Otherwise national numbers are read with `default_country_code`, `+1` when that is None. Numbers of
    `refused_types` are ones the organization does not call. `positions` gives the places in the request when
    `inputs` are only its well-formed rows.

    A row with any number that cannot be read or is refused appears in `problems` (once per bad number) and not in
    `rows`; over HTTP that refuses the request, in a Kafka batch only the row.
    """
    reading = _Reading(_country_code(default_country_code, strict_e164), refused_types)
    for position, contact in zip(positions or range(len(inputs)), inputs, strict=True):
        reading.read(position, contact)
    return PreparedContacts(
        rows=tuple(reading.rows),
        problems=tuple(reading.problems),
        warnings=tuple(sorted(reading.warnings, key=lambda warning: warning.index)),
    )


@dataclass(frozen=True, slots=True)
class NumberRules:
    """How the numbers of a campaign's contacts are read; the fields are as `prepare_contacts` has them."""

    default_country_code: str | None
    strict_e164: bool = False
    refused_types: tuple[NumberType, ...] = ()

    def prepare(self, inputs: Sequence[ContactInput], positions: Sequence[int] | None = None) -> PreparedContacts:
        """The contacts with their numbers read: see `prepare_contacts`."""
        return prepare_contacts(
            inputs,
            default_country_code=self.default_country_code,
            strict_e164=self.strict_e164,
            refused_types=self.refused_types,
            positions=positions,
        )

    def e164(self, raw: str) -> str:
        """One number in E.164. Raises `InvalidPhoneNumber`, which says why it cannot be read or is refused."""
        return _read(raw, _country_code(self.default_country_code, self.strict_e164), self.refused_types).e164

    def why_unreadable(self, raw: str) -> str | None:
        """What `prepare` would say about one number; None when it can be read and is not refused."""
        return why_unreadable(
            raw,
            default_country_code=self.default_country_code,
            strict_e164=self.strict_e164,
            refused_types=self.refused_types,
        )


def why_unreadable(
    raw: str, *, default_country_code: str | None, strict_e164: bool, refused_types: Collection[NumberType] = ()
) -> str | None:
    """What `prepare_contacts` would say about one number; None when it can be read and is not refused."""
    try:
        _read(raw, _country_code(default_country_code, strict_e164), refused_types)
    except InvalidPhoneNumber as error:
        return str(error)
    return None


def _country_code(default: str | None, strict_e164: bool) -> str | None:
    return None if strict_e164 else default or FALLBACK_COUNTRY_CODE


def _read(raw: str, country_code: str | None, refused_types: Collection[NumberType]) -> PhoneNumber:
    number = normalize(raw, country_code)
    if number.costly is not None and number.costly in refused_types:
        raise InvalidPhoneNumber(
            f"This is a {number.costly.words} number, which the organization refuses to call; leave it out, or ask the "
            "operator to change refused_number_types"
        )
    return number


def folded(earlier: ContactRow, later: ContactRow) -> ContactRow:
    """One row with the effect of both in order: what the later one gives counts, the rest stays."""
    return ContactRow(
        indexes=(*earlier.indexes, *later.indexes),
        id=later.id or earlier.id,
        external_id=later.external_id if later.external_id_given else earlier.external_id,
        external_id_given=later.external_id_given or earlier.external_id_given,
        phone_numbers=later.phone_numbers,
        fields={**earlier.fields, **later.fields},
    )


def counted_once(earlier: ContactRow, later: ContactRow) -> RowWarning:
    """The remark on the earlier one of two rows that are the same contact."""
    return RowWarning(earlier.index, earlier.external_id, Remark(RemarkCode.SAME_CONTACT, {"row": later.index}))


class _Reading:
    """Collects one request; a later row of the same contact replaces the earlier one."""

    def __init__(self, country_code: str | None, refused_types: Collection[NumberType]) -> None:
        self._country_code = country_code
        self._refused_types = refused_types
        self.rows: list[ContactRow] = []
        self.problems: list[RowProblem] = []
        self.warnings: list[RowWarning] = []
        self._place_of_id: dict[str, int] = {}
        self._place_of_external_id: dict[str, int] = {}

    def read(self, index: int, contact: ContactInput) -> None:
        numbers = self._numbers(index, contact)
        if numbers is None:
            return
        given = contact.model_fields_set
        self._add(
            ContactRow(
                indexes=(index,),
                id=contact.id,
                external_id=contact.external_id,
                external_id_given="external_id" in given,
                phone_numbers=numbers,
                fields={name: getattr(contact, name) for name in OPTIONAL_FIELDS if name in given},
            )
        )

    def _add(self, row: ContactRow) -> None:
        place = self._place_of(row)
        if place is None:
            place = len(self.rows)
            self.rows.append(row)
        else:
            row = self._folded(place, row)
            self.rows[place] = row
        if row.id is not None:
            self._place_of_id[row.id] = place
        if row.external_id is not None:
            self._place_of_external_id[row.external_id] = place

    def _place_of(self, row: ContactRow) -> int | None:
        if row.id is not None and row.id in self._place_of_id:
            return self._place_of_id[row.id]
        if row.external_id is None or row.external_id not in self._place_of_external_id:
            return None
        place = self._place_of_external_id[row.external_id]
        earlier = self.rows[place]
        # Two different ids under one external_id are two contacts; the store finds which one is wrong.
        if row.id is not None and earlier.id is not None:
            return None
        return place

    def _folded(self, place: int, row: ContactRow) -> ContactRow:
        earlier = self.rows[place]
        self.warnings.append(counted_once(earlier, row))
        return folded(earlier, row)

    def _numbers(self, index: int, contact: ContactInput) -> tuple[str, ...] | None:
        # By the form in which all spellings of a phone are one.
        numbers: dict[str, str] = {}
        readable = True
        remarks: list[Remark] = []
        for place, raw in enumerate(contact.phone_numbers):
            try:
                number = _read(raw, self._country_code, self._refused_types)
            except InvalidPhoneNumber as error:
                self.problems.append(RowProblem(index, contact.external_id, ("phone_numbers", place), str(error)))
                readable = False
                continue
            if compared(number.e164) in numbers:
                remarks.append(Remark(RemarkCode.NUMBER_REPEATED, {"place": place}))
                continue
            remarks += _remarks(place, number)
            numbers[compared(number.e164)] = number.e164
        if not readable:
            return None
        self.warnings.extend(RowWarning(index, contact.external_id, remark) for remark in remarks)
        return tuple(numbers.values())


def _remarks(place: int, number: PhoneNumber) -> list[Remark]:
    remarks = []
    if not number.valid:
        remarks.append(Remark(RemarkCode.NUMBER_NOT_IN_USE, {"place": place}))
    if number.other is not None:
        facts: dict[str, Fact] = {"place": place, "number": number.e164, "other": number.other}
        remarks.append(Remark(RemarkCode.NUMBER_AMBIGUOUS, facts))
    if number.costly is not None:
        remarks.append(Remark(RemarkCode.NUMBER_COSTLY, {"place": place, "type": number.costly.value}))
    return remarks
