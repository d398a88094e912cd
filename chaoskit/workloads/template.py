"""Pod templates as values: comparing them, and the changes that kubectl makes to them."""

import copy
from collections.abc import Mapping
from typing import Any

from chaoskit.errors import UsageError
from chaoskit.kube.kinds import Object, Objects
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.steps import StepRefused

HASH_LABEL = "pod-template-hash"
CHANGE_CAUSE = "kubernetes.io/change-cause"
_RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


def without_hash(template: Object) -> Object:
    """A copy without the label that the Deployment controller adds for its ReplicaSets."""
    plain = copy.deepcopy(template)
    plain.get("metadata", {}).get("labels", {}).pop(HASH_LABEL, None)
    return plain


def equal(one: Object, other: Object) -> bool:
    """Whether two templates are the same, as kubectl and the controllers compare them.

    Absent, null and empty metadata are the same; the hash label does not count.
    """
    return _comparable(one) == _comparable(other)


def not_on(node: str) -> Object:
    """The change of a workload that keeps its new pods off a node."""
    match = {"key": "kubernetes.io/hostname", "operator": "NotIn", "values": [node]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [match]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    return {"spec": {"template": {"spec": {"affinity": affinity}}}}


def _comparable(template: Object) -> Object:
    plain = without_hash(template)
    plain.pop("$patch", None)  # as ControllerRevisions store it
    metadata = {key: value for key, value in plain.get("metadata", {}).items() if value}
    comparable: Object = _without_nulls({**plain, "metadata": metadata})
    return comparable


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def image_change(ref: ObjectRef, template: Object, image: str, container: str | None) -> Object:
    """The strategic merge patch of `kubectl set image`; empty when every image is so already.

    `container` None means the only one, "*" all of them; init containers are found too.
    Raises `UsageError` when None is ambiguous and `StepRefused` when there is none of that name.
    """
    spec = template["spec"]
    if container is None:
        names = [item["name"] for item in spec["containers"]]
        if len(names) > 1:
            raise UsageError(
                "has several containers",
                subject=str(ref),
                seen=", ".join(names),
                next_step='name the container, or "*" for all of them',
            )
        container = names[0]
    changes: dict[str, Objects] = {}
    found = False
    for group in ("containers", "initContainers"):
        for item in spec.get(group, []):
            if container in ("*", item["name"]):
                found = True
                if item.get("image") != image:
                    changes.setdefault(group, []).append({"name": item["name"], "image": image})
    if not found:
        raise StepRefused(f'unable to find container named "{container}"', subject=str(ref))
    return {"spec": {"template": {"spec": changes}}} if changes else {}


def env_change(template: Object, variables: Mapping[str, str]) -> Object:
    """The strategic merge patch of `kubectl set env` for all containers.

    New variables go behind those that are there: without an order the server puts them before.
    """
    changes: Objects = []
    for container in template["spec"]["containers"]:
        names = dict.fromkeys([item["name"] for item in container.get("env", [])])
        names |= dict.fromkeys(variables)
        change = {
            "name": container["name"],
            "env": [{"name": name, "value": value} for name, value in variables.items()],
            "$setElementOrder/env": [{"name": name} for name in names],
        }
        changes.append(change)
    return {"spec": {"template": {"spec": {"containers": changes}}}}


def restart_change(ref: ObjectRef, template: Object, moment: str) -> Object:
    """The patch of `kubectl rollout restart` at `moment` (RFC 3339, seconds).

    Raises `StepRefused` for a second restart within the same second.
    """
    annotations: Mapping[str, str] = template.get("metadata", {}).get("annotations") or {}
    if annotations.get(_RESTARTED_AT) == moment:
        raise StepRefused(
            "if restart has already been triggered within the past second, please wait before "
            "attempting to trigger another",
            subject=str(ref),
        )
    return {"spec": {"template": {"metadata": {"annotations": {_RESTARTED_AT: moment}}}}}
