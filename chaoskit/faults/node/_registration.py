"""A node's object as it was before it was deleted, and how far it is back."""

from chaoskit.cluster.container_node import brief, is_ready
from chaoskit.faults._objects import edit
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object

#: Kubernetes puts these on by itself, from what it sees of the node then.
_BY_CONTROLLERS = (
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/unschedulable",
    "node.kubernetes.io/network-unavailable",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/pid-pressure",
    "node.cloudprovider.kubernetes.io/",
)


def kept_of(item: Object) -> Object:
    """What the kubelet would not bring back by itself, as plain values."""
    metadata, spec = item["metadata"], item["spec"]
    kept = {
        key: spec[key] for key in ("podCIDR", "podCIDRs", "unschedulable", "providerID")
        if key in spec
    }  # fmt: skip
    taints = [t for t in spec.get("taints") or () if not t["key"].startswith(_BY_CONTROLLERS)]
    return {
        "uid": metadata["uid"],
        "labels": metadata.get("labels") or {},
        "annotations": metadata.get("annotations") or {},
        "spec": {**kept, "taints": taints},
    }


def create_again(kube: Kube, node: str, kept: Object) -> None:
    """Make its object anew, with the pod range that its network was set up for."""
    metadata = {"name": node, "labels": kept["labels"], "annotations": kept["annotations"]}
    kube.create(
        {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": dict(kept["spec"])}
    )


def has_other_range(now: Object, kept: Object) -> bool:
    """Whether it registered by itself and was given another pod range, which never changes."""
    given = now["spec"].get("podCIDR")
    return bool(given and kept["spec"].get("podCIDR") not in (None, given))


def lacking(kube: Kube, now: Object, kept: Object) -> str:
    """What is missing of a node that is there again; adds what it lacks, changes nothing else."""
    node = now["metadata"]["name"]
    added = edit(kube, "Node", node, None, lambda current: _what_lacks(current, kept))
    if added is not None:
        return "labels, annotations or taints were missing"
    return "" if is_ready(now) else brief(now)


def _what_lacks(now: Object, kept: Object) -> Object | None:
    metadata, spec = now["metadata"], now["spec"]
    labels = _absent(kept["labels"], metadata.get("labels"))
    annotations = _absent(kept["annotations"], metadata.get("annotations"))
    taints = spec.get("taints") or []
    there = {(taint["key"], taint["effect"]) for taint in taints}
    gone = [t for t in kept["spec"]["taints"] if (t["key"], t["effect"]) not in there]
    change: Object = {}
    if gone:
        change["taints"] = [*taints, *gone]
    if kept["spec"].get("unschedulable") and not spec.get("unschedulable"):
        change["unschedulable"] = True
    if not (labels or annotations or change):
        return None
    return {"metadata": {"labels": labels, "annotations": annotations}, "spec": change}


def _absent(wanted: Object, there: Object | None) -> Object:
    return {key: value for key, value in wanted.items() if key not in (there or {})}
