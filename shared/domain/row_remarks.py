"""Remarks on rows that each API words by itself, because it says what to do there: codes with facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class RemarkCode(StrEnum):
    """The kinds of remark on a row that was used, and the facts that go with each.

    `lacks_setting`: `fault` (a `SettingFault`), and `others`, how many more rows it concerns. `stays_ended`: `status`
    and `because` (an `EndReason`, or empty: not known) of a contact that was changed and is not called again.
    `has_expired`: `others`, how many more rows have an `expires_at` that has passed.
    """

    LACKS_SETTING = "lacks_setting"
    STAYS_ENDED = "stays_ended"
    HAS_EXPIRED = "has_expired"


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark on a row, by its code."""

    code: RemarkCode
    facts: Mapping[str, str | int]
