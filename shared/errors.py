"""The error tree. A class says what the caller should do, not where the error came from.

DialstreamError
├── PermanentError        do not try again: refuse, dead-letter or mark failed
│   └── ConfigurationError    the process must not start
├── SecretKeyMissing      the operator has set no key: secrets can neither be stored nor read
├── SecretUnreadable      a stored secret that none of the operator's keys opens: never a reason to stop others
├── TemporaryError        try again later; nothing was changed
│   └── Unavailable           Kafka, MongoDB or the carrier is away
├── OutcomeUnknown        it may have happened: find out, never repeat blindly
└── OwnershipLost         another scheduler owns the shard now: drop memory and rejoin

What a customer asked for and cannot have is told as a code and facts: `NotFound`, `WrongState`, `Conflict`,
`BadSetting`, `InvalidCursor`, `TooLarge`, `FileUrlRefused`, `ContactsNotStored`. Their text is a line for developers;
each service that answers customers has its own sentence for each code.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.campaign import CampaignMove, CampaignState, CampaignUse
from shared.domain.repeating import quoted


class DialstreamError(Exception):
    """Everything that Dialstream raises on purpose."""


class PermanentError(DialstreamError):
    """Trying again cannot help."""


class ConfigurationError(PermanentError):
    """Settings are missing or contradict each other; the message names setting, rule and value."""


class SecretKeyMissing(DialstreamError):
    """DIALSTREAM_SECRET_KEY is not set: secrets can neither be stored nor read until the operator sets it."""

    def __init__(self) -> None:
        super().__init__("DIALSTREAM_SECRET_KEY is not set: make one with openssl rand -hex 32")


class SecretUnreadable(DialstreamError):
    """No key of DIALSTREAM_SECRET_KEY opens a stored secret: put the old key at its end, or set the secret anew."""

    def __init__(self) -> None:
        super().__init__(
            "no key of DIALSTREAM_SECRET_KEY opens this secret: put the key it was stored with at the end of "
            "DIALSTREAM_SECRET_KEY, or set the secret anew"
        )


class Kind(StrEnum):
    """What a customer or an operator refers to."""

    ORGANIZATION = "organization"
    CAMPAIGN = "campaign"
    CONFIGURATION = "configuration"
    CONTACT = "contact"
    ORGANIZATION_KEY = "organization key"
    PERSONAL_TOKEN = "personal token"
    DO_NOT_CALL_NUMBER = "do-not-call number"
    INGEST_BATCH = "ingest batch"
    CALLER_NUMBER = "caller number"
    CALLER_NUMBER_POOL = "caller number pool"
    CALLBACK = "callback"
    ATTEMPT = "attempt"
    AGENT = "agent"
    COMPANY = "company"
    PERSON = "person"
    TELEPHONY_ACCOUNT = "telephony account"
    CALL_RESULT = "result of a call"
    IMPORT = "import"
    FILE = "file"
    WEBHOOK = "webhook"
    DELIVERY = "delivery of a webhook"


class Clash(StrEnum):
    """What is taken, in use, or busy."""

    EXTERNAL_ID_TAKEN = "external_id of a campaign taken"
    CONFIGURATION_IN_USE = "configuration in use"
    CONFIGURATION_OF_ANOTHER = "configuration private to another campaign"
    CONTACT_BEING_CALLED = "contact being called"
    BATCH_ID_REUSED = "batch_id of another message"
    CALLER_NUMBER_TAKEN = "caller number registered already"
    CALLER_NUMBER_EXTERNAL_ID_TAKEN = "external_id of a caller number taken"
    CALLER_NUMBER_IN_USE = "caller number in use"
    CALLER_NUMBER_ON_CALL = "caller number on a call"
    POOL_IN_USE = "pool in use"
    REGISTRY_FULL = "registry of caller numbers full"
    CALLBACK_UNDER_WAY = "contact to be called back being called"
    CALLBACK_OVER = "callback over"
    NEVER_CALLED_AGAIN = "contact may not be called"
    EXPIRES_BEFORE = "contact expires before its callback"
    ENDS_BEFORE = "campaign ends before the callback"
    AGENT_ID_TAKEN = "id of an agent taken"
    AGENT_EXTERNAL_ID_TAKEN = "external_id of an agent taken"
    AGENT_IN_USE = "agent in use"
    COMPANY_EXTERNAL_ID_TAKEN = "external_id of a company taken"
    COMPANY_IN_USE = "company of people"
    PERSON_EXTERNAL_ID_TAKEN = "external_id of a person taken"
    PERSON_PHONE_TAKEN = "phone of another person"
    PERSON_ENROLLED = "person in a campaign that goes on"
    ACCOUNT_NAME_TAKEN = "name of a telephony account taken"
    ACCOUNT_IN_USE = "telephony account in use"
    ACCOUNT_ON_CALL = "telephony account on a call"
    ACCOUNTS_FULL = "too many telephony accounts"
    REDIALED_ALREADY = "campaign redialed already"
    NOBODY_TO_REDIAL = "nobody to redial"
    IMPORT_OVER = "import over"
    WEBHOOKS_FULL = "as many webhooks as there may be"
    WEBHOOK_OFF = "webhook is off"
    DELIVERY_WAITS = "delivery waits already"


class Flaw(StrEnum):
    """What is wrong with a setting that only stored documents can tell."""

    UNKNOWN_CALLER_NUMBER = "caller number not in the registry"
    EMPTY_POOL = "pool without numbers"
    SEVERAL_KINDS_OF_NUMBERS = "several kinds of caller numbers"
    CHOICE_WITHOUT_NUMBERS = "choice without numbers to choose from"
    END_BEFORE_START = "end_at not after start_at"
    START_AFTER_END = "start_at not before end_at"
    UNKNOWN_COMPANY = "company not in the registry"
    UNKNOWN_ACCOUNT = "telephony account not found"
    BASE_URL_NOT_ALLOWED = "base URL that the operator has not allowed"
    CREDENTIALS_MISSING = "credentials missing"
    NO_CREDENTIALS_TAKEN = "credentials for an account that has none"
    TIME_PAST = "time that has passed"
    TIME_FAR_AHEAD = "time too far ahead"
    TOO_MUCH_EXTRACTED = "more extracted from a call than is kept"
    RECEIVER_TOO_LONG = "receiver's URL too long"
    RECEIVER_MALFORMED = "receiver's URL malformed"
    RECEIVER_INSECURE = "receiver's URL not https"
    RECEIVER_WITH_CREDENTIALS = "receiver's URL with a user or a password"
    RECEIVER_WITH_FRAGMENT = "receiver's URL with a fragment"
    RECEIVER_PRIVATE = "receiver at an address that is not public"


@dataclass(frozen=True, slots=True)
class NamedCampaign:
    """A campaign that a refusal names: its id and its name."""

    id: str
    name: str


class NotFound(PermanentError):
    """The organization has nothing of this kind that `reference`, as the customer wrote it, refers to."""

    def __init__(self, kind: Kind, reference: str) -> None:
        super().__init__(f"{kind} not found: {quoted(reference)}")
        self.kind, self.reference = kind, reference


class WrongState(PermanentError):
    """The thing's state does not allow what was asked of it; nothing was changed."""

    def __init__(self, kind: Kind, reference: str, state: CampaignState, asked: CampaignMove | CampaignUse) -> None:
        super().__init__(f"{kind} {quoted(reference)} is {state}: {asked} refused")
        self.kind, self.reference, self.state, self.asked = kind, reference, state, asked


class Conflict(PermanentError):
    """A name is taken or a thing is in use; nothing was changed. `reference` is that name, or that thing's id.

    `campaigns` are the first few that use it, where campaigns do.
    """

    def __init__(self, clash: Clash, reference: str, campaigns: Sequence[NamedCampaign] = ()) -> None:
        super().__init__(f"{clash}: {quoted(reference)}")
        self.clash, self.reference, self.campaigns = clash, reference, tuple(campaigns)


class BadSetting(PermanentError):
    """A value of a request breaks a rule about what is stored; nothing was changed.

    `place` leads to the value, from the request's body on; `reference` is the value, or what it contradicts; then
    `value` may be the value.
    """

    def __init__(self, flaw: Flaw, place: Sequence[str | int], reference: str, value: str = "") -> None:
        super().__init__(f"{'.'.join(map(str, place))}: {flaw}: {quoted(reference)}")
        self.flaw, self.place, self.reference, self.value = flaw, tuple(place), reference, value


class InvalidCursor(PermanentError):
    """The cursor is not one that the list gave out: ask for the first page again."""

    def __init__(self, cursor: str | None) -> None:
        super().__init__(f"no cursor of this list: {quoted(cursor or '')}")


class TooLarge(PermanentError):
    """More bytes came than `reference` may have; nothing of them was stored."""

    def __init__(self, kind: Kind, reference: str, most_bytes: int) -> None:
        super().__init__(f"{kind} {quoted(reference)} has more than {most_bytes} bytes")
        self.kind, self.reference, self.most_bytes = kind, reference, most_bytes


class FileUrlRefused(PermanentError):
    """The URL of a file is not one that was signed, or has expired: ask for another one."""

    def __init__(self, *, expired: bool) -> None:
        super().__init__("the URL has expired" if expired else "the URL is not one that was signed for this method")
        self.expired = expired


class TemporaryError(DialstreamError):
    """Nothing was changed; the same operation may be tried again later."""


class ContactsNotStored(TemporaryError):
    """A campaign was stored, but not all of its contacts: send those again, and do not make the campaign again."""

    def __init__(self, campaign_id: str, why: str) -> None:
        super().__init__(f"{why}; campaign {campaign_id} is stored, but not all of its contacts")
        self.campaign_id, self.why = campaign_id, why


class Unavailable(TemporaryError):
    """A server we need is away. `what` names it."""

    def __init__(self, what: str, detail: str = "") -> None:
        super().__init__(f"{what} is not reachable{': ' + detail if detail else ''}")
        self.what = what


class OutcomeUnknown(DialstreamError):
    """The request may have reached the other side. Ask it, or wait for its report; never repeat blindly."""


class OwnershipLost(DialstreamError):
    """The shard's epoch has moved on: a newer owner is at work. Drop what is in memory and rejoin."""
