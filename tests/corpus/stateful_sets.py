"""StatefulSets of hand-made histories: the set kv, its revisions and its members."""

from typing import Any, Literal

from tests.corpus.story import NAMESPACE, stamp

Object = dict[str, Any]

KINDS = ("StatefulSet", "ControllerRevision", "Pod", "PersistentVolumeClaim", "Node")


def kv(
    replicas: int = 3,
    *,
    start: int = 0,
    parallel: bool = False,
    strategy: str = "RollingUpdate",
    partition: int = 0,
    max_unavailable: int | str | None = None,
    min_ready_s: int = 0,
    current: str = "kv-a",
    leaving: bool = False,
    uid: str = "uid-kv",
    claims: tuple[str, ...] = (),
    when_scaled: str = "Retain",
    when_deleted: str = "Retain",
    ready: int | None = None,
) -> Object:
    """The StatefulSet kv, with defaults filled in as the API server does.

    `ready`: so many members are there, and Ready, and kv-a is the revision to update to.
    """
    rolling: Object = {"partition": partition}
    if max_unavailable is not None:
        rolling["maxUnavailable"] = max_unavailable
    metadata: Object = {"uid": uid, "name": "kv", "namespace": NAMESPACE}
    if leaving:
        metadata["deletionTimestamp"] = stamp(0)
    spec: Object = {
        "replicas": replicas,
        "serviceName": "kv-members",
        "podManagementPolicy": "Parallel" if parallel else "OrderedReady",
        "minReadySeconds": min_ready_s,
        "updateStrategy": {
            "type": strategy,
            **({"rollingUpdate": rolling} if strategy == "RollingUpdate" else {}),
        },
        "persistentVolumeClaimRetentionPolicy": {
            "whenScaled": when_scaled,
            "whenDeleted": when_deleted,
        },
        "volumeClaimTemplates": [{"metadata": {"name": name}} for name in claims],
    }
    if start:
        spec["ordinals"] = {"start": start}
    status: Object = {"currentRevision": current}
    if ready is not None:
        status |= {"replicas": ready, "readyReplicas": ready, "updateRevision": "kv-a"}
    return {"metadata": metadata, "spec": spec, "status": status}


def revision(name: str, number: int, *, of: str = "uid-kv") -> Object:
    """A ControllerRevision of kv."""
    return {
        "metadata": {
            "uid": f"uid-{name}",
            "name": name,
            "namespace": NAMESPACE,
            "ownerReferences": [_kv(of)],
        },
        "revision": number,
    }


def member(
    ordinal: int,
    *,
    revision: str = "kv-a",
    ready_since: float | None = None,
    leaving: bool = False,
    phase: Literal["Pending", "Running", "Succeeded", "Failed"] = "Running",
    disrupted: bool = False,
    owned: bool = True,
    of: str = "uid-kv",
    uid: str | None = None,
    claims: tuple[str, ...] = (),
    node: str = "n1",
    address: str | None = None,
    version: str = "v1",
) -> Object:
    """A pod of kv; `disrupted`: evicted, so that it bears the condition DisruptionTarget."""
    name = f"kv-{ordinal}"
    metadata: Object = {
        "uid": uid or f"uid-{name}",
        "name": name,
        "namespace": NAMESPACE,
        "labels": {
            "app": "kv",
            "controller-revision-hash": revision,
            "statefulset.kubernetes.io/pod-name": name,
            "apps.kubernetes.io/pod-index": str(ordinal),
        },
        "ownerReferences": [_kv(of)] if owned else [],
    }
    if leaving:
        metadata["deletionTimestamp"] = stamp(0)
    return {
        "metadata": metadata,
        "spec": {
            "nodeName": node,
            "hostname": name,
            "subdomain": "kv-members",
            "volumes": [_mounted(claim, name) for claim in claims],
            "containers": [{"name": "specimen", "image": f"chaoskit/specimen:{version}"}],
        },
        "status": {
            "phase": phase,
            "conditions": _conditions(ready_since, disrupted),
            **({} if address is None else {"podIP": address}),
        },
    }


def _mounted(claim: str, pod: str) -> Object:
    return {"name": claim, "persistentVolumeClaim": {"claimName": f"{claim}-{pod}"}}


def _conditions(ready_since: float | None, disrupted: bool) -> list[Object]:
    ready: Object = {"type": "Ready", "status": "False"}
    if ready_since is not None:
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": stamp(ready_since)}
    return [ready, {"type": "DisruptionTarget", "status": "True"}] if disrupted else [ready]


def claim(
    ordinal: int,
    *,
    template: str = "data",
    uid: str | None = None,
    volume: str | None = None,
    phase: str = "Bound",
    leaving: bool = False,
    labels: dict[str, str] | None = None,
) -> Object:
    """The claim of a member, bound to `volume` (its own by default; "" for none yet)."""
    name = f"{template}-kv-{ordinal}"
    metadata: Object = {
        "uid": uid or f"uid-{name}",
        "name": name,
        "namespace": NAMESPACE,
    }
    if leaving:
        metadata["deletionTimestamp"] = stamp(0)
    if labels is not None:
        metadata["labels"] = labels
    bound = f"pv-{name}" if volume is None else volume
    return {
        "metadata": metadata,
        "spec": {"volumeName": bound} if bound else {},
        "status": {"phase": phase if bound else "Pending"},
    }


def volume(name: str, policy: str = "Delete") -> Object:
    """A volume, which bears no namespace."""
    return {
        "metadata": {"uid": f"uid-{name}", "name": name},
        "spec": {"persistentVolumeReclaimPolicy": policy},
    }


def _kv(uid: str) -> Object:
    return {"kind": "StatefulSet", "name": "kv", "uid": uid, "controller": True}
