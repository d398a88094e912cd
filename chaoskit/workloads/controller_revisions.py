"""Workloads whose older templates stand in ControllerRevisions: StatefulSets and DaemonSets."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime

from chaoskit.kube.kinds import Object
from chaoskit.workloads import revisions, template
from chaoskit.workloads.revisions import Revision, Undone
from chaoskit.workloads.rollout_status import RolloutStatus
from chaoskit.workloads.workload import Workload


@dataclass(frozen=True, kw_only=True)
class RevisedWorkload(Workload, ABC):
    """One of them. Nothing can pause its rollouts."""

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
        with self.steps.step("undo", self.ref, detail=revisions.undo_detail(to_revision)):
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
        return self._status_of(self.read())

    def wait_complete(self, timeout_s: float) -> None:
        """Wait until the update is complete, as `kubectl rollout status` does.

        Raises `Hopeless` when it can no longer become so.
        """
        self._wait(
            lambda item: self._status_of(item).complete,
            f"the rollout of {self.ref}",
            timeout_s,
            hopeless=lambda item: self._status_of(item).failed if item else None,
            next_step="undo it, or change the template to one that can become ready; under "
            "OrderedReady one broken member holds up all others: after a correction delete it",
        )

    # within

    @abstractmethod
    def _status_of(self, item: Object) -> RolloutStatus:
        """How far its rollout is."""

    def _history_of(self, item: Object) -> list[Revision]:
        return revisions.of_controller_revisions(self._owned("ControllerRevision", item))

    def _describe(self, item: Object) -> str:
        shown = super()._describe(item)
        return f"{self._status_of(item).text}; {shown}" if item else shown
