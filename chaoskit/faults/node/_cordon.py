"""A node that is cordoned by us: who else cordons it keeps his cordon."""

from chaoskit.faults._objects import annotation, break_object, edit, listed, mark_of, refuse
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object

#: What the controller manager puts on a node once it has seen that it is unschedulable.
_ANSWER = "node.kubernetes.io/unschedulable"


def cordon(kube: Kube, fault: str, node: str) -> None:
    """Make it unschedulable. Raises `FaultError` when it is already, and not by this fault."""
    mark = mark_of(fault)

    def change(now: Object) -> Object | None:
        is_ours = annotation(now, mark) is not None
        if now["spec"].get("unschedulable"):
            if is_ours:
                return None
            raise refuse(
                f"node {node}",
                "is cordoned already, and not by this fault",
                next_step=f"kubectl uncordon {node}, or name another node",
            )
        return {"metadata": {"annotations": {mark: "cordoned"}}, "spec": {"unschedulable": True}}

    break_object(kube, "Node", node, None, change)


def is_cordoned(kube: Kube, node: str) -> bool:
    """Whether a list says unschedulable, and the controller manager has answered to it."""
    item = listed(kube, "Node", node)
    return item is not None and bool(item["spec"].get("unschedulable")) and _is_answered(item)


def uncordon(kube: Kube, fault: str, node: str) -> str:
    """Undo what this fault did; what is missing until nobody sees it any more."""
    mark = mark_of(fault)

    def change(now: Object) -> Object | None:
        if annotation(now, mark) is None:
            return None
        return {"metadata": {"annotations": {mark: None}}, "spec": {"unschedulable": None}}

    item = listed(kube, "Node", node)
    if item is None:
        return ""
    if annotation(item, mark) is not None:
        edit(kube, "Node", node, None, change)
        return "it was still cordoned by us"
    if _is_answered(item) and not item["spec"].get("unschedulable"):
        return f"the taint {_ANSWER} is still there: does the controller manager run?"
    return ""


def _is_answered(item: Object) -> bool:
    return any(taint["key"] == _ANSWER for taint in item["spec"].get("taints") or ())
