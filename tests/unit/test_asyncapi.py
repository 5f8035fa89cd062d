"""docs/asyncapi.yaml says what shared/topics.py and shared/events.py say."""

from typing import Any

import yaml

from deploy.asyncapi import FILE, MODELS, document, rendered
from shared.topics import TOPICS


def test_the_file_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == rendered(), "run: python -m deploy.asyncapi"


def test_every_topic_and_its_dead_letters_are_described() -> None:
    assert {topic.name for topic in TOPICS} == MODELS.keys()
    channels = document()["channels"]
    assert channels.keys() == {name for topic in TOPICS for name in (topic.name, topic.dead_letter)}


def test_every_reference_leads_somewhere() -> None:
    whole = yaml.safe_load(rendered())

    def check(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                target: Any = whole
                for part in node["$ref"].removeprefix("#/").split("/"):
                    target = target[part]
            for value in node.values():
                check(value)
        elif isinstance(node, list):
            for value in node:
                check(value)

    check(whole)
