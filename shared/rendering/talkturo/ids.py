"""Ids as Talkturo's clients know them: a prefix that says the kind, and the UUID in base 32 (TypeID)."""

import re
import uuid
from enum import StrEnum
from typing import Final

from shared.domain.contact_input import is_uuid
from shared.domain.typeid import typeid

_DIGITS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_TYPED: Final = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}")
_OWN: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Prefix(StrEnum):
    """The kinds of things that have ids."""

    TEAM = "team"
    CAMPAIGN = "camp"
    ASSISTANT = "asst"
    COMPANY = "comp"
    CONTACT = "cont"
    NUMBER = "pn"
    CAMPAIGN_CONTACT = "cc"
    CALL = "call"
    RUN = "run"


def shown_id(prefix: Prefix, our_id: str, external_id: str | None = None) -> str:
    """The id of a thing as it is shown: an external_id that looks like one of this kind, else the TypeID.

    A thing of ours whose id is no UUID (an agent's may be any text) is shown by that.
    """
    if external_id is not None and is_own_id(prefix, external_id):
        return external_id
    return typeid(prefix, uuid.UUID(our_id)) if is_uuid(our_id) else our_id


def is_own_id(prefix: Prefix, external_id: str) -> bool:
    """Whether an external_id has the form in which Talkturo gave ids of this kind."""
    start = f"{prefix}_"
    return external_id.startswith(start) and _OWN.fullmatch(external_id.removeprefix(start)) is not None


def meant_by(prefix: Prefix, reference: str) -> tuple[str, ...]:
    """What a reference may be to the engine, the likeliest first: the UUID behind a TypeID, then the text itself."""
    digits = reference.removeprefix(f"{prefix}_")
    if digits == reference or not _TYPED.fullmatch(digits):
        return (reference,)
    value = 0
    for digit in digits:
        value = value << 5 | _DIGITS.index(digit)
    return (str(uuid.UUID(int=value)), reference)


def run_id(campaign_id: str, generation: int) -> str:
    """The id of a campaign's run of this generation."""
    return typeid(Prefix.RUN, uuid.uuid5(uuid.UUID(campaign_id), f"run {generation}"))
