"""A StatefulSet with kubectl's verbs, and its members by ordinal."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Self

from chaoskit.errors import UsageError
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object
from chaoskit.workloads import pod as pods
from chaoskit.workloads import revisions, rollout_status, template
from chaoskit.workloads.pod import Pod
from chaoskit.workloads.polling import wait_seen
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.revisions import Revision, Undone
from chaoskit.workloads.rollout_status import RolloutStatus
from chaoskit.workloads.steps import UNRECORDED, StepLog


@dataclass(frozen=True, kw_only=True)
class StatefulSet:
    """One StatefulSet. Each verb is a step and is marked as one."""

    kube: Kube = field(repr=False)
    ref: ObjectRef
    steps: StepLog = field(default=UNRECORDED, repr=False)

    @classmethod
    def named(cls, kube: Kube, namespace: str, name: str, steps: StepLog = UNRECORDED) -> Self:
        """The StatefulSet of that name, whether it exists yet or not."""
        return cls(kube=kube, ref=ObjectRef("StatefulSet", namespace, name), steps=steps)

    def read(self) -> Object:
        """The object now. Raises `NotFound` when there is none."""
        return self.kube.get("StatefulSet", self.ref.name, self.ref.namespace)

    def pod(self, ordinal: int) -> Pod:
        """The member of that ordinal, whichever pod bears its name at the time."""
        ref = ObjectRef("Pod", self.ref.namespace, f"{self.ref.name}-{ordinal}")
        return Pod(kube=self.kube, ref=ref, steps=self.steps)

    # kubectl's verbs

    def apply(self, manifest: Object) -> None:
        """Create or change it to what `manifest` says."""
        if ObjectRef.of(manifest) != self.ref:
            raise UsageError("this manifest names another object", subject=str(self.ref))
        with self.steps.step("apply", self.ref):
            self.kube.apply(manifest)

    def delete(self) -> None:
        """Delete it; its pods go in the background, in no order; claims stay by default."""
        with self.steps.step("delete", self.ref):
            self.kube.delete(
                "StatefulSet", self.ref.name, self.ref.namespace, propagation="Background"
            )

    def delete_claims(self) -> None:
        """Delete the claims of all members by hand, those of members that are gone too."""
        for item in self.claims():
            ref = ObjectRef.of(item)
            with self.steps.step("delete", ref):
                self.kube.delete(ref.kind, ref.name, ref.namespace)

    def scale(self, replicas: int) -> None:
        """Set the number of replicas: members come in order and go in reverse."""
        with self.steps.step("scale", self.ref, detail=str(replicas)):
            self.kube.patch(
                "StatefulSet",
                self.ref.name,
                self.ref.namespace,
                {"spec": {"replicas": replicas}},
                subresource="scale",
            )

    def set_image(self, image: str, container: str | None = None) -> bool:
        """Change the image of a container (None: the only one; "*": all).

        Returns False when it had that image already.
        """
        with self.steps.step("set_image", self.ref, detail=image):
            change = template.image_change(
                self.ref, self.read()["spec"]["template"], image, container
            )
            if change:
                self._patch(change)
            return bool(change)

    def edit(self, change: Object, *, detail: str = "") -> None:
        """Change anything, by strategic merge patch."""
        with self.steps.step("edit", self.ref, detail=detail):
            self._patch(change)

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

    def restart(self) -> None:
        """Roll all pods anew with the same template."""
        with self.steps.step("restart", self.ref):
            moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            current = self.read()["spec"]["template"]
            self._patch(template.restart_change(self.ref, current, moment))

    def undo(self, to_revision: int | None = None) -> Undone:
        """Restore the template of an older revision: the named one, or the one before.

        Raises `StepRefused`, with nothing changed, when there is no such revision.
        """
        detail = "to the revision before" if to_revision is None else f"to {to_revision}"
        with self.steps.step("undo", self.ref, detail=detail):
            item = self.read()
            target = revisions.chosen(self.ref, self._history_of(item), to_revision)
            if template.equal(target.template, item["spec"]["template"]):
                return revisions.skipped(to_revision)
            restored = {**target.template, "$patch": "replace"}
            self._patch({"spec": {"template": restored}})
            return Undone(rolled_back=True, text="rolled back")

    # looking

    def history(self) -> list[Revision]:
        """Its revisions, oldest first."""
        return self._history_of(self.read())

    def status(self) -> RolloutStatus:
        """How far the rollout is, as `kubectl rollout status` says."""
        return rollout_status.of_stateful_set(self.read())

    def pods(self, *, terminating: bool = False) -> list[Pod]:
        """Its pods without a deletion timestamp, or all of them, by ordinal."""
        item = self.read()
        labels = item["spec"]["selector"].get("matchLabels", {})
        found = revisions.owned_by(
            item["metadata"]["uid"], self.kube.list("Pod", self.ref.namespace, labels=labels)
        )
        found = [pod for pod in found if terminating or not pods.is_terminating(pod)]
        found.sort(key=lambda pod: int(pod["metadata"]["name"].rsplit("-", 1)[1]))
        return [Pod.of(self.kube, pod, self.steps) for pod in found]

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

        self._wait(is_available, f"{self.ref} to have all members available", timeout_s)

    def wait_complete(self, timeout_s: float) -> None:
        """Wait until the update is complete, as `kubectl rollout status` does."""
        self._wait(
            lambda item: rollout_status.of_stateful_set(item).complete,
            f"the rollout of {self.ref}",
            timeout_s,
            hopeless=lambda item: rollout_status.of_stateful_set(item).failed,
        )

    # within

    def _wait(
        self,
        test: Callable[[Object], bool],
        what: str,
        timeout_s: float,
        hopeless: Callable[[Object], str | None] | None = None,
    ) -> None:
        last: Object = {}

        def attempt() -> bool:
            nonlocal last
            last = self.read()
            return test(last)

        wait_seen(
            attempt,
            what=what,
            timeout_s=timeout_s,
            seen=lambda: self._describe(last),
            hopeless=None if hopeless is None else (lambda: hopeless(last)),
            next_step="under OrderedReady one broken member holds up all others: "
            "after a correction delete it",
        )

    def _is_claim(self, named: Object) -> bool:
        """Whether that is the namespace and name of a member's claim."""
        ending = rf"-{re.escape(self.ref.name)}-\d+$"
        return named["namespace"] == self.ref.namespace and bool(re.search(ending, named["name"]))

    def _history_of(self, item: Object) -> list[Revision]:
        labels = item["spec"]["selector"].get("matchLabels", {})
        found = self.kube.list("ControllerRevision", self.ref.namespace, labels=labels)
        return revisions.of_controller_revisions(revisions.owned_by(item["metadata"]["uid"], found))

    def _patch(self, change: Object) -> None:
        self.kube.patch("StatefulSet", self.ref.name, self.ref.namespace, change, style="strategic")

    def _describe(self, item: Object) -> str:
        if not item:
            return "never read"
        labels = item["spec"]["selector"].get("matchLabels", {})
        shown = [pods.describe(p) for p in self.kube.list("Pod", self.ref.namespace, labels=labels)]
        return "; ".join([rollout_status.of_stateful_set(item).text, *shown])
