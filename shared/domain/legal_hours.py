"""Legal hours: when the law of a number's country, or of its state, lets people be called. Not legal advice.

A clamp after all calling windows, on the called person's wall clock: they take hours away and never give any. A country
without a row in the table has none.
"""

from functools import cache

from shared.domain.legal_hours_table import LEGAL_ROWS, LegalRow

# All states of the table are told apart by calling code and area code.
_PREFIX_LENGTH = 5


def legal_row(number: str, country: str) -> LegalRow | None:
    """The row of a number in E.164 that is in `country`: its state's, else its country's; None where there is none."""
    return _of_states().get((country, number[:_PREFIX_LENGTH])) or _of_countries().get(country)


@cache
def _of_countries() -> dict[str, LegalRow]:
    return {country: row for row in LEGAL_ROWS if row.state is None for country in row.countries}


@cache
def _of_states() -> dict[tuple[str, str], LegalRow]:
    return {
        (country, prefix): row
        for row in LEGAL_ROWS
        if row.state is not None
        for country in row.countries
        for prefix in row.prefixes
    }
