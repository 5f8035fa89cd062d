"""Version 8: caller numbers have a serial in their organization, in order of creation."""

from typing import Final

from shared.store.migrations.numbering import numbering
from shared.store.migrations.step import Migration

CALLER_NUMBER_SERIALS: Final[Migration] = numbering(
    8,
    "caller numbers have a serial in their organization, in order of creation",
    collection="caller_numbers",
    field="serial",
    highest="caller_number_serial",
)
