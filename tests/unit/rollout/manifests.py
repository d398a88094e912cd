"""A workload whose manifests promise all that manifests can promise, and changes to it."""

import copy
from typing import Any

Object = dict[str, Any]


def sound_deployment() -> Object:
    """Three web servers that clients never notice being updated."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "replicas": 3,
            "minReadySeconds": 5,
            "progressDeadlineSeconds": 60,
            "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "topologySpreadConstraints": [{"topologyKey": "kubernetes.io/hostname"}],
                    "containers": [sound_container()],
                },
            },
        },
    }


def sound_container() -> Object:
    return {
        "name": "web",
        "image": "web:v1",
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
        "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
        "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}},
    }


def sound_stateful_set() -> Object:
    made = sound_deployment()
    made["kind"] = "StatefulSet"
    del made["spec"]["strategy"], made["spec"]["progressDeadlineSeconds"]
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    made["spec"] |= {"serviceName": "web", "volumeClaimTemplates": [claim]}
    return made


def service(**spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}], **spec},
    }


def budget(**spec: Any) -> Object:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            **(spec or {"maxUnavailable": 1}),
        },
    }


def changed(content: Object, path: str, value: Any) -> Object:
    """A copy with one field set; None removes it. Numbers in the path are places in lists."""
    made = copy.deepcopy(content)
    *way, last = path.split(".")
    at: Any = made
    for step in way:
        at = at[int(step)] if step.isdigit() else at.setdefault(step, {})
    if value is None:
        at.pop(last, None)
    else:
        at[last] = value
    return made
