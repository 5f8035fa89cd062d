"""`dialstream doctor`: what of an installation is wrong, and what to do."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import typer

from dialstream_cli.client import Api, connect
from dialstream_cli.credentials import Login, checked_url, customer_api
from dialstream_cli.faults import CommandFault, NotReachable, Refused, UsageFault
from dialstream_cli.output import AsJson, show
from dialstream_cli.session import login_of

COLUMNS: Final = ("part", "state", "said", "what_to_do")
SERVERS: Final = {"kafka": "Kafka", "mongodb": "MongoDB"}
_GOOD, _BAD, _UNKNOWN = "good", "wrong", "not looked at"


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of the installation: `state` is good, wrong or not looked at."""

    part: str
    state: str
    said: str = ""
    what_to_do: str = ""


def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Look at the API, Kafka, MongoDB, the key, the executors and the carrier; say what is wrong and what to do."""
    login = login_of(context)
    found = [*examine(login)]
    show([asdict(finding) for finding in found], COLUMNS, as_json=as_json)
    wrong = [finding.part for finding in found if finding.state == _BAD]
    if found[0].state == _BAD:
        raise NotReachable(f"{checked_url(login)} does not answer as campaign-api.")
    if wrong:
        raise CommandFault(f"Wrong: {', '.join(wrong)}.")


def examine(login: Login) -> Iterator[Finding]:
    """The findings, the API's first; what cannot be looked at because of an earlier one is left out."""
    url = checked_url(login)
    try:
        status, live = connect(url, "", None).probe("/health/live")
    except NotReachable as error:
        yield Finding("API", _BAD, str(error), "Start campaign-api, or look at address, proxy and firewall.")
        return
    if live != {"status": "live"}:
        yield Finding("API", _BAD, f"HTTP {status}, and no answer of campaign-api.", "Look at the address.")
        return
    yield Finding("API", _GOOD, url)
    yield from _servers(connect(url, "", None))
    try:
        api = customer_api(login)
    except UsageFault as fault:
        yield Finding("Key", _UNKNOWN, str(fault))
        return
    yield from _with_key(api)


def _servers(api: Api) -> Iterator[Finding]:
    try:
        status, ready = api.probe("/health/ready")
    except NotReachable as error:
        status, ready = 0, {"detail": str(error)}
    away = ready.get("away") if isinstance(ready, Mapping) else None
    for name, title in SERVERS.items():
        if away is None and ready != {"status": "ready"}:
            said = ready.get("detail") if isinstance(ready, Mapping) else None
            yield Finding(title, _UNKNOWN, str(said or f"HTTP {status}, and no answer of campaign-api."))
        elif name in (away or ()):
            what = f"Start {title}, or look at DIALSTREAM_{name.upper()} of campaign-api (docs/operations.md)."
            yield Finding(title, _BAD, "campaign-api does not reach it.", what)
        else:
            yield Finding(title, _GOOD)


def _with_key(api: Api) -> Iterator[Finding]:
    try:
        api.get("/campaign/timezones")
    except Refused as refusal:
        yield Finding("Key", _BAD, refusal.detail, "Run `dialstream login`; the operator makes keys.")
        return
    except NotReachable as away:
        yield Finding("Key", _UNKNOWN, str(away))
        return
    yield Finding("Key", _GOOD)
    try:
        diagnosis = api.get("/campaign/campaigns/default/diagnosis")
    except (NotReachable, Refused) as error:
        yield Finding("Carrier", _UNKNOWN, str(error))
    else:
        yield executors(diagnosis)
        yield from carrier(diagnosis)


def executors(diagnosis: Mapping[str, Any]) -> Finding:
    """Whether somebody places calls: the global limit is what live executors take, and 0 without one."""
    limit = next((limit["limit"] for limit in diagnosis["limits"] if limit["name"] == "global"), 0)
    if limit == 0:
        return Finding("Executors", _BAD, "No call-executor is alive.", "Have the operator start one.")
    return Finding("Executors", _GOOD, f"{limit} calls at once")


def carrier(diagnosis: Mapping[str, Any]) -> Iterator[Finding]:
    """What the carrier refuses this organization, a finding each; one that all is well where it refuses nothing."""
    if not diagnosis["resting"]:
        yield Finding("Carrier", _GOOD, "It refuses nothing.")
    for resting in diagnosis["resting"]:
        what = resting["telephony_account"] or resting["what"]
        code = "" if resting["code"] is None else f" ({resting['code']})"
        yield Finding(
            "Carrier",
            _BAD,
            f"It refuses {what}{code}: {resting['said']}",
            f"Mend it with the carrier; it is asked again at {resting['until']} (docs/nobody-is-called.md).",
        )
