"""Twilio's error codes: does a code speak of the person called, of us, or of too much at once?

Source of all codes and meanings: https://www.twilio.com/docs/api/errors (each has a page, `/docs/api/errors/21210`,
and all are in `/docs/api/errors/twilio-error-codes.json`).

A code of the person ends the attempt. A code of ours says nothing about the person: no attempt is counted, and what
the code speaks of rests. We call phone numbers only, so a SIP endpoint, domain or trunk that fails is one of ours.

A number on Twilio's own block list (13225, 21216, 32203) counts as the person's: Twilio names the number, and were
its country to rest, one such number would hold up all calls there. Twilio gives the same code when an account without
a Primary Customer Profile calls +1; then it does cost attempts.

**A code that is in no table.** On an order it counts as the account's. Both mistakes are possible: an attempt counted
for something of ours uses up a whole list within minutes, and no setting brings it back; an account that rests for a
number's sake holds up calls for 30 s to 15 min a time, with the code shown, and loses nobody. The codes about numbers
are old and well known, those that Twilio adds are about accounts, trials and compliance. When a call that was taken
ends with such a code, the account was good enough to be taken: SIP response and status then say how it ended.
"""

from typing import Final

from shared.domain.outcome import Outcome
from shared.domain.refusal import Refusal, RefusalSubject
from shared.errors import OutcomeUnknown, TemporaryError
from shared.telephony.provider import CallDenied, CallRefused

ACCOUNT: Final = RefusalSubject.ACCOUNT
CALLER_NUMBER: Final = RefusalSubject.CALLER_NUMBER
COUNTRY: Final = RefusalSubject.COUNTRY

OF_THE_PERSON: Final[dict[int, Outcome]] = {
    13223: Outcome.INVALID_NUMBER,  # invalid phone number format
    13224: Outcome.INVALID_NUMBER,  # number not supported or invalid
    13225: Outcome.FAILED,  # number on Twilio's block list: high risk of fraud, or regulation
    13226: Outcome.INVALID_NUMBER,  # invalid country code
    21201: Outcome.INVALID_NUMBER,  # no number to call
    21202: Outcome.INVALID_NUMBER,  # premium number
    21211: Outcome.INVALID_NUMBER,  # invalid number to call
    21214: Outcome.INVALID_NUMBER,  # number cannot be reached
    21216: Outcome.FAILED,  # number on Twilio's block list: high risk of fraud, or regulation
    21217: Outcome.INVALID_NUMBER,  # number does not appear to be valid
    21604: Outcome.INVALID_NUMBER,  # no number to send to
    21610: Outcome.DO_NOT_CALL,  # the person has unsubscribed
    31404: Outcome.INVALID_NUMBER,  # not found
    31408: Outcome.NO_ANSWER,  # request timeout
    31480: Outcome.NO_ANSWER,  # temporarily unavailable
    31484: Outcome.INVALID_NUMBER,  # address incomplete
    31486: Outcome.BUSY,  # busy here
    31487: Outcome.NO_ANSWER,  # request terminated
    31600: Outcome.BUSY,  # busy everywhere
    31603: Outcome.DECLINED,  # decline
    31604: Outcome.INVALID_NUMBER,  # does not exist anywhere
    32016: Outcome.FAILED,  # no carrier on the route to the number answered within 60 s
    32101: Outcome.INVALID_NUMBER,  # invalid phone number
    32203: Outcome.FAILED,  # number on Twilio's block list: high risk of fraud, or regulation
    34002: Outcome.BUSY,  # callee busy
    34003: Outcome.NO_ANSWER,  # callee did not answer
}

OF_US: Final[dict[int, RefusalSubject]] = {
    # The account: suspended, without rights, on trial, or with wrong credentials.
    10001: ACCOUNT,  # account is not active
    10002: ACCOUNT,  # trial accounts do not support the feature
    10003: ACCOUNT,  # call rejected due to inactive account
    10005: ACCOUNT,  # voice calling has been disabled for this account
    20003: ACCOUNT,  # authentication failed
    20005: ACCOUNT,  # account not active
    20006: ACCOUNT,  # access denied
    20008: ACCOUNT,  # test credentials
    20010: ACCOUNT,  # action disabled for account
    20101: ACCOUNT,  # invalid access token
    20102: ACCOUNT,  # invalid access token header
    20103: ACCOUNT,  # invalid access token issuer or subject
    20104: ACCOUNT,  # access token expired
    20105: ACCOUNT,  # access token not yet valid
    20106: ACCOUNT,  # invalid access token grants
    20107: ACCOUNT,  # invalid access token signature
    20151: ACCOUNT,  # authentication failed
    20403: ACCOUNT,  # forbidden: the account lacks permission, suspended or closed
    20404: ACCOUNT,  # not found: there is no such account
    21219: ACCOUNT,  # number to call not verified: the account is on trial
    21226: ACCOUNT,  # SIP calling not enabled for this account
    21608: ACCOUNT,  # number to send to not verified: the account is on trial
    13244: ACCOUNT,  # no SIP authorization
    13246: ACCOUNT,  # SIP dialing not enabled for this account
    31201: ACCOUNT,  # authentication failed
    31202: ACCOUNT,  # signature validation failed
    31203: ACCOUNT,  # no valid account
    31204: ACCOUNT,  # invalid token
    31205: ACCOUNT,  # token expired
    31207: ACCOUNT,  # token expiration too long
    32100: ACCOUNT,  # trial accounts can only call verified caller ids
    32200: ACCOUNT,  # insufficient permissions
    32201: ACCOUNT,  # our address is not in the access control list
    32202: ACCOUNT,  # bad user credentials
    573005: ACCOUNT,  # number to call has not completed verification: the account is on trial
    # The request, which we make alike for all calls of the account.
    20001: ACCOUNT,  # unknown parameters
    20002: ACCOUNT,  # invalid FriendlyName
    20004: ACCOUNT,  # method not allowed
    20011: ACCOUNT,  # invalid TLS version
    20012: ACCOUNT,  # invalid TLS cipher suite
    20410: ACCOUNT,  # gone: the API is no longer available
    20413: ACCOUNT,  # request entity too large
    20422: ACCOUNT,  # invalid parameter
    20423: ACCOUNT,  # invalid SID
    20426: ACCOUNT,  # upgrade required
    21200: ACCOUNT,  # calls resource: a parameter is missing or wrong
    21205: ACCOUNT,  # invalid URL
    21206: ACCOUNT,  # invalid SendDigits
    21207: ACCOUNT,  # invalid IfMachine
    21208: ACCOUNT,  # invalid Timeout
    21209: ACCOUNT,  # invalid Method
    21218: ACCOUNT,  # invalid ApplicationSid
    21221: ACCOUNT,  # SipAuthUsername too long
    21222: ACCOUNT,  # illegal characters in SipAuthUsername
    21223: ACCOUNT,  # SipAuthPassword too long
    21224: ACCOUNT,  # illegal characters in SipAuthPassword
    21225: ACCOUNT,  # SipAuthPassword missing
    21227: ACCOUNT,  # SIP headers too long
    21228: ACCOUNT,  # illegal characters in the name of a SIP header
    21229: ACCOUNT,  # illegal characters in the value of a SIP header
    21234: ACCOUNT,  # invalid machine detection value
    21262: ACCOUNT,  # no URL for the results of machine detection
    21263: ACCOUNT,  # invalid machine detection parameters
    21609: ACCOUNT,  # invalid StatusCallback
    31001: ACCOUNT,  # application not found
    32018: ACCOUNT,  # TwiML too large
    # Our own SIP infrastructure, through which the account's calls go.
    32002: ACCOUNT,  # SIP domain not found
    32009: ACCOUNT,  # SIP user not registered with its domain
    32010: ACCOUNT,  # no valid origination URI configured
    32011: ACCOUNT,  # error communicating with our SIP infrastructure
    32207: ACCOUNT,  # secure media not accepted
    32208: ACCOUNT,  # secure media required
    32209: ACCOUNT,  # secure transport required
    32222: ACCOUNT,  # TLS version not allowed
    32400: ACCOUNT,  # our trunk could not be reached
    # The number we call from.
    13214: CALLER_NUMBER,  # invalid callerId
    13247: CALLER_NUMBER,  # invalid caller number: not assigned, or on the do-not-originate list
    13248: CALLER_NUMBER,  # callerId too long
    21210: CALLER_NUMBER,  # caller number not verified
    21212: CALLER_NUMBER,  # invalid caller number
    21213: CALLER_NUMBER,  # caller number missing
    21601: CALLER_NUMBER,  # number to send from is not one of the account
    21603: CALLER_NUMBER,  # number to send from missing
    21606: CALLER_NUMBER,  # number to send from cannot do this
    21607: CALLER_NUMBER,  # trial accounts must send from the trial number
    32017: CALLER_NUMBER,  # blocked on its way because of the caller number's reputation
    32204: CALLER_NUMBER,  # caller number not verified
    32206: CALLER_NUMBER,  # invalid caller number: not assigned, or on the do-not-originate list
    573002: CALLER_NUMBER,  # trial accounts must call from the number assigned to the person
    # The country we call.
    13227: COUNTRY,  # geographic permissions do not allow the call
    21203: COUNTRY,  # international calls not enabled
    21215: COUNTRY,  # geographic permissions do not allow the call
    32205: COUNTRY,  # geographic permissions do not allow the call
}

# Too much at once: nothing was placed, and nothing is wrong but the moment. The job goes back until there is room.
TOO_MUCH: Final = frozenset(
    {
        10004,  # too many concurrent calls
        20429,  # too many requests; Twilio: never processed, always safe to retry
        31206,  # rate exceeded authorized limit
        31429,  # too many requests
        32001,  # trunk's calls per second exceeded
        32012,  # account's calls per second on trunks exceeded
        32013,  # account's calls per second over SIP exceeded
    }
)

# A call that is over cannot be ended again.
INVALID_CALL_STATE: Final = 21220


def answer_to_order(status: int, code: int | None, message: str) -> CallRefused | CallDenied:
    """What an answer without a call means: HTTP status, Twilio's code (one of `CODES`) and wording.

    The code speaks before the status. Raises `TemporaryError` for too much at once, `OutcomeUnknown` where the call
    may exist all the same.
    """
    said = f"HTTP {status}, code {code}: {message[:200]}"
    # 408 is a proxy that gave up waiting: what it passed on, nobody knows.
    if not 400 <= status < 500 or status == 408:
        raise OutcomeUnknown(f"no clear answer: {said}")
    if status == 429 or code in TOO_MUCH:
        raise TemporaryError(f"not placed: {said}")
    if code in OF_THE_PERSON:
        return CallRefused(OF_THE_PERSON[code], said)
    subject = ACCOUNT if code is None else OF_US.get(code, ACCOUNT)
    return CallDenied(Refusal(subject=subject, code=code, message=message or f"HTTP {status}"), said)


def refusal_in_ending(code: int | None, message: str) -> Refusal | None:
    """What the code of a call that was taken and then failed says of us; None when it says nothing of the kind.

    Too much at once is the account's here: there is no job left to give back, and it is not the person's doing.
    """
    if code is None:
        return None
    subject = ACCOUNT if code in TOO_MUCH else OF_US.get(code)
    return None if subject is None else Refusal(subject=subject, code=code, message=message)
