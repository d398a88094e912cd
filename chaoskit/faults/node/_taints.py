"""A taint of ours on a node, told apart from those of others by key, value and effect."""

from dataclasses import dataclass

from chaoskit.faults._objects import (
    annotation,
    break_object,
    edit,
    is_ending,
    listed,
    mark_of,
    refuse,
)
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object, Objects


@dataclass(frozen=True)
class NodeTaint:
    """One taint by one fault."""

    fault: str
    node: str
    key: str
    value: str
    effect: str

    def put(self, kube: Kube) -> None:
        """Add it. Raises `FaultError` when one of that key and effect is there, and not by us."""
        mark = mark_of(self.fault, self.key, self.effect)

        def change(now: Object) -> Object | None:
            taints = _taints(now)
            same = [each for each in taints if self._is_alike(each)]
            if same and annotation(now, mark) is None:
                raise refuse(
                    f"node {self.node}",
                    f"bears a taint {self.key}:{self.effect} already, and not by this fault",
                    seen=same[0],
                    next_step=f"kubectl taint node {self.node} {self.key}:{self.effect}-",
                )
            if any(self._is_ours(each) for each in same):
                return None
            ours = {"key": self.key, "value": self.value, "effect": self.effect}
            kept = [each for each in taints if not self._is_alike(each)]
            annotations = {mark: f"{self.key}={self.value}:{self.effect}"}
            return {"metadata": {"annotations": annotations}, "spec": {"taints": [*kept, ours]}}

        break_object(kube, "Node", self.node, None, change)

    def is_effective(self, kube: Kube) -> bool:
        """A list of nodes has it, and under NoExecute no pod without a toleration stays there."""
        item = listed(kube, "Node", self.node)
        if item is None or not any(self._is_ours(each) for each in _taints(item)):
            return False
        if self.effect != "NoExecute":
            return True
        pods = kube.list("Pod", fields=f"spec.nodeName={self.node}")
        return all(is_ending(pod) or _is_over(pod) or self._is_tolerated(pod) for pod in pods)

    def take(self, kube: Kube) -> str:
        """Take away what this fault added; what is missing until a list has it no more.

        A taint whose value somebody changed is his now and stays.
        """
        mark = mark_of(self.fault, self.key, self.effect)

        def change(now: Object) -> Object | None:
            if annotation(now, mark) is None:
                return None
            taints = [each for each in _taints(now) if not self._is_ours(each)]
            return {
                "metadata": {"annotations": {mark: None}},
                "spec": {"taints": taints or None},
            }

        item = listed(kube, "Node", self.node)
        if item is None or annotation(item, mark) is None:
            return ""
        edit(kube, "Node", self.node, None, change)
        return "our taint was still there"

    def _is_alike(self, taint: Object) -> bool:
        return bool(taint["key"] == self.key and taint["effect"] == self.effect)

    def _is_ours(self, taint: Object) -> bool:
        return self._is_alike(taint) and taint.get("value", "") == self.value

    def _is_tolerated(self, pod: Object) -> bool:
        """By any toleration; one with tolerationSeconds lets the pod stay for so long."""
        return any(self._tolerates(each) for each in pod["spec"].get("tolerations") or ())

    def _tolerates(self, toleration: Object) -> bool:
        if toleration.get("effect", self.effect) != self.effect:
            return False
        if not toleration.get("key"):
            return toleration.get("operator") == "Exists"
        if toleration["key"] != self.key:
            return False
        exists = toleration.get("operator") == "Exists"
        return exists or toleration.get("value", "") == self.value


def _taints(item: Object) -> Objects:
    return list(item["spec"].get("taints") or ())


def _is_over(pod: Object) -> bool:
    return pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}
