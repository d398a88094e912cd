"""The types of the fields that are read of manifests, checked before anything is read. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from chaoskit.errors import UsageError
from chaoskit.kube import kinds
from chaoskit.workloads.manifest import Manifest

#: A field is a mapping (by name), a list of what stands in the list, or one of these.
Shape = Mapping[str, Any] | list[Any] | str

_TEXT, _NAME, _COUNT = "a text", "a text that is not empty", "a whole number, 0 or more"
_BOUND = 'a whole number such as 1, or a percentage such as "25%"'
_NAME_OR_NUMBER = "a name or a whole number"
_ANY_MAPPING: Shape = {}
_ANY_LIST: Shape = ["anything"]

_CONTAINER: Shape = {
    "name": _NAME,
    "image": _TEXT,
    "ports": [{"name": _TEXT, "containerPort": _COUNT, "hostPort": _COUNT}],
    "readinessProbe": _ANY_MAPPING,
    "livenessProbe": _ANY_MAPPING,
    "resources": {"requests": _ANY_MAPPING, "limits": _ANY_MAPPING},
    "lifecycle": {"preStop": {"exec": {"command": [_TEXT]}, "sleep": {"seconds": _COUNT}}},
}
_POD: Shape = {
    "containers": [_CONTAINER],
    "initContainers": [_CONTAINER],
    "volumes": [
        {
            "name": _NAME,
            "persistentVolumeClaim": {"claimName": _TEXT},
            "hostPath": _ANY_MAPPING,
        }
    ],
    "resources": {"requests": _ANY_MAPPING, "limits": _ANY_MAPPING},
    "topologySpreadConstraints": _ANY_LIST,
    "affinity": {"podAntiAffinity": _ANY_MAPPING},
    "terminationGracePeriodSeconds": _COUNT,
}
_CLAIM: Shape = {"accessModes": [_TEXT], "storageClassName": _TEXT}
_STRATEGY: Shape = {
    "type": _TEXT,
    "rollingUpdate": {"maxSurge": _BOUND, "maxUnavailable": _BOUND},
}
_HOLDER: Shape = {
    "replicas": _COUNT,
    "minReadySeconds": _COUNT,
    "progressDeadlineSeconds": _COUNT,
    "revisionHistoryLimit": _COUNT,
    "podManagementPolicy": _TEXT,
    "strategy": _STRATEGY,
    "updateStrategy": _STRATEGY,
    "template": {"metadata": {"labels": _ANY_MAPPING}, "spec": _POD},
    "volumeClaimTemplates": [{"metadata": {"name": _NAME}, "spec": _CLAIM}],
}
_SPECS: Mapping[str, Shape] = {
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"), _HOLDER),
    **dict.fromkeys(("ReplicationController", "Job"), _HOLDER),
    "Pod": _POD,
    "Service": {
        "selector": _ANY_MAPPING,
        "ports": [{"name": _TEXT, "port": _COUNT, "targetPort": _NAME_OR_NUMBER}],
    },
    "PersistentVolumeClaim": _CLAIM,
    "PodDisruptionBudget": {
        "minAvailable": _BOUND,
        "maxUnavailable": _BOUND,
        "selector": {
            "matchLabels": _ANY_MAPPING,
            "matchExpressions": [{"key": _NAME, "operator": _NAME, "values": [_TEXT]}],
        },
    },
    "HorizontalPodAutoscaler": {
        "minReplicas": _COUNT,
        "scaleTargetRef": {"kind": _TEXT, "name": _TEXT},
    },
}


def require_shape(manifest: Manifest) -> None:
    """That the fields read here have the types that the API gives them; null is as left out.

    Kinds of other groups are not looked at. Raises `UsageError` naming object, field and value.
    """
    content = manifest.content
    shape: dict[str, Any] = {"metadata": {"labels": _ANY_MAPPING, "annotations": _ANY_MAPPING}}
    if kinds.is_built_in(content) and content["kind"] in _SPECS:
        shape["spec"] = _SPECS[content["kind"]]
    _require(content, shape, "", manifest.place)


def _require(value: object, shape: Shape, field: str, place: str) -> None:
    is_needed = shape == _NAME or (isinstance(shape, dict) and _NAME in shape.values())
    if value is None and not is_needed:
        return
    if isinstance(shape, str):
        if not _is(value, shape):
            raise _wrong(place, field, shape, value)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise _wrong(place, field, "a list", value)
        for number, item in enumerate(value):
            if item is None:
                raise _wrong(place, f"{field}[{number}]", "something", item)
            _require(item, shape[0], f"{field}[{number}]", place)
    elif not isinstance(value, dict):
        raise _wrong(place, field, "a mapping", value)
    else:
        for name, inner in shape.items():
            _require(value.get(name), inner, f"{field}.{name}".removeprefix("."), place)


def _is(value: object, wanted: str) -> bool:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if wanted in (_TEXT, _NAME):
        return isinstance(value, str) and (wanted == _TEXT or bool(value))
    if wanted == _COUNT:
        return is_count
    if wanted == _NAME_OR_NUMBER:
        return is_count or isinstance(value, str)
    if wanted == _BOUND:
        return is_count or (isinstance(value, str) and bool(re.fullmatch(r"[0-9]+%", value)))
    return True


def _wrong(place: str, field: str, wanted: str, value: object) -> UsageError:
    return UsageError(
        f"{field} is not what it has to be", subject=place, seen=repr(value), next_step=wanted
    )
