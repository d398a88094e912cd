"""A rollout is complete in time, and also when the client that asked for it went away."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.fault_windows import fault_windows
from chaoskit.guarantees.objects.watched import (
    Object,
    Step,
    Subject,
    changes,
    in_namespace,
    kind_of,
    name_of,
    require_watched,
    steps,
)
from chaoskit.guarantees.rollouts.deployment_state import is_complete
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import StepMark, Watched
from chaoskit.history.reader import History

_KINDS = ("Deployment", "StatefulSet", "DaemonSet")

#: Steps that leave the spec as it is, so that they overtake no rollout.
_WITHOUT_CHANGE = ("annotate",)


@dataclass(frozen=True, kw_only=True)
class RolloutCompletesWithin:
    """A rollout is complete in time after the step that asked for it.

    Claims: within `at_most_s` of the beginning of each finished step `step` on the workload its
    status says that the rollout is complete: the present spec observed and, for a Deployment, all
    pods of its template and available, none old; a StatefulSet, all ready and all at or above the
    partition updated (without a partition also currentRevision = updateRevision); a DaemonSet, all
    scheduled ones updated and available. A step that another one on the workload overtakes, before
    it is complete and within `at_most_s`, does not count.
    Violated when: it is not complete by then, though the record goes on that long.
    Unknown when: no such step changed the workload, all were overtaken, the update strategy is
    OnDelete, the record ends too early, or the workload was not watched throughout.
    """

    workload: str
    kind: str
    at_most_s: float
    step: str = "set_image"

    name: ClassVar[str] = "rollout_completes_within"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        title = f"{self.workload} is rolled out within {self.at_most_s:g} s of {self.step}"
        found = Findings(title=title)
        events = _watched(found, history, self.kind, self.workload)
        done = [each for each in steps(history, self.step, self.workload) if each.done_ns]
        judge = _Judge(found, self.workload, self.at_most_s, f"after {self.step}")
        for step in done:
            rollout = _rollout(history, events, self.workload, step)
            if rollout is not None:
                judge.judge(rollout, step.started_ns, history.events[-1].time_ns)
        found.coverage |= {"steps": len(done), "rollouts judged": judge.judged}
        if not judge.judged:
            found.doubt(f"no step {self.step} changed {self.workload} without being overtaken")
        return conclude(self, found)


@dataclass(frozen=True, kw_only=True)
class RolloutOutlivesItsClient:
    """A rollout goes on in the cluster when the client that asked for it is gone.

    Claims: a rollout whose client went away before it was complete (its step `step` failed
    although the change had reached the server, or the fault `fault` was injected meanwhile) is
    complete within `at_most_s` of that moment.
    Violated when: it is not complete by then, though the record goes on that long.
    Unknown when: no client went away during a rollout, the fault was not seen in effect, a next
    step came first, the record ends too early, or the workload was not watched throughout.
    """

    workload: str
    kind: str
    at_most_s: float
    step: str = "set_image"
    fault: str = "client_killed"

    name: ClassVar[str] = "rollout_outlives_its_client"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"the rollout of {self.workload} outlives its client")
        events = _watched(found, history, self.kind, self.workload)
        judge = _Judge(found, self.workload, self.at_most_s, "after its client went away")
        for step in steps(history, self.step, self.workload):
            rollout = _rollout(history, events, self.workload, step)
            lost_ns = None if rollout is None else self._lost(found, history, step, rollout)
            if rollout is not None and lost_ns is not None:
                judge.judge(rollout, lost_ns, history.events[-1].time_ns)
        found.coverage["rollouts whose client went away"] = judge.judged
        if not judge.judged:
            found.doubt(f"no client went away during a rollout of {self.workload}")
        return conclude(self, found)

    def _lost(
        self, found: Findings, history: History, step: Step, rollout: "_Rollout"
    ) -> int | None:
        """When the client went away before the rollout was complete; None: it did not."""
        if step.failed:
            return rollout.changed.time_ns
        until_ns = rollout.next_step_ns if rollout.complete is None else rollout.complete.time_ns
        for window in fault_windows(history, self.fault):
            injected_ns = window.injected_ns
            if injected_ns is None or injected_ns < step.started_ns:
                continue
            if until_ns is None or injected_ns < until_ns:
                found.doubt(*window.doubts)
                return injected_ns
        return None


def rollout_completes_within(
    at_most_s: float, workload: Subject, *, kind: str | None = None, step: str = "set_image"
) -> RolloutCompletesWithin:
    """A rollout (of the workload's own or the given kind) is complete in time; see the class.

    Raises `UsageError` for a kind that has no rollouts.
    """
    return RolloutCompletesWithin(
        workload=name_of(workload), kind=_kind(workload, kind), at_most_s=at_most_s, step=step
    )


def rollout_outlives_its_client(
    at_most_s: float,
    workload: Subject,
    *,
    kind: str | None = None,
    step: str = "set_image",
    fault: str = "client_killed",
) -> RolloutOutlivesItsClient:
    """A rollout is completed without its client; see `RolloutOutlivesItsClient`.

    Raises `UsageError` for a kind that has no rollouts.
    """
    return RolloutOutlivesItsClient(
        workload=name_of(workload),
        kind=_kind(workload, kind),
        at_most_s=at_most_s,
        step=step,
        fault=fault,
    )


def next_step_ns(history: History, workload: str, after_ns: int) -> int | None:
    """When the next step on the workload after that moment began; None without one."""
    return min(
        (
            mark.time_ns
            for mark in history.of(StepMark)
            if mark.mark == "started"
            and mark.time_ns > after_ns
            and mark.name not in _WITHOUT_CHANGE
            and name_of(mark.target) == workload
        ),
        default=None,
    )


@dataclass(frozen=True)
class _Rollout:
    """A step's change, when it was complete, and the last state before the next step."""

    changed: Watched
    complete: Watched | None
    last: Watched
    next_step_ns: int | None


@dataclass
class _Judge:
    """Judges rollouts of one workload by one limit; `after` says from when it counts."""

    found: Findings
    workload: str
    at_most_s: float
    after: str
    judged: int = 0

    def judge(self, rollout: _Rollout, since_ns: int, end_ns: int) -> None:
        """Whether it was complete in time, unless a next step came first."""
        limit_ns = since_ns + int(self.at_most_s * 1e9)
        overtaken_ns = rollout.next_step_ns
        if rollout.complete is None and overtaken_ns is not None and overtaken_ns < limit_ns:
            return
        if (rollout.changed.object["spec"].get("updateStrategy") or {}).get("type") == "OnDelete":
            self.found.doubt(f"the update strategy of {self.workload} is OnDelete")
            return
        self.judged += 1
        status = _described(rollout.last.kind, rollout.last.object)
        if rollout.complete is not None:
            took_s = max(0, rollout.complete.time_ns - since_ns) / 1e9
            longest_s = max(took_s, self.found.figures.get("rollout_s", 0.0))
            self.found.figures["rollout_s"] = longest_s
            self.found.summary = f"complete {longest_s:.1f} s {self.after} at the latest"
            if rollout.complete.time_ns > limit_ns:
                text = f"{self.workload} complete only {took_s:.1f} s {self.after}"
                time_ns = rollout.complete.time_ns
                self.found.violate(time_ns, text, self.workload, weight=took_s)
        elif end_ns >= limit_ns:
            text = f"{self.workload} is not complete {self.at_most_s:g} s {self.after}: {status}"
            self.found.violate(limit_ns, text, self.workload, weight=self.at_most_s)
        else:
            self.found.doubt(f"the record ends too early: {status}")


def _kind(workload: Subject, kind: str | None) -> str:
    chosen = kind or kind_of(workload, "Deployment")
    if chosen not in _KINDS:
        raise UsageError(
            "has no rollouts", subject=f"kind {chosen}", next_step=f"name one of {_KINDS}"
        )
    return chosen


def _watched(found: Findings, history: History, kind: str, name: str) -> list[Watched]:
    events = [e for e in in_namespace(changes(history, kind), history) if e.name == name]
    require_watched(found, history, {event.uid for event in events}, [kind])
    if not events:
        found.doubt(f"{kind} {name} is not in the record")
    return events


def _rollout(
    history: History, events: Sequence[Watched], workload: str, step: Step
) -> _Rollout | None:
    """What became of a step up to the next one; None when it changed nothing."""
    overtaken_ns = next_step_ns(history, workload, step.started_ns)
    before = [_generation(event) for event in events if event.time_ns < step.started_ns]
    since = [
        event
        for event in events
        if event.time_ns >= step.started_ns
        and (overtaken_ns is None or event.time_ns < overtaken_ns)
        and event.change != "DELETED"
        and _generation(event) > (before[-1] if before else 0)
    ]
    if not since:
        return None
    complete = next((event for event in since if _is_rolled_out(event.kind, event.object)), None)
    return _Rollout(since[0], complete, since[-1], overtaken_ns)


def _generation(event: Watched) -> int:
    return int(event.object["metadata"].get("generation", 0))


def _is_rolled_out(kind: str, obj: Object) -> bool:
    """Whether its status says so, as `kubectl rollout status` judges, or stricter."""
    if kind == "Deployment":
        return is_complete(obj)
    status = obj.get("status") or {}
    if status.get("observedGeneration", 0) < obj["metadata"].get("generation", 0):
        return False
    if kind == "DaemonSet":
        desired = status.get("desiredNumberScheduled", 0)
        counts = status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0)
        return bool(min(counts) >= desired)
    desired = obj["spec"].get("replicas", 1)
    if status.get("readyReplicas", 0) != desired:
        return False
    rolling = (obj["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    partition = rolling.get("partition") or 0
    if not partition and status.get("currentRevision") != status.get("updateRevision"):
        return False
    return bool(status.get("updatedReplicas", 0) >= desired - partition)


def _described(kind: str, obj: Object) -> str:
    status = obj.get("status") or {}
    if kind == "DaemonSet":
        desired = status.get("desiredNumberScheduled", 0)
        updated, fine = status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0)
        return f"{updated} of {desired} pods updated, {fine} available"
    desired = obj["spec"].get("replicas", 1)
    name = "availableReplicas" if kind == "Deployment" else "readyReplicas"
    fine, all_pods = status.get(name, 0), status.get("replicas", 0)
    return (
        f"{status.get('updatedReplicas', 0)} of {desired} pods updated,"
        f" {fine} {name.removesuffix('Replicas')}, {all_pods} in all"
    )
