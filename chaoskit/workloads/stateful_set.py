"""A StatefulSet with kubectl's verbs, and its members by ordinal."""

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from chaoskit.errors import UsageError
from chaoskit.kube.kinds import Object
from chaoskit.workloads import pod as pods
from chaoskit.workloads import rollout_status
from chaoskit.workloads.controller_revisions import RevisedWorkload
from chaoskit.workloads.pod import Pod
from chaoskit.workloads.polling import wait_seen
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.rollout_status import RolloutStatus

_NEXT_STEP = (
    "under OrderedReady one broken member holds up all others: after a correction delete it"
)


@dataclass(frozen=True, kw_only=True)
class StatefulSet(RevisedWorkload):
    """One StatefulSet; deleted, its claims stay by default."""

    KIND: ClassVar[str] = "StatefulSet"

    def pod(self, ordinal: int) -> Pod:
        """The member of that ordinal, whichever pod bears its name at the time."""
        ref = ObjectRef("Pod", self.ref.namespace, f"{self.ref.name}-{ordinal}")
        return Pod(kube=self.kube, ref=ref, steps=self.steps)

    # kubectl's verbs

    def delete_claims(self) -> None:
        """Delete the claims of all members by hand, those of members that are gone too."""
        for item in self.claims():
            ref = ObjectRef.of(item)
            with self.steps.step("delete", ref):
                self.kube.delete(ref.kind, ref.name, ref.namespace)

    def scale(self, replicas: int) -> None:
        """Set the number of replicas: members come in order and go in reverse."""
        self._set_replicas(replicas)

    def set_update_strategy(
        self, kind: Literal["RollingUpdate", "OnDelete"], *, partition: int | None = None
    ) -> None:
        """Choose how updates go out; with `partition` only ordinals from it on are updated."""
        strategy: Object = {"type": kind, "rollingUpdate": None}
        if kind == "RollingUpdate":
            strategy["rollingUpdate"] = {"partition": partition or 0}
        elif partition is not None:
            raise UsageError(
                "OnDelete knows no partition",
                subject=str(self.ref),
                next_step="leave the partition out, or use RollingUpdate",
            )
        with self.steps.step("set_update_strategy", self.ref, detail=str(strategy)):
            self._patch({"spec": {"updateStrategy": strategy}})

    # looking

    def pods(self, *, terminating: bool = False) -> list[Pod]:
        """Its pods without a deletion timestamp, or all of them, by ordinal."""
        found = super().pods(terminating=terminating)
        return sorted(found, key=lambda pod: int(pod.name.rpartition("-")[2]))

    def ready_members(self) -> dict[int, Object]:
        """The pods of its Ready members, by ordinal."""
        found = self.kube.list("Pod", self.ref.namespace)
        name = re.compile(rf"{re.escape(self.ref.name)}-(\d+)")
        matches = [(name.fullmatch(item["metadata"]["name"]), item) for item in found]
        return {int(m[1]): item for m, item in matches if m is not None and pods.is_ready(item)}

    def claims(self) -> list[Object]:
        """The claims of its members, by name; they outlive members and set by default."""
        found = self.kube.list("PersistentVolumeClaim", self.ref.namespace)
        mine = [item for item in found if self._is_claim(item["metadata"])]
        return sorted(mine, key=lambda item: str(item["metadata"]["name"]))

    # waiting

    def wait_gone(self, timeout_s: float) -> None:
        """Wait until it and all pods of its are gone; claims stay by default."""
        left: list[str] = []

        def is_gone() -> bool:
            nonlocal left
            member = re.compile(rf"{re.escape(self.ref.name)}-\d+")
            found = self.kube.list("Pod", self.ref.namespace)
            left = [pods.describe(p) for p in found if member.fullmatch(p["metadata"]["name"])]
            if self.kube.find("StatefulSet", self.ref.name, self.ref.namespace) is not None:
                left.insert(0, str(self.ref))
            return not left

        wait_seen(
            is_gone,
            what=f"{self.ref} and its pods to be gone",
            timeout_s=timeout_s,
            seen=lambda: "; ".join(left),
            next_step="a pod on a node that is away stays until it is deleted by force",
        )

    def wait_volumes(self, count: int, timeout_s: float) -> None:
        """Wait until exactly so many volumes are bound, or were, to claims of its members."""
        last: list[str] = []

        def attempt() -> bool:
            nonlocal last
            found = self.kube.list("PersistentVolume")
            held = [(v["metadata"]["name"], v["spec"].get("claimRef")) for v in found]
            last = [name for name, claim in held if claim and self._is_claim(claim)]
            return len(last) == count

        wait_seen(
            attempt,
            what=f"{self.ref} to have {count} volumes",
            timeout_s=timeout_s,
            seen=lambda: last,
            next_step="see the log of the storage provisioner, and the volumes' reclaim policy",
        )

    def wait_claims(self, count: int, timeout_s: float) -> None:
        """Wait until its members have exactly so many claims."""
        last: list[Object] = []

        def attempt() -> bool:
            nonlocal last
            last = self.claims()
            return len(last) == count

        wait_seen(
            attempt,
            what=f"{self.ref} to have {count} claims",
            timeout_s=timeout_s,
            seen=lambda: [item["metadata"]["name"] for item in last],
            next_step="see their finalizers, owners and the set's retention policy",
        )

    def wait_ready(self, timeout_s: float) -> None:
        """Wait until as many members are available as are wanted, of whatever revision."""

        def is_available(item: Object) -> bool:
            status = item.get("status", {})
            wanted = item["spec"]["replicas"]
            right = status.get("replicas", 0) == wanted == status.get("availableReplicas", 0)
            return rollout_status.is_observed(item) and right

        what = f"{self.ref} to have all members available"
        self._wait(is_available, what, timeout_s, next_step=_NEXT_STEP)

    # within

    def _is_claim(self, named: Object) -> bool:
        """Whether that is the namespace and name of a member's claim."""
        ending = rf"-{re.escape(self.ref.name)}-\d+$"
        return named["namespace"] == self.ref.namespace and bool(re.search(ending, named["name"]))

    def _status_of(self, item: Object) -> RolloutStatus:
        return rollout_status.of_stateful_set(item)
