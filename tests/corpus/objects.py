"""Kubernetes objects of hand-made histories, with the fields that guarantees read."""

from typing import Any

from tests.corpus.story import NAMESPACE, stamp

Object = dict[str, Any]


def deployment(
    *,
    image: str = "app:v1",
    replicas: int = 3,
    revision: int = 1,
    complete: bool = True,
    surge: int | str = 1,
    unavailable: int | str = 0,
    min_ready_s: int = 0,
    strategy: str = "RollingUpdate",
    name: str = "web",
) -> Object:
    """A Deployment; `complete`: its status says that the rollout is."""
    counts = replicas if complete else replicas - 1
    rolling = {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    return {
        "metadata": {
            "uid": f"uid-{name}",
            "name": name,
            "namespace": NAMESPACE,
            "generation": revision,
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
        },
        "spec": {
            "replicas": replicas,
            "minReadySeconds": min_ready_s,
            "strategy": {"type": strategy, **(rolling if strategy == "RollingUpdate" else {})},
            "template": template(image),
        },
        "status": {
            "observedGeneration": revision,
            "replicas": replicas,
            "updatedReplicas": counts,
            "availableReplicas": counts,
        },
    }


def template(image: str) -> Object:
    """A pod template that differs by its image."""
    return {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "app", "image": image}]},
    }


def replica_set(name: str, *, image: str = "app:v1", uid: str | None = None) -> Object:
    """A ReplicaSet of the Deployment web."""
    with_hash = template(image)
    with_hash["metadata"]["labels"]["pod-template-hash"] = name
    return {
        "metadata": {
            "uid": uid or f"uid-{name}",
            "name": name,
            "namespace": NAMESPACE,
            "ownerReferences": [_owner("Deployment", "web")],
        },
        "spec": {"replicas": 3, "template": with_hash},
    }


def pod(
    name: str,
    *,
    of: tuple[str, str] = ("ReplicaSet", "rs-1"),
    ready_since: float | None = None,
    leaving: bool = False,
    waiting: str | None = None,
    restarts: int = 0,
    uid: str | None = None,
    node: str = "n1",
    container_id: str | None = None,
    grace_s: int = 30,
) -> Object:
    """A pod; Ready since that second of the story, or not."""
    status: Object = {"name": "app", "restartCount": restarts, "state": {"running": {}}}
    if waiting is not None:
        status["state"] = {"waiting": {"reason": waiting}}
    if container_id is not None:
        status["containerID"] = f"containerd://{container_id}"
    ready: Object = {"type": "Ready", "status": "False"}
    if ready_since is not None:
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": stamp(ready_since)}
    metadata: Object = {
        "uid": uid or f"uid-{name}",
        "name": name,
        "namespace": NAMESPACE,
        "ownerReferences": [_owner(*of)],
    }
    if leaving:
        metadata["deletionTimestamp"] = stamp(0)
    return {
        "metadata": metadata,
        "spec": {"nodeName": node, "terminationGracePeriodSeconds": grace_s},
        "status": {
            "phase": "Pending" if waiting else "Running",
            "conditions": [ready],
            "containerStatuses": [status],
        },
    }


def stateful_set(name: str = "kv", *, replicas: int = 3) -> Object:
    """A StatefulSet."""
    return {
        "metadata": {"uid": f"uid-{name}", "name": name, "namespace": NAMESPACE},
        "spec": {"replicas": replicas},
    }


def node(name: str, *, ready: str = "True") -> Object:
    """A node with its Ready condition: "True", "False" or "Unknown"."""
    return {
        "metadata": {"uid": f"uid-{name}", "name": name},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def _owner(kind: str, name: str) -> Object:
    return {"kind": kind, "name": name, "uid": f"uid-{name}", "controller": True}
