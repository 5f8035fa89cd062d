"""Remarks on rows that were used: codes with facts, for each API says by itself what they mean and what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

Fact = str | int | Sequence[str]


class RemarkCode(StrEnum):
    """The kinds of remark on a row that was used, and the facts that go with each.

    `lacks_setting`: `fault` (a `SettingFault`), and `others`, how many more rows it concerns. `stays_ended`: `status`
    and `because` (an `EndReason`, or empty: not known) of a contact that was changed and is not called again.
    `has_expired`: `others`, how many more rows have an `expires_at` that has passed. `same_contact`: `row`, the place
    of the later row that counts. `id_unknown`: `id`, and `found` 1 where the external_id has led to a contact, else 0.
    `no_timezone`: none. `shares_phone`: `names` of some contacts that have the phone too, `more` of them, which are
    `at_least` so many (1) or exactly (0). `listed`: `numbers` on the do-not-call list, `whole` 1 where they are all of
    the row, `skipped` 1 where its contact is stored as skipped.

    Of the number at `place` in a row: `number_repeated`: none more. `number_not_in_use`: none more. `number_ambiguous`:
    `number` as it was read, and `other`, what it may mean. `number_costly`: `type` (a `NumberType`).
    """

    LACKS_SETTING = "lacks_setting"
    STAYS_ENDED = "stays_ended"
    HAS_EXPIRED = "has_expired"
    SAME_CONTACT = "same_contact"
    ID_UNKNOWN = "id_unknown"
    NO_TIMEZONE = "no_timezone"
    SHARES_PHONE = "shares_phone"
    LISTED = "listed"
    NUMBER_REPEATED = "number_repeated"
    NUMBER_NOT_IN_USE = "number_not_in_use"
    NUMBER_AMBIGUOUS = "number_ambiguous"
    NUMBER_COSTLY = "number_costly"


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark on a row, by its code."""

    code: RemarkCode
    facts: Mapping[str, Fact]
