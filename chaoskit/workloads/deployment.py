"""A Deployment with kubectl's verbs, semantics and refusals."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from chaoskit import clock
from chaoskit.kube.kinds import Object
from chaoskit.workloads import pod as pods
from chaoskit.workloads import revisions, rollout_status, template
from chaoskit.workloads.polling import wait_seen
from chaoskit.workloads.revisions import Revision, Undone
from chaoskit.workloads.rollout_status import RolloutStatus
from chaoskit.workloads.steps import StepRefused
from chaoskit.workloads.workload import Workload

#: After a change of the template the controller reports the new generation for a moment together
#: with the old one's exceeded deadline (seen in 1.36 after an undo; kubectl fails there).
_STALE_CONDITION_S = 2.0


def _now_s() -> float:
    return clock.now_ns() / 1e9


@dataclass(frozen=True, kw_only=True)
class Deployment(Workload):
    """One Deployment."""

    KIND: ClassVar[str] = "Deployment"

    # kubectl's verbs

    def set_env(self, **variables: str) -> None:
        """Set environment variables of all its containers, as `kubectl set env` does."""
        detail = ", ".join(f"{name}={value}" for name, value in variables.items())
        with self.steps.step("set_env", self.ref, detail=detail):
            self._patch(template.env_change(self.read()["spec"]["template"], variables))

    def set_change_cause(self, cause: str) -> None:
        """Annotate why; the next revision inherits it, and `history` shows it."""
        with self.steps.step("annotate", self.ref, detail=cause):
            self._patch({"metadata": {"annotations": {template.CHANGE_CAUSE: cause}}})

    def scale(self, replicas: int) -> None:
        """Set the number of replicas; no new revision."""
        self._set_replicas(replicas)

    def pause(self) -> None:
        """Hold the rollout. Raises `StepRefused` when it is paused already."""
        with self.steps.step("pause", self.ref):
            if self._is_paused(self.read()):
                raise StepRefused("is already paused", subject=str(self.ref))
            self._patch({"spec": {"paused": True}})

    def resume(self) -> None:
        """Go on with the rollout. Raises `StepRefused` when it is not paused."""
        with self.steps.step("resume", self.ref):
            if not self._is_paused(self.read()):
                raise StepRefused("is not paused", subject=str(self.ref))
            self._patch({"spec": {"paused": False}})

    def restart(self) -> None:
        """Roll all pods anew with the same template. Raises `StepRefused` while paused."""
        with self.steps.step("restart", self.ref):
            item = self.read()
            if self._is_paused(item):
                raise StepRefused(
                    "can't restart paused deployment (run rollout resume first)",
                    subject=str(self.ref),
                    next_step="resume it first",
                )
            moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            self._patch(template.restart_change(self.ref, item["spec"]["template"], moment))

    def undo(self, to_revision: int | None = None) -> Undone:
        """Restore the template of an older revision: the named one, or the one before.

        The restored revision gets the next number. Raises `StepRefused`, with nothing changed,
        when there is no such revision or it is paused.
        """
        with self.steps.step("undo", self.ref, detail=revisions.undo_detail(to_revision)):
            item = self.read()
            target = revisions.chosen(self.ref, self._history_of(item), to_revision)
            if self._is_paused(item):
                raise StepRefused(
                    "you cannot rollback a paused deployment; resume it first with "
                    "'kubectl rollout resume' and try again",
                    subject=str(self.ref),
                    next_step="resume it first",
                )
            if template.equal(target.template, item["spec"]["template"]):
                return revisions.skipped(to_revision)
            self.kube.patch(
                self.KIND,
                self.ref.name,
                self.ref.namespace,
                revisions.deployment_patch(item, target),
                style="json",
            )
            return Undone(rolled_back=True, text="rolled back")

    # looking

    def history(self) -> list[Revision]:
        """Its revisions, oldest first, as `kubectl rollout history` lists them."""
        return self._history_of(self.read())

    def status(self) -> RolloutStatus:
        """How far the rollout is, as `kubectl rollout status` says."""
        return rollout_status.of_deployment(self.read())

    def replica_sets(self) -> list[Object]:
        """The ReplicaSets it controls."""
        return self._owned("ReplicaSet", self.read())

    # waiting

    def wait_ready(self, timeout_s: float) -> None:
        """Wait until as many replicas are available as are wanted, of whatever revision."""

        def is_available(item: Object) -> bool:
            available: int = item.get("status", {}).get("availableReplicas", 0)
            wanted: int = item["spec"]["replicas"]
            return rollout_status.is_observed(item) and available >= wanted

        self._wait(is_available, f"{self.ref} to have all replicas available", timeout_s)

    def wait_complete(self, timeout_s: float) -> None:
        """Wait until the rollout is complete, as `kubectl rollout status` does.

        Raises `Hopeless` when its progress deadline passes first.
        """
        last: Object = {}
        failed_since: dict[str, float] = {}  # reason → when it was first seen

        def attempt() -> bool:
            nonlocal last, failed_since
            last = self.read()
            status = rollout_status.of_deployment(last)
            reason = status.failed
            failed_since = {reason: failed_since.get(reason, _now_s())} if reason else {}
            return status.complete

        def lasting_failure() -> str | None:
            for reason, since_s in failed_since.items():
                if _now_s() - since_s >= _STALE_CONDITION_S:
                    return f"{reason}; {self._describe(last)}"
            return None

        wait_seen(
            attempt,
            what=f"the rollout of {self.ref}",
            timeout_s=timeout_s,
            seen=lambda: self._describe(last),
            hopeless=lasting_failure,
            next_step="undo it, or change the template to one that can become ready",
        )

    def wait_observed(self, timeout_s: float) -> None:
        """Wait until the controller has seen the present spec."""
        wait_seen(
            lambda: rollout_status.is_observed(self.read()),
            what=f"the controller to observe {self.ref}",
            timeout_s=timeout_s,
            seen=lambda: "an older generation",
            next_step="see whether the controller manager runs",
        )

    def wait_revision(self, number: int, timeout_s: float) -> None:
        """Wait until its newest revision has that number, or a higher one."""
        last: list[int] = []

        def attempt() -> bool:
            nonlocal last
            last = [revision.number for revision in self.history()]
            return bool(last) and last[-1] >= number

        wait_seen(
            attempt,
            what=f"revision {number} of {self.ref}",
            timeout_s=timeout_s,
            seen=lambda: f"revisions {last}",
            next_step="a change that is not of the template, or while paused, makes no revision",
        )

    def wait_updated(self, pods_count: int, timeout_s: float) -> None:
        """Wait until that many pods of the present template are there: a rollout is under way."""

        def is_under_way(item: Object) -> bool:
            updated: int = item.get("status", {}).get("updatedReplicas", 0)
            return rollout_status.is_observed(item) and updated >= pods_count

        self._wait(is_under_way, f"{pods_count} updated pods of {self.ref}", timeout_s)

    def wait_reasons(self, *reasons: str, saying: str = "", timeout_s: float) -> None:
        """Wait until its pods have shown each of these, in their state or in events of them.

        With `saying`, each with a message that has those words: a first try may say less.
        """
        told: set[tuple[str, str]] = set()

        def attempt() -> bool:
            for item in self._pod_items():
                told.update(pods.told_of(self.kube, item))
            return set(reasons) <= {reason for reason, message in told if saying in message}

        wait_seen(
            attempt,
            what=f"pods of {self.ref} to show {' and '.join(reasons)} {saying}".rstrip(),
            timeout_s=timeout_s,
            seen=lambda: "; ".join(": ".join(each) for each in sorted(told)) or "no reason",
        )

    def wait_deadline_exceeded(self, timeout_s: float) -> None:
        """Wait until Kubernetes reports that the rollout's progress deadline has passed."""
        self._wait(
            lambda item: rollout_status.of_deployment(item).failed is not None,
            f"the progress deadline of {self.ref} to be reported as exceeded",
            timeout_s,
        )

    # within

    def _pod_items(self) -> list[Object]:
        item = self.read()
        found = self._selected("Pod", item)
        owners = [owner["metadata"]["uid"] for owner in self._owned("ReplicaSet", item)]
        return [pod for uid in owners for pod in revisions.owned_by(uid, found)]

    def _history_of(self, item: Object) -> list[Revision]:
        return revisions.of_replica_sets(self._owned("ReplicaSet", item))

    @staticmethod
    def _is_paused(item: Object) -> bool:
        return bool(item["spec"].get("paused"))

    def _describe(self, item: Object) -> str:
        shown = super()._describe(item)
        return f"{rollout_status.of_deployment(item).text}; {shown}" if item else shown
