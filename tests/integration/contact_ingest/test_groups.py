"""contact-ingest reads two topics, by two consumers of a process, in as many processes as there are."""

from services.contact_ingest.app import running
from services.contact_ingest.settings import IngestSettings
from tests.integration.contact_ingest.customer import Customer


async def test_named_processes_read_batches_and_jobs_side_by_side(settings: IngestSettings, customer: Customer) -> None:
    """In one group, under one name, the consumers of a process took each other's partitions, and both ended."""
    one, other = (settings.model_copy(update={"instance": f"contact-ingest-{n}"}) for n in range(2))
    async with running(one) as health, running(other) as others_health:
        await customer.done(await customer.publish(customer.batch({"phone_numbers": ["+4915200000001"]})))
        for each in (health, others_health):
            assert all([await each.checks[name]() for name in ("consumer", "jobs")])
