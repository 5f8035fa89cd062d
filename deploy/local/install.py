"""What is fetched and made once: Kafka's jars, and the class archive that makes its starts fast."""

import asyncio
import shutil
import subprocess

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from deploy.create_topics import create_topics
from deploy.local import jars, jvm, kafka, mongo, process
from deploy.local.home import Home, locked
from shared.errors import TemporaryError
from shared.settings import KafkaSettings
from shared.topics import TOPICS


async def install(home: Home) -> None:
    """Makes everything ready that the first start needs; does nothing when it is there.

    Raises Unavailable when the jars cannot be fetched, ConfigurationError when there is no mongod.
    """
    mongo.mongod_binary()
    # Stacks in other folders may share the downloads, so the lock is theirs and not the stack's.
    async with locked(home.downloads):
        class_path = await asyncio.to_thread(jars.class_path, home)
        if not jvm.class_archive(home, class_path).is_file():
            await _make_archive(home, class_path)


def rehearsal_home(home: Home) -> Home:
    """Where the broker runs whose classes are recorded; it is there for seconds, once."""
    return Home(home.downloads / "rehearsal", home.downloads)


async def _make_archive(home: Home, class_path: str) -> None:
    try:
        if await asyncio.to_thread(jvm.dump_base_archive, home):
            await _record_classes(home, class_path)
    except (TemporaryError, KafkaError, OSError, subprocess.SubprocessError) as error:
        # Without the archive Kafka only starts more slowly; the next install tries again.
        print(f"No class archive for Kafka's JVM ({error}); it will start more slowly.")


async def _record_classes(home: Home, class_path: str) -> None:
    """Runs a broker through the usual work once and lets the JVM write down the classes it loaded."""
    archive = jvm.class_archive(home, class_path)
    half = archive.with_suffix(".half")
    rehearsal = rehearsal_home(home)
    await kafka.stop(rehearsal)  # left over when an earlier install was killed
    shutil.rmtree(rehearsal.root, ignore_errors=True)
    flags = (
        f"-XX:SharedArchiveFile={jvm.seen_by_kafka(jvm.base_archive(home))}",
        f"-XX:ArchiveClassesAtExit={jvm.seen_by_kafka(half)}",
    )
    started, port = await kafka.launch(rehearsal, class_path, *flags)
    try:
        await _usual_work(kafka.address_of(port))
    finally:
        await process.stop(process.Server(started, port), patience_seconds=jvm.DUMP_SECONDS)
    shutil.rmtree(rehearsal.root, ignore_errors=True)
    if half.is_file():
        half.replace(archive)


async def _usual_work(address: str) -> None:
    await create_topics(KafkaSettings(kafka=address, topic_prefix=""))
    topic = TOPICS[0].name
    producer = AIOKafkaProducer(bootstrap_servers=address)
    await producer.start()
    try:
        await producer.send_and_wait(topic, b"rehearsal")
    finally:
        await producer.stop()
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=address, group_id="rehearsal", auto_offset_reset="earliest")
    await consumer.start()
    try:
        await consumer.getone()
        await consumer.commit()
    finally:
        await consumer.stop()
