"""Version 4: campaigns have a number in their organization, in order of creation."""

from typing import Final

from shared.store.migrations.numbering import numbering
from shared.store.migrations.step import Migration

CAMPAIGN_NUMBERS: Final[Migration] = numbering(
    4,
    "campaigns have a number in their organization, in order of creation",
    collection="campaigns",
    field="number",
    highest="campaign_number",
)
