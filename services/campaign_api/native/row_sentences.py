"""From code to sentence: what a customer of this API is told of a row that was used."""

from collections.abc import Mapping, Sequence
from typing import Final

from services.campaign_api.native.sentences import LACKS
from shared.domain.contact import ContactStatus
from shared.domain.phone import NumberType
from shared.domain.row_remarks import Fact, Remark, RemarkCode
from shared.domain.setting_faults import SettingFault

_RESET_SUCH: Final = "; POST …/contacts/reset calls such contacts again"


def remark_sentence(remark: Remark) -> str:
    """The remark on a row, for people; of one of its numbers with the number's place."""
    facts = remark.facts
    match remark.code:
        case RemarkCode.LACKS_SETTING:
            return f"{LACKS[SettingFault(str(facts['fault']))]}{_like_this(facts)}"
        case RemarkCode.HAS_EXPIRED:
            return (
                "expires_at has passed, so it is not called and ends as skipped (expired); send a later one"
                f"{_like_this(facts)}"
            )
        case RemarkCode.STAYS_ENDED:
            why = f" ({facts['because']})" if facts["because"] else ""
            ended = f"was changed, but is not called again: it ended as {facts['status']}{why}"
            way_back = "" if facts["status"] == ContactStatus.COMPLETED else _RESET_SUCH
            return f"{ended}{way_back}"
        case RemarkCode.SAME_CONTACT:
            return f"is the same contact as row {facts['row']}, which is the one that counts"
        case RemarkCode.ID_UNKNOWN:
            stored = "found by its external_id" if facts["found"] else "inserted under a new id"
            return f"id {facts['id']} is not a contact of this campaign; {stored}"
        case RemarkCode.NO_TIMEZONE:
            return "has no timezone, and contacts of no campaign have no default one: set timezone"
        case RemarkCode.SHARES_PHONE:
            return _shares_phone(facts)
        case RemarkCode.LISTED:
            return _listed(facts)
        case _:
            return f"phone_numbers[{facts['place']}] {_of_number(remark)}"


def _of_number(remark: Remark) -> str:
    facts = remark.facts
    match remark.code:
        case RemarkCode.NUMBER_REPEATED:
            return "repeats a number of this contact; kept once"
        case RemarkCode.NUMBER_AMBIGUOUS:
            return f"was read as {facts['number']} and may mean {facts['other']}; send the one you mean with its plus"
        case RemarkCode.NUMBER_COSTLY:
            kind = NumberType(str(facts["type"])).words
            return f"is a {kind} number, which may cost much more than others; leave it out if it is not meant"
        case _:
            return "is not a number that is in use in its region; it will be tried as it is"


def _shares_phone(facts: Mapping[str, Fact]) -> str:
    named = ", ".join(_texts(facts["names"]))
    if facts["more"]:
        named += f" and {'at least ' if facts['at_least'] else ''}{facts['more']} more"
    return f"shares a phone with {named}; each of these contacts is called by itself"


def _listed(facts: Mapping[str, Fact]) -> str:
    numbers = ", ".join(_texts(facts["numbers"]))
    if not facts["whole"]:
        return f"on the do-not-call list, will not be dialed: {numbers}"
    return f"all numbers are on the do-not-call list: {numbers}" + ("; stored as skipped" if facts["skipped"] else "")


def _texts(fact: Fact) -> Sequence[str]:
    return fact if not isinstance(fact, str | int) else [str(fact)]


def _like_this(facts: Mapping[str, Fact]) -> str:
    others = facts["others"]
    return f" ({others} more row{'' if others == 1 else 's'} like this)" if others else ""
