"""Remarks on rows that each API words by itself, because it says what to do there: codes with facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class RemarkCode(StrEnum):
    """What there is to say of a row that was used, and the facts that go with it.

    `lacks_setting`: `fault` (a `SettingFault`), and `others`, how many more rows it concerns. `stays_ended`: `status`
    and `because` (an `EndReason`, or empty: not known) of a contact that was changed and is not called again.
    """

    LACKS_SETTING = "lacks_setting"
    STAYS_ENDED = "stays_ended"


@dataclass(frozen=True, slots=True)
class Remark:
    """One such remark."""

    code: RemarkCode
    facts: Mapping[str, str | int]
