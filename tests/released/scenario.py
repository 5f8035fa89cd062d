"""A small installation in which every collection has documents, and contacts of every status; made-up numbers."""

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.clock import utc_now
from shared.domain.call_limits import CallLimits
from shared.domain.campaign import CampaignMove
from shared.domain.contact_input import ContactInput, NumberRules, prepare_contacts
from shared.domain.csv_columns import Columns
from shared.domain.csv_contacts import AS_THEY_ARE, read_records
from shared.domain.csv_text import Record
from shared.domain.facts import Fact, FactType
from shared.domain.ids import default_campaign_id
from shared.domain.jobs import ImportOrder, JobKind, Position, Reading, new_job
from shared.domain.once import Answered, Begun
from shared.domain.outcome import Outcome
from shared.domain.phone import NumberType
from shared.domain.refusal import Refusal, RefusalSubject
from shared.domain.stored_files import file_key
from shared.domain.telephony_accounts import AccountProvider
from shared.domain.upload import UpsertResult
from shared.domain.webhooks import TEST_EVENT, Answer, DeliveryError, after_try
from shared.events import CallAnswered, CallFinished, DialJob, JobReleased
from shared.store.catalog.agents import NewAgent, register_agent
from shared.store.catalog.caller_numbers import NewNumber, register_number
from shared.store.catalog.campaigns import NewCampaign, create_campaign, move_campaign
from shared.store.catalog.companies import create_company
from shared.store.catalog.configurations import create_configuration
from shared.store.catalog.do_not_call import add_numbers
from shared.store.catalog.facts import tell
from shared.store.catalog.file_contents import GridFSFiles
from shared.store.catalog.files import register_file
from shared.store.catalog.idempotency import claim_key, keep_answer
from shared.store.catalog.keys import KeyKind, Scope, create_key
from shared.store.catalog.organizations import Organization, create_organization, edit_hours
from shared.store.catalog.people import NewPerson
from shared.store.catalog.private_configurations import change_configuration_of
from shared.store.catalog.request_counts import exchange_counts
from shared.store.catalog.stored_campaign import Campaign
from shared.store.catalog.telephony_accounts import NewAccount, create_account
from shared.store.catalog.webhooks import NewWebhook, create_webhook, rotate_secret
from shared.store.client import Store
from shared.store.contacts.deletion import request_deletion
from shared.store.contacts.enrolment import ToEnrol, enrol
from shared.store.contacts.following import edit_person
from shared.store.contacts.ingest_batches import BatchRow, IngestBatch
from shared.store.contacts.matching import ContactsOf
from shared.store.contacts.reported_calls import ReportedCall, record_result
from shared.store.contacts.upsert import upsert_contacts
from shared.store.contacts.upsert_people import create_people
from shared.store.contacts.wishes import ask_again
from shared.store.dialing import schedulers, starts
from shared.store.dialing.adoption import adopt_facts
from shared.store.dialing.answering_machines import note_machine
from shared.store.dialing.claim import ClaimOrder
from shared.store.dialing.executors import Heartbeat, beat
from shared.store.dialing.facts import note_relayed
from shared.store.dialing.results import add_results
from shared.store.dialing.schedulers import SchedulerReport
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import ShardWork, do_shard_work
from shared.store.dialing.shards import (
    GrantMove,
    ShardDemand,
    ensure_shards,
    move_grants,
    publish_wants,
    set_global_limit,
    take_over,
)
from shared.store.jobs.import_chunk import ImportChunk, store_chunk
from shared.store.jobs.jobs import accept_job, settle_reading
from shared.store.reports.deliveries import Delivery, Mark, add_deliveries, mark, take_due
from tests.factories import ALWAYS_OPEN

FAR_AWAY: Final = "2099-12-24T00:00:00Z"
FAR_OFF: Final = {"first_day": "2099-12-24", "last_day": None, "yearly": False, "timezones": None, "name": None}
LIMITS: Final = CallLimits(ring_seconds=30, max_call_seconds=1800, around_seconds=70)
NONCE: Final = "6f0d7b0c-61d5-4f6e-9a55-2f1c0d3a7e01"
BUSY_AGAIN: Final = {"busy": {"retry": True, "max_attempts": 5, "delay_seconds": 0}}
LISTED: Final = "+14152000900"


@dataclass(slots=True)
class Installation:
    """One organization, and the scheduler that owns its shard."""

    store: Store
    organization: Organization
    owner: Ownership
    configuration_id: str
    now: datetime

    async def campaign(self, name: str, external_id: str | None = None) -> Campaign:
        """A campaign that dials."""
        new = NewCampaign(name, self.configuration_id, external_id, 10, "agent-1", None, "+12025550101")
        return await create_campaign(self.store, self.organization.id, new, self.now)

    async def contacts(
        self, campaign_id: str, contacts: Sequence[ContactInput], batch: IngestBatch | None = None
    ) -> UpsertResult:
        """Stores contacts as a request, or a batch, brings them."""
        in_no_campaign = campaign_id.startswith("default")
        prepared = prepare_contacts(contacts, default_country_code="+1", strict_e164=in_no_campaign)
        return await upsert_contacts(
            self.store,
            organization_id=self.organization.id,
            shard=self.organization.shard,
            campaign_id=campaign_id,
            rows=prepared.rows,
            source="ingest-0" if batch else "api-0",
            now=self.now,
            batch=batch,
        )

    async def claim(self, *contact_ids: str | None) -> list[DialJob]:
        """Claims these contacts, in this order; their dial jobs."""
        order = ClaimOrder([contact_id for contact_id in contact_ids if contact_id is not None])
        done = await do_shard_work(self.store, self.owner, ShardWork(claim=order), utc_now())
        assert len(done.jobs) == len(contact_ids), done
        return done.jobs

    async def start(self, *jobs: DialJob) -> None:
        """Starts these jobs, as an executor does."""
        await starts.start(self.store, starts.StartOrder(jobs, NONCE, "executor-0", "callback", LIMITS))
        await starts.note_call_ids(self.store, [(job.contact_id, job.attempt_id, "CA01") for job in jobs])

    def ending(self, job: DialJob, outcome: Outcome, *, proven: bool = True) -> CallFinished:
        """The ending of a job's call."""
        answered = self.now if outcome is Outcome.ANSWERED else None
        return CallFinished(
            organization_id=job.organization_id,
            shard=job.shard,
            attempt_id=job.attempt_id,
            contact_id=job.contact_id,
            outcome=outcome,
            proven=proven,
            started_at=self.now,
            answered_at=answered,
            ended_at=utc_now(),
            duration_seconds=12.5 if answered else None,
            provider_call_id="CA01",
        )

    async def finish(self, *endings: CallFinished, released: Sequence[JobReleased] = ()) -> None:
        """Has the scheduler apply what became of calls."""
        await do_shard_work(self.store, self.owner, ShardWork(ended=endings, released=released), utc_now())


async def install(store: Store, name: str = "Acme") -> Installation:
    """An organization with keys, a configuration and slots."""
    now = utc_now()
    organization = await create_organization(
        store,
        name=name,
        default_agent_number="+12025550100",
        exclusive_caller_numbers=("+12025550101",),
        refused_number_types=(NumberType.PREMIUM_RATE,),
        now=now,
    )
    for kind, person in ((KeyKind.ORGANIZATION, None), (KeyKind.PERSONAL, "ada@example.com")):
        await create_key(
            store,
            kind=kind,
            name="A key",
            person=person,
            organization_ids=[organization.id],
            scopes=[Scope.CAMPAIGNS_READ, Scope.CAMPAIGNS_MANAGE],
            expires_at=None,
            now=now,
        )
    credentials = "an-encrypted-token"
    account = NewAccount("Sales", AccountProvider.TWILIO, account_sid="AC1", credentials=credentials)
    await create_account(store, organization.id, account, now)
    number = NewNumber("+12025550101", "Front desk", 2, 3, 1000, True, ("west-coast",))
    await register_number(store, organization.id, number, now)
    values = {
        "name": "Always",
        "default_timezone": "America/New_York",
        "default_windows": ALWAYS_OPEN,
        "overrides": [{"timezones": ["America/Chicago"], "windows": ALWAYS_OPEN}],
        "scheduled_windows": None,
        "scheduled_overrides": None,
        "default_country_code": "+1",
        "max_attempts": 1,
        "max_attempts_per_day": None,
        "retry_rules": BUSY_AGAIN,
        "agent_id": None,
        "agent_version": None,
        "agent_number": None,
        "use_contact_timezone": True,
        "timezone_from_number": False,
        "closures": [FAR_OFF],
        "holiday_calendars": [],
        "ring_seconds": 25,
        "max_call_seconds": 600,
        "voicemail": {"detect": True, "action": "leave_message", "message": "Please call us back.", "language": None},
    }
    await store["organizations"].update_one({"_id": organization.id}, {"$set": {"fact_types": list(FactType)}})
    await edit_hours(store, organization.id, {"closures": [FAR_OFF], "legal_hours": "off"})
    configuration = await create_configuration(store, organization_id=organization.id, values=values, now=now)
    await ensure_shards(store)
    await set_global_limit(store, 100)
    owner = Ownership(organization.shard, await take_over(store, organization.shard))
    assert await move_grants(store, [GrantMove(owner, 20)])
    await publish_wants(store, [ShardDemand(owner, {organization.id: {"want": 5, "limit": 10}}, 0)])
    return Installation(store, organization, owner, configuration.id, now)


def contact(place: int, **fields: object) -> ContactInput:
    """A contact as a customer sends it."""
    row = {"external_id": f"lead-{place}", "phone_numbers": [f"+1415200{1000 + place}"], **fields}
    return ContactInput.model_validate(row)


async def write_everything(store: Store) -> Installation:
    """Documents in every collection, as today's code writes them."""
    here = await install(store)
    organization_id = here.organization.id
    await add_numbers(store, organization_id, [LISTED], "asked us", here.now)
    spring = await here.campaign("Spring", "spring")
    rows = [contact(place, agent_number=f"+1202555{200 + place:04}") for place in range(12)]
    rows[0] = contact(
        0, agent_number="+12025550101", data={"first_name": "Ada"}, timezone="America/Chicago", expires_at=FAR_AWAY
    )
    rows[11] = contact(11, phone_numbers=[LISTED])
    stored = await here.contacts(spring.id, rows)
    ids = list(stored.contact_ids)
    batch = IngestBatch("batch-1", spring.id, 2, (BatchRow(1, None, "phone_numbers", "no"),), here.now, "00" * 32)
    await here.contacts(spring.id, [contact(20)], batch)
    await here.contacts(default_campaign_id(organization_id), [contact(30, agent_id="agent-1")])
    # Another external_id for a contact that is there: it is filed under the id derived from the new one.
    await here.contacts(spring.id, [contact(9, id=ids[9], external_id="lead-nine")])
    for campaign_name, move in (("Summer", CampaignMove.PAUSE), ("Autumn", CampaignMove.CANCEL)):
        campaign = await here.campaign(campaign_name)
        await here.contacts(campaign.id, [contact(40), contact(41)])
        await move_campaign(store, organization_id, campaign.id, move, here.now)

    winter = await here.campaign("Winter", "winter")
    await change_configuration_of(store, organization_id, winter.id, {"max_attempts": 2}, here.now)
    for move in (CampaignMove.CANCEL, CampaignMove.DELETE):
        await move_campaign(store, organization_id, winter.id, move, here.now)

    await register_agent(store, organization_id, NewAgent(name="Outreach", id="agent-1", definition={}), here.now)
    company = await create_company(store, organization_id, {"name": "Acme"}, "acme", here.now)
    ada = NewPerson({"first_name": "Ada", "phone": "+14152000901", "company_id": company.id, "tags": ["vip"]}, "crm-1")
    [person] = await create_people(store, organization_id, [ada], here.now)
    scope = ContactsOf(organization_id, here.organization.shard, spring.id)
    await enrol(store, scope, [ToEnrol("crm-1", "cont_1"), ToEnrol(person.id)], source="api-0", now=here.now)
    await edit_person(store, organization_id, "crm-1", {"do_not_call": True}, source="api-0", now=here.now)

    answered, busy, failed, unknown, refused, running, second_sink, _locked = await here.claim(*ids[:8])
    await here.start(answered, busy, failed, unknown, refused, running, second_sink)
    picked_up = CallAnswered(
        organization_id=organization_id,
        shard=here.organization.shard,
        attempt_id=running.attempt_id,
        contact_id=running.contact_id,
        answered_at=here.now,
    )
    await starts.note_answers(store, here.organization.shard, [picked_up])
    denied = JobReleased(
        organization_id=organization_id,
        shard=here.organization.shard,
        attempt_id=refused.attempt_id,
        contact_id=refused.contact_id,
        nonce=NONCE,
        reason="carrier refused: country",
        refusal=Refusal(subject=RefusalSubject.CALLER_NUMBER, code=21210, message="not verified"),
    )
    assert await note_machine(store, organization_id, running.attempt_id, Outcome.VOICEMAIL, message=True)
    await here.finish(
        here.ending(answered, Outcome.ANSWERED),
        here.ending(busy, Outcome.BUSY),
        here.ending(failed, Outcome.FAILED),
        here.ending(unknown, Outcome.UNKNOWN, proven=False),
        released=[denied],
    )
    report = {
        "summary": "Hello",
        "opt_out": True,
        "transcript": [{"speaker": "agent", "text": "Hello", "at": here.now}],
    }
    report |= {"callback_at": here.now, "tags": ["lease"], "extracted": {"a": 1}, "sentiment": "neutral", "cost": 0.1}
    report |= {"goal_reached": False, "disposition": "no", "notes": "n", "recording_url": "https://example.com/1"}
    answered_call = ReportedCall(answered.attempt_id, answered.contact_id)
    await record_result(store, organization_id, answered_call, report, here.now)
    await add_results(store, [here.ending(second_sink, Outcome.NO_ANSWER)])
    exhausted = await store["contacts"].find({"status": "exhausted"}).to_list()
    assert await ask_again(store, exhausted, here.now) == len(exhausted) == 1
    await request_deletion(store, organization_id, spring.id, "lead-10", now=here.now)
    await beat(store, Heartbeat("executor-0", 7, 1000, 50.0, False))
    await schedulers.report(store, SchedulerReport("scheduler-0", [0, 1], {"executor_dead": 1}, here.now, here.now))
    requests = {"LIMITER/key:all/60/1/minute/1": (1, here.now.timestamp() + 120)}
    await exchange_counts(store, "gateway", requests, {key: count for key, (count, _) in requests.items()})
    upload = file_key(organization_id, str(uuid.uuid4()), "people.csv")
    await register_file(store, upload, name="people.csv", content_type="text/csv", now=here.now)
    await GridFSFiles(store).put(organization_id, str(upload), _in_one_chunk(b"phone_number\n+14155550123\n"))
    await _import(here, spring, str(upload))
    await _tell(here)
    await _subscribe(here)
    begun = await claim_key(store, organization_id, "key-1", "00" * 32, here.now)
    assert isinstance(begun, Begun)
    await keep_answer(store, begun, Answered(200, b"{}", "application/json"), here.now)
    return here


async def _tell(here: Installation) -> None:
    """Tells of a person, has the scheduler number that, and notes that Kafka has the facts."""
    """Tells of a person what an organization that has subscribed to it wants to hear."""
    wanted = {"$set": {"fact_types": [FactType.PERSON_CREATED]}}
    await here.store["organizations"].update_one({"_id": here.organization.id}, wanted)

    async def work(session: AsyncClientSession) -> None:
        facts = [Fact(type=FactType.PERSON_CREATED, at=here.now, person_id="person-1", facts={"name": "Ada"})]
        await tell(here.store, session, here.organization.id, facts)

    await here.store.in_transaction(work)
    assert await adopt_facts(here.store, here.owner)
    await note_relayed(here.store, here.owner.shard, 1)
    await here.store.in_transaction(work)


async def _import(here: Installation, campaign: Campaign, key: str) -> None:
    """A file with a good and a bad row, as contact-ingest leaves it."""
    job = new_job(
        JobKind.IMPORT,
        here.organization.id,
        campaign.shard,
        campaign.id,
        here.now,
        order=ImportOrder(key, "people.csv", {"Handy": "phone_numbers"}),
    )
    await accept_job(here.store, job, here.now)
    reading = Reading("utf-8", ",", 6, 1, ("Handy",), ("phone_numbers",), 2)
    job = await settle_reading(here.store, job, reading, "ingest", here.now)
    records = [Record(2, ["+14152000050"], 20), Record(3, ["?"], 22)]
    columns = Columns(reading.names, reading.fields)
    read = read_records(records, columns, AS_THEY_ARE, NumberRules("+1"))
    await store_chunk(here.store, ImportChunk(job, read, Position(22, 3), last=True), "ingest-0", "ingest", here.now)


async def _in_one_chunk(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _subscribe(here: Installation) -> None:
    """A subscription whose secret was replaced, and deliveries to it: one that waits, one that has failed, one done."""
    new = NewWebhook(url="https://example.com/hooks", events=["call.ended"], fact_types=["call.ended"])
    webhook, _ = await create_webhook(here.store, here.organization.id, new, "encrypted", here.now)
    until = here.now + timedelta(days=1)
    await rotate_secret(here.store, here.organization.id, webhook.id, "encrypted anew", until, here.now)
    deliveries = [
        Delivery(
            id=f"delivery-{n}",
            organization_id=here.organization.id,
            webhook_id=webhook.id,
            event_id=f"evt_{n}",
            event=TEST_EVENT,
            at=here.now,
            created_at=here.now,
            fact=None,
        )
        for n in range(3)
    ]
    await add_deliveries(here.store, deliveries)
    taken = await take_due(here.store, {webhook.id: 2}, "token", here.now, until)
    answers = (Answer(500, DeliveryError.STATUS, "down", 12), Answer(200, None, "thanks", 8))
    marks = [
        Mark(delivery, "token", answer, after_try(1, answer, here.now), here.now)
        for delivery, answer in zip(taken, answers, strict=True)
    ]
    await mark(here.store, marks)
