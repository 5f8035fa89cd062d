from collections.abc import Callable

import pytest

from shared.domain import setting_rules as rules

GOOD: list[tuple[Callable[[str], str], str]] = [
    (rules.base_url, ""),
    (rules.base_url, "https://dial.example"),
    (rules.base_url, "http://127.0.0.1:8000/below/"),
    (rules.base_url, "HTTPS://[::1]:8443"),
    (rules.whole_url, "https://user:password@agent.example/answer?lang=en"),
    (rules.kafka_addresses, "kafka:9092"),
    (rules.kafka_addresses, "kafka-1:9092, kafka-2:9092,[::1]:9093"),
    (rules.topic_prefix, ""),
    (rules.topic_prefix, "test-1_a."),
    (rules.topic_prefix, "x" * 200),
    (rules.instance, "executor-0"),
    (rules.mongodb_address, "mongodb://127.0.0.1:27017/?replicaSet=dialstream&directConnection=true"),
    (rules.mongodb_address, "mongodb+srv://user:p%40ss@cluster.example/"),
    (rules.mongodb_address, "mongodb://a:1,b:2,c:3/?replicaSet=rs"),
    (rules.mongodb_name, "dialstream"),
    (rules.mongodb_name, "x" * 63),
    (rules.log_level, "WARNING"),
    (rules.account_sid, ""),
    (rules.account_sid, "AC0123456789abcdef0123456789abcdef"),
]
BAD: list[tuple[Callable[[str], str], str, str]] = [
    (rules.base_url, "dial.example", "must be a URL that begins with http:// or https://"),
    (rules.base_url, "ftp://dial.example", "and is 'ftp://dial.example'"),
    (rules.base_url, "https://", "must be a URL with a host"),
    (rules.base_url, "https://:8080/", "must be a URL with a host"),
    (rules.base_url, "https://dial.example:99999", "a port of 1 to 65535"),
    (rules.base_url, "https://dial.example:0", "a port of 1 to 65535"),
    (rules.base_url, "https://dial.example:http", "a port of 1 to 65535"),
    (rules.base_url, "https://[::1", "must be a URL with a host"),
    (rules.base_url, "https://dial.example?tenant=1", "without a query"),
    (rules.base_url, "https://dial.example/?", "without a query"),
    (rules.base_url, "https://dial.example/#top", "without a fragment"),
    (rules.base_url, "https://dial.example#", "without a fragment"),
    (rules.base_url, "https://user:password@dial.example", "without a user or a password"),
    (rules.base_url, "https://dial.example/a b", "without white space"),
    (rules.base_url, "https://dial.example\n", "without white space"),
    (rules.whole_url, "agent.example", "https://agent.example/answer for example"),
    (rules.whole_url, "https://agent.example/answer#rc=2", "without a fragment"),
    (rules.kafka_addresses, "", "must be one or several of host:port"),
    (rules.kafka_addresses, "kafka", "and has 'kafka'"),
    (rules.kafka_addresses, "kafka-1:9092,", "and has ''"),
    (rules.kafka_addresses, "kafka-1:9092,kafka-2", "and has 'kafka-2'"),
    (rules.kafka_addresses, "kafka:0", "and has 'kafka:0'"),
    (rules.kafka_addresses, "kafka:65536", "and has 'kafka:65536'"),
    (rules.kafka_addresses, "PLAINTEXT://kafka:9092", "and has 'PLAINTEXT://kafka:9092'"),
    (rules.kafka_addresses, "kafka-1:9092 kafka-2:9092", "and has 'kafka-1:9092 kafka-2:9092'"),
    (rules.kafka_addresses, "::1:9092", "and has '::1:9092'"),
    (rules.topic_prefix, "staging/", "must be at most 200 of the characters"),
    (rules.topic_prefix, "prüfung.", "and is 'prüfung.'"),
    (rules.topic_prefix, "x" * 201, "must be at most 200"),
    (rules.instance, "executor 0", "and is 'executor 0'"),
    (rules.mongodb_address, "127.0.0.1:27017", "must begin with mongodb:// or mongodb+srv://"),
    (rules.mongodb_address, "http://127.0.0.1", "must begin with mongodb:// or mongodb+srv://"),
    (rules.mongodb_address, "mongodb://", "must name one or several hosts"),
    (rules.mongodb_address, "mongodb:///?replicaSet=rs", "must name one or several hosts"),
    (rules.mongodb_address, "mongodb://a:1,,b:2/?replicaSet=rs", "must name one or several hosts"),
    (rules.mongodb_name, "", "must be 1 to 63 bytes"),
    (rules.mongodb_name, "dial.stream", "and is 'dial.stream'"),
    (rules.mongodb_name, "dial stream", "and is 'dial stream'"),
    (rules.mongodb_name, "dial$", "and is 'dial$'"),
    (rules.mongodb_name, "ü" * 32, "must be 1 to 63 bytes"),
    (rules.mongodb_name, "local", "must not be one of MongoDB's own databases"),
    (rules.log_level, "LOUD", "must be one of DEBUG, INFO, WARNING, ERROR, and is 'LOUD'"),
    (rules.log_level, "", "must be one of"),
    (rules.account_sid, "AC/1", "must be letters and digits alone"),
    (rules.account_sid, "AC1:token", "must be letters and digits alone"),
]


@pytest.mark.parametrize(("rule", "text"), GOOD)
def test_what_works_is_taken_as_it_is(rule: Callable[[str], str], text: str) -> None:
    assert rule(text) == text


@pytest.mark.parametrize(("rule", "text", "said"), BAD)
def test_what_cannot_work_is_refused_in_one_sentence(rule: Callable[[str], str], text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^must ") as caught:
        rule(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_levels_may_be_written_small() -> None:
    assert rules.log_level("debug") == "DEBUG"


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (rules.base_url, "https://user:hunter2@dial.example"),
        (rules.whole_url, "https://user:hunter2@agent.example/#here"),
        (rules.mongodb_address, "mongodb://user:hunter2@/?replicaSet=rs"),
        (rules.mongodb_address, "mongo://user:hunter2@database"),
    ],
)
def test_a_refusal_shows_no_password(rule: Callable[[str], str], text: str) -> None:
    with pytest.raises(ValueError, match=r"^must ") as caught:
        rule(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("mongodb://a:1/?replicaSet=rs", True),
        ("mongodb://a:1/?w=1&replicaset=rs", True),
        ("mongodb+srv://cluster.example/", True),
        ("mongodb://a:1/", False),
        ("mongodb://a:1/?replicaSet=", False),
        ("mongodb://a:1/replicaSet=rs", False),
    ],
)
def test_whether_a_connection_string_names_its_replica_set(text: str, names: bool) -> None:
    assert rules.names_replica_set(text) is names


@pytest.mark.parametrize(
    ("token", "usable"), [("", True), ("a-Z_9~!", True), ("a\n", False), ("a b", False), ("ü", False)]
)
def test_which_tokens_survive_a_header(token: str, usable: bool) -> None:
    assert rules.is_usable_secret(token) is usable
