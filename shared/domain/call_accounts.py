"""Which telephony account a call is placed through, and which numbers rest because their account does."""

from datetime import datetime

from shared.domain.caller_numbers import NumberPlan
from shared.domain.dialing_values import Rules
from shared.domain.refusal import RefusalSubject, rest_key


def account_of(caller_number: str | None, rules: Rules) -> str | None:
    """The account through which a call from a number is placed; None: the operator's.

    The number's own, else the campaign's, else the organization's default.
    """
    entry = rules.numbers.registered.get(caller_number or "")
    return (entry.account_id if entry is not None else None) or account_of_campaign(rules) or rules.accounts.default


def account_of_campaign(rules: Rules) -> str | None:
    """The account that a campaign names; None: it names none."""
    return rules.campaign.fields.account_id if rules.campaign is not None else None


def default_plan(rules: Rules) -> NumberPlan | None:
    """The numbers of the default account, for those who name no number; None where another account is named."""
    named = account_of_campaign(rules)
    return rules.accounts.default_numbers if named in (None, rules.accounts.default) else None


def resting_accounts(plan: NumberPlan, rules: Rules, now: datetime) -> dict[str, datetime]:
    """Until when numbers of a plan rest because their account does: others, of another account, may be called from."""
    if not rules.rests or not rules.accounts.known:
        return {}
    accounts = {offer.number: account_of(offer.number, rules) or "" for offer in plan.offers}
    rests = {
        account_id: rules.resting(rest_key(RefusalSubject.ACCOUNT, account_id), now)
        for account_id in set(accounts.values())
    }
    return {number: rest.until for number, account_id in accounts.items() if (rest := rests[account_id]) is not None}
