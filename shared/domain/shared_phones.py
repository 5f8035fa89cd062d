"""One phone in several contacts of a campaign: each of them is called by itself, so the customer is told.

A phone counts as one in all its spellings.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.domain.contact_input import ContactRow, RowWarning
from shared.domain.phone import compared
from shared.domain.row_remarks import Fact, Remark, RemarkCode

NAMED: Final = 3
# An `external_id` may be longer; a UUID is not.
NAME_LENGTH: Final = 40
# A phone in more contacts than this is only said to be in at least so many.
COUNTED: Final = 100


@dataclass(frozen=True, slots=True)
class PhoneHolder:
    """A contact that has phone numbers; `name` is by what its customer knows it."""

    contact_id: str
    name: str
    phone_numbers: tuple[str, ...]

    @classmethod
    def of(cls, contact_id: str, external_id: str | None, phone_numbers: Iterable[str]) -> "PhoneHolder":
        """The holder, called by its `external_id` if it has one."""
        name = external_id or contact_id
        shown = name if len(name) <= NAME_LENGTH else name[: NAME_LENGTH - 1] + "…"
        return cls(contact_id, shown, tuple(phone_numbers))

    @property
    def phones(self) -> list[str]:
        """The numbers in the form in which all spellings of one phone are equal, each once."""
        return list(dict.fromkeys(map(compared, self.phone_numbers)))


def shared_phone_warnings(applied: Sequence[tuple[str, ContactRow]], stored: Iterable[PhoneHolder]) -> list[RowWarning]:
    """A warning on every row with a phone that another contact has too; it names those others, stored ones first.

    `applied` are the rows of one request with their contacts' ids, each contact once; `stored` may have contacts
    of `applied` as they were before: the rows count.
    """
    rows = {contact_id: PhoneHolder.of(contact_id, row.external_id, row.phone_numbers) for contact_id, row in applied}
    holders: dict[str, dict[str, str]] = {}
    for holder in [*(holder for holder in stored if holder.contact_id not in rows), *rows.values()]:
        for phone in holder.phones:
            names = holders.setdefault(phone, {})
            if len(names) <= COUNTED:
                names[holder.contact_id] = holder.name
    warnings = []
    for contact_id, row in applied:
        others: dict[str, str] = {}
        for phone in rows[contact_id].phones:
            others |= holders[phone]
        others.pop(contact_id, None)
        if others:
            warnings.append(RowWarning(row.index, row.external_id, _remark(list(others.values()))))
    return warnings


def _remark(names: list[str]) -> Remark:
    more = max(0, len(names) - NAMED)
    facts: dict[str, Fact] = {"names": names[:NAMED], "more": more, "at_least": int(len(names) >= COUNTED)}
    return Remark(RemarkCode.SHARES_PHONE, facts)
