"""A DaemonSet: one pod for each node that may have one."""

from dataclasses import dataclass, field
from typing import Self

from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object
from chaoskit.workloads import pod as pods
from chaoskit.workloads import revisions
from chaoskit.workloads.pod import Pod
from chaoskit.workloads.polling import wait_seen
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.steps import UNRECORDED, StepLog


@dataclass(frozen=True, kw_only=True)
class DaemonSet:
    """One DaemonSet. Each verb is a step and is marked as one."""

    kube: Kube = field(repr=False)
    ref: ObjectRef
    steps: StepLog = field(default=UNRECORDED, repr=False)

    @classmethod
    def named(cls, kube: Kube, namespace: str, name: str, steps: StepLog = UNRECORDED) -> Self:
        """The DaemonSet of that name, whether it exists yet or not."""
        return cls(kube=kube, ref=ObjectRef("DaemonSet", namespace, name), steps=steps)

    def read(self) -> Object:
        """The object now. Raises `NotFound` when there is none."""
        return self.kube.get("DaemonSet", self.ref.name, self.ref.namespace)

    def pods(self, *, terminating: bool = False) -> list[Pod]:
        """Its pods without a deletion timestamp, or all of them, by name."""
        item = self.read()
        labels = item["spec"]["selector"].get("matchLabels", {})
        found = revisions.owned_by(
            item["metadata"]["uid"], self.kube.list("Pod", self.ref.namespace, labels=labels)
        )
        found = [each for each in found if terminating or not pods.is_terminating(each)]
        found.sort(key=lambda each: str(each["metadata"]["name"]))
        return [Pod.of(self.kube, each, self.steps) for each in found]

    def wait_ready(self, timeout_s: float) -> None:
        """Wait until each node that may have one of its pods has an available one."""
        last: Object = {}

        def attempt() -> bool:
            nonlocal last
            last = self.read()
            status = last.get("status", {})
            observed: bool = status.get("observedGeneration") == last["metadata"]["generation"]
            wanted: int = status.get("desiredNumberScheduled", 0)
            available: int = status.get("numberAvailable", 0)
            return observed and 0 < wanted == available

        wait_seen(
            attempt,
            what=f"{self.ref} to have a pod on each node",
            timeout_s=timeout_s,
            seen=lambda: last.get("status"),
            next_step="see its pods, and the taints and labels of the nodes that lack one",
        )
