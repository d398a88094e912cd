"""The state of a cluster that faults touch, to see afterwards that nothing of them is left."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.node_fingerprint import node_lines
from chaoskit.errors import ChaoskitError, WaitTimeout
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object
from chaoskit.waiting import wait_until

_OURS = "chaoskit"
#: Where objects of ours may be left: kinds, and paths of those that the client has no name for.
_KINDS = (
    "Namespace", "Pod", "Service", "ConfigMap", "Secret", "ResourceQuota", "LimitRange",
    "PersistentVolumeClaim", "PersistentVolume", "Deployment", "StatefulSet", "DaemonSet", "Job",
    "NetworkPolicy", "PodDisruptionBudget", "StorageClass", "PriorityClass", "APIService",
    "ClusterRole", "ClusterRoleBinding",
)  # fmt: skip
_WEBHOOKS = (
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
)
#: What the cluster itself runs on; its content is compared, not only whether it is ours.
_SYSTEM = ("Deployment", "DaemonSet", "ConfigMap", "Service")
_SYSTEM_NAMESPACE = "kube-system"

_BRIDGE = re.compile(r"^cni0 (up|inet)|dev cni0")
#: What is amiss for a moment without any fault, and over when it is gone: the link of a pod that
#: ends or begins, a node that was not ready yet.
_PASSING = re.compile(
    r"of a pod is down$| [A-Z]\w+=(True|False|Unknown)$| taint node\.kubernetes\.io/"
)

#: Part of the cluster ("node one: links") and the lines that describe it.
Fingerprint = Mapping[str, tuple[str, ...]]


def fingerprint(cluster: K3sCluster) -> Fingerprint:
    """All of it, in about a second. What cannot be read is a line that says so."""
    parts: dict[str, tuple[str, ...]] = {}
    with ThreadPoolExecutor(len(cluster.nodes), thread_name_prefix="chaoskit-look") as pool:
        for node, lines in zip(cluster.nodes, pool.map(node_lines, cluster.nodes), strict=True):
            parts |= {f"node {node.name}: {name}": tuple(lines[name]) for name in lines}
    try:
        parts |= {name: tuple(sorted(lines)) for name, lines in _of_api(cluster.kube).items()}
    except ChaoskitError as error:
        parts["api"] = (f"cannot be read: {error.problem}",)
    return parts


def difference(before: Fingerprint, after: Fingerprint) -> list[str]:
    """What came ("+") and what went ("-"), by part; empty when nothing is left of anything.

    The pods' bridge is no trace when it comes or goes: a node makes it for its first pod, and
    has none after a power cut until it gets one. One that is down is a trace. And nothing is
    left of anything where the cluster was not quite well before and is now.
    """
    lines = []
    for part in sorted(before.keys() | after.keys()):
        old, new = set(before.get(part, ())), set(after.get(part, ()))
        went = (line for line in sorted(old - new) if not _PASSING.search(line))
        lines += [f"{part}: - {line}" for line in went if not _BRIDGE.search(line)]
        lines += [f"{part}: + {line}" for line in sorted(new - old) if not _BRIDGE.search(line)]
    return lines


def left_after(cluster: K3sCluster, before: Fingerprint, *, timeout_s: float) -> list[str]:
    """What still differs from before as soon as nothing does, or when the time is up."""
    last: list[str] = []

    def is_the_same() -> bool:
        last[:] = difference(before, fingerprint(cluster))
        return not last

    with suppress(WaitTimeout):
        wait_until(is_the_same, what="nothing to be left", timeout_s=timeout_s)
    return last


def _of_api(kube: Kube) -> dict[str, list[str]]:
    nodes = kube.list("Node")
    ending = {
        one["metadata"]["name"]
        for one in kube.list("Namespace")
        if one["metadata"].get("deletionTimestamp")
    }
    objects = [line for kind in _KINDS for line in _ours(kind, kube.list(kind), ending)]
    for path in _WEBHOOKS:
        objects += _ours(path.rpartition("/")[2], json.loads(kube.raw_get(path))["items"], ending)
    system = [
        f"{kind} {one['metadata']['name']} {_digest(one)}"
        for kind in _SYSTEM
        for one in kube.list(kind, _SYSTEM_NAMESPACE)
    ]
    return {
        "nodes": [line for node in nodes for line in _of_node(node)],
        "objects": objects,
        "system": system,
    }


def _of_node(node: Object) -> Iterator[str]:
    name, spec = node["metadata"]["name"], node["spec"]
    cordoned = "cordoned" if spec.get("unschedulable") else "schedulable"
    yield f"{name} {cordoned}"
    for taint in spec.get("taints") or ():
        yield f"{name} taint {taint['key']}={taint.get('value', '')}:{taint['effect']}"
    for condition in node["status"]["conditions"]:
        if condition["status"] != ("True" if condition["type"] == "Ready" else "False"):
            yield f"{name} {condition['type']}={condition['status']}"
    for marked in _marks(node):
        yield f"{name} {marked}"


def _ours(kind: str, objects: list[Object], ending: set[str]) -> Iterator[str]:
    """Objects that bear our name in any way; namespaces that end take theirs with them."""
    for one in objects:
        meta = one["metadata"]
        where = meta.get("namespace", "")
        if where in ending or (kind == "Namespace" and meta["name"] in ending):
            continue
        full = f"{kind} {where}/{meta['name']}" if where else f"{kind} {meta['name']}"
        if _OURS in meta["name"]:
            yield full
        for marked in _marks(one):
            yield f"{full} {marked}"


def _marks(one: Object) -> Iterator[str]:
    """Our labels, annotations and finalizers on an object.

    What a controller made has its labels from a template, and is replaced as pods are.
    """
    meta = one["metadata"]
    for what in ("annotations",) if meta.get("ownerReferences") else ("labels", "annotations"):
        for key, value in (meta.get(what) or {}).items():
            if _OURS in key or (what == "labels" and value == _OURS):
                yield f"{what[:-1]} {key}"
    for finalizer in meta.get("finalizers") or ():
        if _OURS in finalizer:
            yield f"finalizer {finalizer}"


def _digest(one: Object) -> str:
    """Its content, without what the API server writes there."""
    content: dict[str, Any] = {key: one.get(key) for key in ("spec", "data", "binaryData")}
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
