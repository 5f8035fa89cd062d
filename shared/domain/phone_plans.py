"""Numbers in E.164 that are told to be in use from their country's plan alone.

`phonenumbers` reads any text; most numbers that come are in E.164 already. For these its own patterns are asked here in
its own order, without parsing; what is not sure after that is left to it (`normalize` in shared/domain/phone.py).
Measured: a ninth of the time (docs/benchmarks.md).
"""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberDesc

_OF_NO_COUNTRY: Final = "001"
# Mexico's mobile 1 is left out when a number is read.
_REWRITTEN: Final = "+521"
_LONGEST_COUNTRY_CODE: Final = 3

_IN_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Form:
    """A form of numbers: their lengths (none: any) and their pattern."""

    lengths: frozenset[int]
    matches: Callable[[str], object]


@dataclass(frozen=True, slots=True)
class _Region:
    """A region's numbers: all forms it has, those that cost more, and those by which it is told from its neighbors."""

    general: tuple[_Form, ...]
    costly: tuple[_Form, ...]
    usual: tuple[_Form, ...]
    leading: Callable[[str], object] | None

    def is_in_use(self, national: str) -> bool:
        """Whether the number is of a usual form and of no costly one."""
        return _any_has(self.general, national) and (
            _any_has(self.usual, national) and not _any_has(self.costly, national)
        )

    def is_costly(self, national: str) -> bool:
        """Whether the number is of a costly form."""
        return _any_has(self.general, national) and _any_has(self.costly, national)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A country calling code's regions, the main one first, and what is asked of every number of the code."""

    lengths: frozenset[int]
    prefix: Callable[[str], object] | None
    regions: tuple[_Region, ...]

    def has_in_use(self, national: str) -> bool:
        """Whether the number is surely in use as it is written, and not costly."""
        if len(national) not in self.lengths or national.startswith("0"):
            return False
        if self.prefix is not None and self.prefix(national) is not None:
            # It may be stripped.
            return False
        if len(self.regions) == 1:
            return self.regions[0].is_in_use(national)
        for region in self.regions:
            if region.leading is not None:
                if region.leading(national) is not None:
                    return region.is_in_use(national)
            elif region.is_in_use(national):
                return True
            elif region.is_costly(national):
                return False
        return False


def is_in_use_as_written(text: str) -> bool:
    """Whether a text is a number in E.164 of a form that its country has assigned, and none of the costly ones.

    False says nothing: the number may be as good, and was not sure from the plan alone.
    """
    if _IN_E164.fullmatch(text) is None or text.startswith(_REWRITTEN):
        return False
    for digits in range(1, _LONGEST_COUNTRY_CODE + 1):
        plan = _plan(text[1 : 1 + digits])
        if plan is not None:
            return plan.has_in_use(text[1 + digits :])
    return False


@functools.cache
def _plan(digits: str) -> _Plan | None:
    """The plan of a country calling code; None for other digits and for a code of no country."""
    names = COUNTRY_CODE_TO_REGION_CODE.get(int(digits))
    if not names or names[0] == _OF_NO_COUNTRY:
        return None
    found = [PhoneMetadata.metadata_for_region(name) for name in names]
    known = [metadata for metadata in found if metadata is not None]
    if len(known) < len(names):
        return None
    main = known[0]
    if main.general_desc is None:
        return None
    lengths = frozenset(main.general_desc.possible_length) - frozenset(main.general_desc.possible_length_local_only)
    prefix = main.national_prefix_for_parsing
    regions = [_region(metadata) for metadata in known]
    return _Plan(lengths, re.compile(prefix).match if prefix else None, tuple(regions))


def _region(metadata: PhoneMetadata) -> _Region:
    leading = metadata.leading_digits
    return _Region(
        general=_forms(metadata.general_desc),
        costly=_forms(metadata.premium_rate, metadata.shared_cost),
        usual=_forms(
            metadata.mobile,
            metadata.fixed_line,
            metadata.toll_free,
            metadata.voip,
            metadata.personal_number,
            metadata.pager,
            metadata.uan,
            metadata.voicemail,
        ),
        leading=re.compile(leading).match if leading is not None else None,
    )


def _any_has(forms: tuple[_Form, ...], national: str) -> bool:
    for form in forms:
        if (not form.lengths or len(national) in form.lengths) and form.matches(national) is not None:
            return True
    return False


def _forms(*descriptions: PhoneNumberDesc | None) -> tuple[_Form, ...]:
    """The forms that there are numbers of."""
    return tuple(
        _Form(frozenset(each.possible_length), re.compile(each.national_number_pattern).fullmatch)
        for each in descriptions
        if each is not None and each.national_number_pattern
    )
