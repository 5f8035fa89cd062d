"""The consumer lag that a process shows: what Kafka has behind the last record that it has read."""

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from prometheus_client import REGISTRY

from shared.bus.patient_consumer import PatientConsumer
from shared.topics import DIAL_JOBS
from tests.eventually import eventually


async def test_unread_records_are_counted_for_each_topic(kafka_address: str, topic_prefix: str) -> None:
    topic = topic_prefix + DIAL_JOBS.name

    def shown() -> float | None:
        return REGISTRY.get_sample_value("dialstream_unread_records", {"topic": topic})

    async with AIOKafkaProducer(bootstrap_servers=kafka_address) as producer:
        for _ in range(5):
            await producer.send_and_wait(topic, b"record", partition=0)
    build: type[AIOKafkaConsumer] = PatientConsumer
    consumer = build(
        topic, bootstrap_servers=kafka_address, group_id=f"{topic_prefix}reader", auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        # Of what one call returns, the next one knows the place.
        await eventually(lambda: consumer.getmany(timeout_ms=500, max_records=2), timeout=30)
        await consumer.getmany(max_records=1)
        assert shown() == 2
        await consumer.getmany(max_records=5)
        assert shown() == 0
    finally:
        await consumer.stop()
