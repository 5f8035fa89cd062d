"""Rules for a rendered chart: valid for Kubernetes and KEDA, hardened, made of settings that exist."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft7Validator
from kubernetes_validate import utils as kubernetes_schemas

from deploy.env_example import settings_classes
from services.call_executor.app import SERVICE
from shared.domain.unknown_names import PREFIX
from shared.topics import DIAL_JOBS

# The newest that its checks were seen with; the chart asks for 1.27.
KUBERNETES: Final = "1.34"
KEDA: Final = json.loads((Path(__file__).parent / "schemas" / "scaledobject-v1alpha1.json").read_text())
SERVICES: Final = ("call-executor", "campaign-api", "console", "contact-ingest", "scheduler", "webhook-sender")
COMPONENT: Final = "app.kubernetes.io/component"
ADMIN_TOKEN: Final = f"{PREFIX}ADMIN_TOKEN"

Manifest = Mapping[str, Any]


def faults(manifests: Iterable[Manifest]) -> list[str]:
    """The manifests' faults, a sentence each; none when all is well."""
    return [f"{name_of(manifest)}: {fault}" for manifest in manifests for fault in _faults_of(manifest)]


def missing_parts(manifests: Iterable[Manifest]) -> list[str]:
    """Services without the deployment or the disruption budget that each has once, a sentence for each kind."""
    every = list(manifests)
    found = []
    for kind in ("Deployment", "PodDisruptionBudget"):
        has = sorted(manifest["metadata"]["labels"][COMPONENT] for manifest in every if manifest["kind"] == kind)
        if has != list(SERVICES):
            found.append(f"each of {', '.join(SERVICES)} must have a {kind}, and these have: {', '.join(has)}")
    return found


def name_of(manifest: Manifest) -> str:
    """Kind and name."""
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def _faults_of(manifest: Manifest) -> Iterator[str]:
    if manifest["kind"] == "ScaledObject":
        yield from (f"{error.json_path}: {error.message}" for error in Draft7Validator(KEDA).iter_errors(manifest))
        yield from _trigger_faults(manifest)
        return
    try:
        kubernetes_schemas.validate(dict(manifest), KUBERNETES, strict=True)
    except (kubernetes_schemas.ValidationError, kubernetes_schemas.SchemaNotFoundError) as error:
        yield str(getattr(error, "message", error))
        return
    pod = manifest["spec"].get("template", {}).get("spec") if "template" in manifest["spec"] else None
    if pod is not None:
        yield from _pod_faults(pod, always_on=manifest["kind"] == "Deployment")


def _trigger_faults(manifest: Manifest) -> Iterator[str]:
    for trigger in manifest["spec"].get("triggers", []):
        watched = trigger.get("metadata", {})
        prefix = str(watched.get("topic", "")).removesuffix(DIAL_JOBS.name)
        if watched.get("topic") != prefix + DIAL_JOBS.name or watched.get("consumerGroup") != prefix + SERVICE:
            yield f"watches {watched}, not what executors read"


def _pod_faults(pod: Manifest, *, always_on: bool) -> Iterator[str]:
    if not pod.get("securityContext", {}).get("runAsNonRoot"):
        yield "may run as root"
    if pod.get("automountServiceAccountToken", True):
        yield "gets a token of the cluster"
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        security = container.get("securityContext", {})
        if security.get("allowPrivilegeEscalation", True) or security.get("capabilities", {}).get("drop") != ["ALL"]:
            yield "has capabilities"
        if not security.get("readOnlyRootFilesystem"):
            yield "can write into its image"
        if "memory" not in container.get("resources", {}).get("limits", {}):
            yield "has no memory limit"
        if always_on:
            probes = ("startupProbe", "livenessProbe", "readinessProbe")
            yield from (f"has no {probe}" for probe in probes if probe not in container)
        yield from _setting_faults(container)


def _setting_faults(container: Manifest) -> Iterator[str]:
    names = [entry["name"] for entry in container["env"]]
    known = {PREFIX + field.upper() for settings in settings_classes() for field in settings.model_fields}
    yield from (f"sets {name}, which is no setting" for name in names if name not in known)
    yield from (f"sets {name} twice" for name in sorted(set(names)) if names.count(name) > 1)
    if (ADMIN_TOKEN in names) != (container["name"] == "campaign-api"):
        yield f"{'has' if ADMIN_TOKEN in names else 'lacks'} the operator's token"
