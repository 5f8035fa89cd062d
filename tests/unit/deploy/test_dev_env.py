import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import dev_env

VALUES = {
    "DIALSTREAM_MONGODB": "mongodb://127.0.0.1:1/?replicaSet=dialstream&directConnection=true",
    "DIALSTREAM_API_KEY": "ak_1.s-e_c",
    "DIALSTREAM_TOPIC_PREFIX": "",
    "DIALSTREAM_URL": "it's $HOME `here`",
}


@pytest.fixture
def listening() -> Iterator[str]:
    """An address on which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(autouse=True)
def _nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DIALSTREAM_KAFKA", "DIALSTREAM_TOPIC_PREFIX", "DIALSTREAM_MONGODB", "DIALSTREAM_MONGODB_DATABASE"):
        monkeypatch.delenv(name, raising=False)


def written(path: Path, **values: str) -> Path:
    path.write_text(dev_env.text({f"DIALSTREAM_{name.upper()}": value for name, value in values.items()}))
    return path


def test_shells_and_we_read_the_values_that_were_written(tmp_path: Path) -> None:
    path = tmp_path / "dev.env"
    path.write_text(dev_env.text(VALUES))
    assert dev_env.read(path) == VALUES
    shown = "; ".join(f'printf "%s\\n" "${name}"' for name in VALUES)
    script = f'set -a; . "$0"; set +a; {shown}'
    done = subprocess.run(["sh", "-c", script, path], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == list(VALUES.values())


def test_a_command_takes_the_running_local_stack_when_the_environment_names_no_kafka(
    tmp_path: Path, listening: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "dev.env", kafka=listening, topic_prefix="mine.")
    settings = dev_env.kafka_settings("replay", path)
    assert (settings.kafka, settings.topic_prefix) == (listening, "mine.")
    assert f"DIALSTREAM_KAFKA is not set; taking {listening} from {path}" in capsys.readouterr().err


def test_the_environment_wins(tmp_path: Path, listening: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "dev.env", kafka=listening, topic_prefix="mine.")
    monkeypatch.setenv("DIALSTREAM_KAFKA", "broker:9092")
    settings = dev_env.kafka_settings("replay", path)
    assert (settings.kafka, settings.topic_prefix) == ("broker:9092", "")


def test_a_stack_that_is_down_is_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "dev.env", kafka="127.0.0.1:1")
    assert dev_env.kafka_settings("replay", path).kafka == "127.0.0.1:9092"
    assert f"nothing listens at 127.0.0.1:1, the Kafka that {path} names" in capsys.readouterr().err


def test_without_a_local_stack_the_default_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dev_env.kafka_settings("replay", tmp_path / "dev.env").kafka == "127.0.0.1:9092"
    assert capsys.readouterr().err == ""


def test_a_command_on_mongodb_takes_the_running_local_stack_and_the_database_that_is_set(
    tmp_path: Path, listening: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"mongodb://{listening}/?replicaSet=dialstream&directConnection=true"
    path = written(tmp_path / "dev.env", mongodb=address)
    settings = dev_env.mongo_settings("migrate", path)
    assert (settings.mongodb, settings.mongodb_database) == (address, "dialstream")
    assert f"DIALSTREAM_MONGODB is not set; taking {listening} from {path}" in capsys.readouterr().err
    monkeypatch.setenv("DIALSTREAM_MONGODB_DATABASE", "mine")
    assert dev_env.mongo_settings("migrate", path).mongodb_database == "mine"


def test_a_setting_that_cannot_work_ends_the_command_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIALSTREAM_KAFKA", "broker")
    with pytest.raises(SystemExit) as ended:
        dev_env.kafka_settings("replay", tmp_path / "dev.env")
    assert ended.value.code == 2
    assert "DIALSTREAM_KAFKA must be one or several of host:port" in capsys.readouterr().err
