"""Kafka's jars, fetched once by jgo, checked, and remembered as one class path."""

import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Final

from jgo.constants import MAVEN_CENTRAL_URL
from jgo.env import EnvironmentBuilder, LinkStrategy
from jgo.maven import MavenContext

from deploy.local.home import KAFKA_DOWNLOADS, Home, write_whole
from shared.errors import Unavailable

KAFKA_VERSION: Final = "4.1.0"
KAFKA: Final = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"
# Kafka logs through slf4j; without this binding it is silent, also about why it did not start. It is resolved
# apart from Kafka: together, the versions that its parent asks for would replace those of Kafka's own jars.
LOG_BINDING: Final = "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3"
LOG_BINDING_JAR: Final = "log4j-slf4j-impl-"


def class_path(home: Home) -> str:
    """The class path of Kafka, as seen from its folder; downloads what is missing (43 MB, about 20 s, once).

    Raises Unavailable when the download fails: get online, or set DIALSTREAM_KAFKA.
    """
    listing = home.downloads / "kafka-jars.json"
    jars = _listed(listing)
    if jars is None:
        jars = [_below(home.downloads, jar) for jar in _download(home.downloads)]
        # Written last: a list that exists is a download that was finished.
        write_whole(listing, json.dumps({"endpoints": [KAFKA, LOG_BINDING], "jars": jars}))
    return ":".join(f"{KAFKA_DOWNLOADS}/{jar}" for jar in jars)


def _listed(listing: Path) -> list[str] | None:
    downloads = listing.parent
    try:
        content = json.loads(listing.read_text())
        jars: list[str] = content["jars"]
        if content["endpoints"] != [KAFKA, LOG_BINDING] or not all((downloads / jar).is_file() for jar in jars):
            return None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return [_below(downloads, downloads / jar) for jar in jars]


def _below(downloads: Path, jar: Path) -> str:
    """The jar's path from `downloads`: the folders above it may have any name, and may be renamed."""
    return os.path.relpath(jar.parent.resolve() / jar.name, downloads.resolve())


def _download(downloads: Path) -> list[Path]:
    jars = _resolve(downloads)
    if not all(_is_whole(jar) for jar in jars):
        # An interrupted download leaves a cut-off file, which the next run would take for the real one.
        _forget(downloads)
        jars = _resolve(downloads)
    return jars


def _resolve(downloads: Path) -> list[Path]:
    try:
        return _build(downloads)
    except (OSError, RuntimeError, ValueError, SyntaxError):
        # Also a cut-off description of an artifact ends here: once more, from nothing.
        _forget(downloads)
    try:
        return _build(downloads)
    except (OSError, RuntimeError, ValueError, SyntaxError) as error:
        raise Unavailable("the Maven repository of Kafka's jars", f"{error} (or set DIALSTREAM_KAFKA)") from error


def _build(downloads: Path) -> list[Path]:
    context = MavenContext(repo_cache=downloads / "maven", remote_repos={"central": MAVEN_CENTRAL_URL})
    builder = EnvironmentBuilder(context=context, cache_dir=downloads / "jars", link_strategy=LinkStrategy.AUTO)
    kafka = [Path(jar) for jar in builder.from_endpoint(KAFKA).all_jars]
    binding = [Path(jar) for jar in builder.from_endpoint(LOG_BINDING).all_jars]
    return sorted(kafka) + [jar for jar in binding if jar.name.startswith(LOG_BINDING_JAR)]


def _forget(downloads: Path) -> None:
    shutil.rmtree(downloads / "maven", ignore_errors=True)
    shutil.rmtree(downloads / "jars", ignore_errors=True)


def _is_whole(jar: Path) -> bool:
    try:
        with zipfile.ZipFile(jar) as archive:
            return bool(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False
