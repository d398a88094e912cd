"""A DaemonSet with kubectl's verbs."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

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

    def apply(self, manifest: Object) -> None:
        """Create or change it to what `manifest` says."""
        if ObjectRef.of(manifest) != self.ref:
            raise UsageError("this manifest names another object", subject=str(self.ref))
        with self.steps.step("apply", self.ref):
            self.kube.apply(manifest)

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
            self._patch({"spec": {"template": {**target.template, "$patch": "replace"}}})
            return Undone(rolled_back=True, text="rolled back")

    def history(self) -> list[Revision]:
        """Its revisions, oldest first."""
        return self._history_of(self.read())

    def status(self) -> RolloutStatus:
        """How far the rollout is, as `kubectl rollout status` says."""
        return rollout_status.of_daemon_set(self.read())

    def pods(self, *, terminating: bool = False) -> list[Pod]:
        """Its pods without a deletion timestamp, or all of them, by name."""
        item = self.read()
        labels = item["spec"]["selector"].get("matchLabels", {})
        found = revisions.owned_by(
            item["metadata"]["uid"], self.kube.list("Pod", self.ref.namespace, labels=labels)
        )
        found = [pod for pod in found if terminating or not pods.is_terminating(pod)]
        found.sort(key=lambda pod: str(pod["metadata"]["name"]))
        return [Pod.of(self.kube, pod, self.steps) for pod in found]

    def wait_ready(self, timeout_s: float) -> None:
        """Wait until every node that is to have a pod has an available one, of whatever revision.

        A set that no node is to have a pod of has nothing to wait for, and never becomes ready.
        """
        last: Object = {}

        def attempt() -> bool:
            nonlocal last
            last = self.read()
            status = last.get("status", {})
            wanted: int = status.get("desiredNumberScheduled", 0)
            available: int = status.get("numberAvailable", 0)
            return rollout_status.is_observed(last) and 0 < wanted <= available

        wait_seen(
            attempt,
            what=f"{self.ref} to have an available pod on each of its nodes",
            timeout_s=timeout_s,
            seen=self._describe,
        )

    def wait_complete(self, timeout_s: float) -> None:
        """Wait until the update is complete, as `kubectl rollout status` does."""
        last: Object = {}

        def attempt() -> bool:
            nonlocal last
            last = self.read()
            return rollout_status.of_daemon_set(last).complete

        wait_seen(
            attempt,
            what=f"the rollout of {self.ref}",
            timeout_s=timeout_s,
            seen=self._describe,
            hopeless=lambda: rollout_status.of_daemon_set(last).failed if last else None,
            next_step="undo it, or change the template to one that can become ready",
        )

    # within

    def _history_of(self, item: Object) -> list[Revision]:
        labels = item["spec"]["selector"].get("matchLabels", {})
        found = self.kube.list("ControllerRevision", self.ref.namespace, labels=labels)
        return revisions.of_controller_revisions(revisions.owned_by(item["metadata"]["uid"], found))

    def _patch(self, change: Object) -> None:
        self.kube.patch("DaemonSet", self.ref.name, self.ref.namespace, change, style="strategic")

    def _describe(self) -> str:
        item = self.read()
        labels = item["spec"]["selector"].get("matchLabels", {})
        shown = [pods.describe(p) for p in self.kube.list("Pod", self.ref.namespace, labels=labels)]
        return "; ".join([rollout_status.of_daemon_set(item).text, *shown])
