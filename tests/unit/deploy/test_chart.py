"""What `make chart-check` finds wrong: each kind of fault in one manifest that is right without it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from deploy.helm.check import COMPONENT, SERVICES, faults, missing_parts
from shared.domain.unknown_names import PREFIX

CONTAINER: dict[str, Any] = {
    "name": "scheduler",
    "image": "dialstream:1",
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
    "env": [{"name": "DIALSTREAM_KAFKA", "value": "kafka:9092"}],
    "resources": {"limits": {"memory": "512Mi"}},
    **{probe: {"httpGet": {"path": "/", "port": 80}} for probe in ("startupProbe", "livenessProbe", "readinessProbe")},
}
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "scheduler"},
    "spec": {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {
                "automountServiceAccountToken": False,
                "securityContext": {"runAsNonRoot": True},
                "containers": [CONTAINER],
            },
        },
    },
}
SCALED: dict[str, Any] = {
    "apiVersion": "keda.sh/v1alpha1",
    "kind": "ScaledObject",
    "metadata": {"name": "call-executor"},
    "spec": {
        "scaleTargetRef": {"name": "call-executor"},
        "maxReplicaCount": 16,
        "triggers": [{"type": "kafka", "metadata": {"topic": "live.dial.jobs", "consumerGroup": "live.call-executor"}}],
    },
}

Change = Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], object]


def test_manifests_that_are_right_have_no_faults() -> None:
    assert faults([DEPLOYMENT, SCALED]) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda deployment, pod, container: deployment["spec"].update(replicaCount=2), "replicaCount"),
        (lambda deployment, pod, container: deployment["spec"].update(replicas="two"), "integer"),
        (lambda deployment, pod, container: pod.update(securityContext={}), "may run as root"),
        (lambda deployment, pod, container: pod.pop("automountServiceAccountToken"), "token of the cluster"),
        (lambda deployment, pod, container: container["securityContext"].pop("capabilities"), "capabilities"),
        (lambda deployment, pod, container: container["securityContext"].pop("readOnlyRootFilesystem"), "can write"),
        (lambda deployment, pod, container: container["resources"].clear(), "no memory limit"),
        (lambda deployment, pod, container: container.pop("readinessProbe"), "no readinessProbe"),
        (lambda deployment, pod, container: container["env"].append({"name": f"{PREFIX}KAFFKA"}), "no setting"),
        (lambda deployment, pod, container: container["env"].append(container["env"][0]), "twice"),
        (lambda deployment, pod, container: container["env"].append({"name": "DIALSTREAM_ADMIN_TOKEN"}), "operator's"),
        (lambda deployment, pod, container: container.update(name="campaign-api"), "lacks the operator's token"),
    ],
)
def test_a_fault_of_a_deployment_is_named(change: Change, said: str) -> None:
    deployment = copy.deepcopy(DEPLOYMENT)
    pod = deployment["spec"]["template"]["spec"]
    change(deployment, pod, pod["containers"][0])
    [fault] = faults([deployment])
    assert said in fault


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"maxReplicasCount": 3}, "maxReplicasCount"),
        ({"maxReplicaCount": "many"}, "integer"),
        ({"triggers": [{"type": "kafka", "metadata": {"topic": "dial.jobs", "consumerGroup": "x"}}]}, "executors read"),
        ({"triggers": [{"type": "kafka", "metadata": {"topic": "jobs", "consumerGroup": "jobs"}}]}, "executors read"),
    ],
)
def test_a_fault_of_a_scaled_object_is_named(changes: dict[str, Any], said: str) -> None:
    scaled = {**SCALED, "spec": {**SCALED["spec"], **changes}}
    [fault] = faults([scaled])
    assert said in fault


def test_a_service_without_its_parts_is_named() -> None:
    parts = [
        {"kind": kind, "metadata": {"name": service, "labels": {COMPONENT: service}}}
        for kind in ("Deployment", "PodDisruptionBudget")
        for service in SERVICES
    ]
    assert missing_parts(parts) == []
    [said] = missing_parts(parts[1:])
    assert said.endswith(
        "must have a Deployment, and these have: campaign-api, console, contact-ingest, scheduler, webhook-sender"
    )
