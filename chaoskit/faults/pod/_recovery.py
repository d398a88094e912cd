"""Whether what a removed pod belonged to has recovered: how it was before, and what is missing."""

from chaoskit.faults._objects import is_ending, listed, namespace_ends
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object, Objects


def state_before(kube: Kube, pod: Object) -> Object:
    """What `missing` needs to know of a pod that is about to be removed, as plain values."""
    namespace = pod["metadata"]["namespace"]
    owner = _owner(kube, pod)
    ready = len(_ready_pods(kube, namespace, owner)) if owner else 0
    return {
        "uid": pod["metadata"]["uid"],
        "node": pod["spec"].get("nodeName"),
        "was_ready": is_ready(pod),
        "owner": owner,
        "ready": ready,
    }


def missing(kube: Kube, namespace: str, name: str, before: Object) -> str:
    """What is not yet as it was before the pod `name` was removed; "" when nothing is.

    A pod without an owner, or whose owner or namespace is gone, only has to be gone itself.
    """
    if namespace_ends(kube, namespace):
        return ""
    now = listed(kube, "Pod", name, namespace)
    if now is not None and now["metadata"]["uid"] == before["uid"]:
        return f"pod {name} of before ({before['uid']}) is still there: {_brief(now)}"
    owner = before["owner"]
    if owner is None:
        return ""
    current = _find(kube, owner["kind"], owner["name"], namespace)
    if current is not None and (is_ending(current) or current["metadata"]["uid"] != owner["uid"]):
        return ""
    if current is None and _is_known(owner["kind"]):
        return ""
    if owner["kind"] == "StatefulSet":
        return _missing_member(name, before, now, current or {})
    wanted = min(before["ready"], _wanted(owner["kind"], current, before["ready"]))
    ready = _ready_pods(kube, namespace, owner)
    if len(ready) >= wanted:
        return ""
    return f"{owner['kind']} {owner['name']} has {len(ready)} of {wanted} ready pods ({ready})"


def is_ready(pod: Object) -> bool:
    """Whether a pod is Ready and not being deleted."""
    for condition in pod.get("status", {}).get("conditions", ()):
        if condition["type"] == "Ready":
            return bool(condition["status"] == "True" and not is_ending(pod))
    return False


def _missing_member(name: str, before: Object, now: Object | None, current: Object) -> str:
    spec = current["spec"]
    ordinal = int(name.rsplit("-", 1)[1])
    first = (spec.get("ordinals") or {}).get("start", 0)
    if not first <= ordinal < first + spec["replicas"]:
        return ""  # scaled in meanwhile
    if now is None:
        return f"member {name} is not there yet"
    if before["was_ready"] and not is_ready(now):
        return f"member {name} is not ready: {_brief(now)}"
    return ""


def _wanted(kind: str, owner: Object | None, otherwise: int) -> int:
    if owner is None:
        return otherwise
    status = owner.get("status", {})
    if kind == "DaemonSet":
        return int(status.get("desiredNumberScheduled", 0))
    if kind == "Job":
        ended = {c["type"] for c in status.get("conditions", ()) if c["status"] == "True"}
        return 0 if ended & {"Complete", "Failed"} else otherwise
    return int(owner.get("spec", {}).get("replicas", otherwise))


def _owner(kube: Kube, pod: Object) -> Object | None:
    """The controller of a pod: its Deployment rather than the ReplicaSet, which may change."""
    owner = _controller(pod)
    if owner is not None and owner["kind"] == "ReplicaSet":
        found = kube.find("ReplicaSet", owner["name"], pod["metadata"]["namespace"])
        return (found and _controller(found)) or owner
    return owner


def _controller(item: Object) -> Object | None:
    for each in item["metadata"].get("ownerReferences", ()):
        if each.get("controller"):
            return {key: each[key] for key in ("kind", "name", "uid")}
    return None


def _ready_pods(kube: Kube, namespace: str, owner: Object) -> list[str]:
    controllers = {owner["uid"]}
    if owner["kind"] == "Deployment":
        controllers |= {
            each["metadata"]["uid"]
            for each in _controlled(kube.list("ReplicaSet", namespace), controllers)
        }
    pods = _controlled(kube.list("Pod", namespace), controllers)
    return sorted(pod["metadata"]["name"] for pod in pods if is_ready(pod))


def _controlled(items: Objects, uids: set[str]) -> Objects:
    return [item for item in items if (_controller(item) or {}).get("uid") in uids]


def _find(kube: Kube, kind: str, name: str, namespace: str) -> Object | None:
    return kube.find(kind, name, namespace) if _is_known(kind) else None


def _is_known(kind: str) -> bool:
    """Owners of unknown kinds are judged by their pods alone."""
    return kind in {
        "Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job",
    }  # fmt: skip


def _brief(pod: Object) -> str:
    status = pod.get("status", {})
    waiting = [
        state["reason"]
        for each in status.get("containerStatuses", ())
        for state in each.get("state", {}).values()
        if "reason" in state
    ]
    words = [status.get("phase", "no phase"), f"on {pod['spec'].get('nodeName', 'no node')}"]
    if is_ending(pod):
        words.append(f"terminating since {pod['metadata']['deletionTimestamp']}")
    return ", ".join([*words, *waiting])
