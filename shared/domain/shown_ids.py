"""How ids that Dialstream makes are described in the APIs' documents; values of these types are not checked."""

from typing import Annotated, Final

from pydantic import WithJsonSchema

from shared.domain.ids import DEFAULT_CAMPAIGN

_UUID: Final = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

UuidText = Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]
"""The id of a thing that Dialstream has named: a hyphenated UUID in lower case."""

CampaignOrDefault = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^({_UUID}|{DEFAULT_CAMPAIGN})$"})]
"""A campaign's id, or `default`."""

CallbackIdText = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{_UUID}-[0-9]+$"})]
"""The id of a callback: its contact's, and the number of the waiting."""

EventIdText = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^evt_[0-9a-hjkmnp-tv-z]{26}$"})]
"""The id of an event: a TypeID."""
