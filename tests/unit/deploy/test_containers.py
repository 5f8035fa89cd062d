"""What the containers' commands decide without an engine."""

import pytest

from deploy.containers.engine import base_images, engine
from deploy.containers.firewall import without_docker
from deploy.containers.stand_ins import RECIPES
from deploy.demo.settings import carrier_ways
from deploy.local.home import Home
from deploy.replica_set import configuration_of
from services.carrier_simulator.settings import Behaviour
from shared.errors import ConfigurationError
from tests.servers import Place, engine_host

BEFORE = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""
WITH_DOCKER = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [7:420]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A FORWARD -j DOCKER-USER
-A FORWARD -o br-81ff97359820 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A DOCKER-USER -j RETURN
COMMIT
"""


def test_only_what_is_dockers_is_taken_from_the_firewall() -> None:
    assert without_docker(WITH_DOCKER, BEFORE) == BEFORE.replace(":FORWARD ACCEPT [0:0]", ":FORWARD ACCEPT [7:420]")


def test_a_firewall_that_forwarded_nothing_does_not_forward_afterwards() -> None:
    closed = BEFORE.replace(":FORWARD ACCEPT", ":FORWARD DROP")
    assert ":FORWARD DROP [7:420]\n" in without_docker(WITH_DOCKER, closed)


def test_every_base_image_has_a_stand_in() -> None:
    names = {image.partition(":")[0].rpartition("/")[2] for image in base_images()}
    assert names == {"python", "kafka", "mongo"}
    assert {recipe.stem for recipe in RECIPES.glob("*.Dockerfile")} == names


def test_no_engine_is_started_unless_asked_for() -> None:
    nowhere = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    with pytest.raises(ConfigurationError, match="DIALSTREAM_OWN_ENGINE=1"), engine(Home.default(), nowhere):
        pytest.fail("there is an engine")


@pytest.mark.parametrize(
    ("said", "place"), [(None, Place.LOCAL), ("", Place.LOCAL), ("local", Place.LOCAL), ("docker", Place.DOCKER)]
)
def test_the_tests_run_in_containers_only_when_asked(said: str | None, place: Place) -> None:
    assert Place.by({} if said is None else {"DIALSTREAM_TEST_SERVERS": said}) is place


@pytest.mark.parametrize(
    ("environment", "host"),
    [
        ({}, "127.0.0.1"),
        ({"DOCKER_HOST": "unix:///run/docker.sock"}, "127.0.0.1"),
        ({"DOCKER_HOST": "tcp://engine.example:2376"}, "engine.example"),
        ({"DOCKER_HOST": "unix:///run/docker.sock", "TESTCONTAINERS_HOST_OVERRIDE": "10.0.0.1"}, "10.0.0.1"),
    ],
)
def test_containers_are_reached_at_the_engines_machine(environment: dict[str, str], host: str) -> None:
    assert engine_host(environment) == host


def test_a_place_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match=r"DIALSTREAM_TEST_SERVERS \(podman\) must be one of local, docker"):
        Place.by({"DIALSTREAM_TEST_SERVERS": "podman"})


def test_a_simulated_carrier_takes_the_demos_ways_while_it_runs() -> None:
    changed = Behaviour().changed(dict(carrier_ways()))
    assert changed.simulator_talk_max_seconds == carrier_ways()["talk_max_seconds"] < 5


def test_a_new_replica_set_has_every_member_of_the_connection_string() -> None:
    assert configuration_of("dialstream", ["a:27017", "b:27018"]) == {
        "_id": "dialstream",
        "members": [{"_id": 0, "host": "a:27017"}, {"_id": 1, "host": "b:27018"}],
    }
