"""A rollout to something that cannot run: it stalls, undo restores, and nobody else is touched."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.bounds import resolved
from chaoskit.guarantees.objects.watched import (
    Object,
    Owned,
    Step,
    Subject,
    changes,
    container_statuses,
    is_leaving,
    is_ready,
    latest,
    name_of,
    owned_by,
    require_watched,
    steps,
    template_of,
)
from chaoskit.guarantees.rollouts.deployment_state import is_complete
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History

_REVISION = "deployment.kubernetes.io/revision"
_KINDS = ("Deployment", "ReplicaSet", "Pod")


@dataclass(frozen=True, kw_only=True)
class RolloutStalled:
    """A bad rollout shows its reason and goes no further until it is undone.

    Claims: within `within_s` of the bad step a container of a new pod waits with one of
    `reasons`, and up to the undo (or the end of the record) no pod of the new template becomes
    Ready and the rollout does not complete.
    Violated when: the reason is not shown in time, or a new pod becomes Ready.
    Unknown when: the step or its new pods are not on record, the undo came before `within_s` had
    passed without the reason, or watch events may be missing.
    """

    deployment: str
    reasons: tuple[str, ...]
    within_s: float
    step: str
    undo: str

    name: ClassVar[str] = "rollout_stalled"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"the bad rollout of {self.deployment} stalls")
        case = _case(history, found, self.deployment, self.step, self.undo)
        if case is None:
            return conclude(self, found)
        start_ns = case.bad.started_ns
        end_ns = case.undo.started_ns if case.undo is not None else history.events[-1].time_ns
        before = {case.owned.replica_set_of(e) for e in latest(case.owned.pods, start_ns).values()}
        new = [
            e
            for e in case.owned.pods
            if start_ns <= e.time_ns <= end_ns and case.owned.replica_set_of(e) not in before
        ]
        found.coverage["changes of new pods"] = len(new)
        if not new:
            found.doubt("no pod of a new revision is on record after the step")
            return conclude(self, found)
        self._judge_reason(found, new, case.bad.done_ns or start_ns, end_ns)
        for event in new:
            if is_ready(event.object):
                found.violate(event.time_ns, f"new pod {event.name} became Ready", event.name)
        for event in case.owned.workload:
            bad = template_of(event.object) != case.template_before
            if start_ns <= event.time_ns <= end_ns and bad and is_complete(event.object):
                found.violate(event.time_ns, "the bad rollout completed", self.deployment)
        return conclude(self, found)

    def _judge_reason(
        self, found: Findings, new: Sequence[Watched], start_ns: int, end_ns: int
    ) -> None:
        shown = next((e for e in new if _waiting_reasons(e.object) & set(self.reasons)), None)
        wanted = " or ".join(self.reasons)
        if shown is None:
            seen = sorted(set().union(*(_waiting_reasons(e.object) for e in new)))
            if end_ns - start_ns <= self.within_s * 1e9:
                found.doubt(f"it was undone before {self.within_s:g} s had passed without {wanted}")
            else:
                text = f"no new pod shows {wanted} in {self.within_s:g} s; seen: {seen}"
                found.violate(start_ns + int(self.within_s * 1e9), text, self.deployment)
            return
        took_s = max(0, shown.time_ns - start_ns) / 1e9
        found.figures["reason_after_s"] = took_s
        found.figures["stalled_s"] = (end_ns - shown.time_ns) / 1e9
        reasons = ", ".join(sorted(_waiting_reasons(shown.object)))
        found.summary = f"{shown.name} shows {reasons} after {took_s:.1f} s"
        if took_s > self.within_s:
            text = f"{shown.name} shows {reasons} only after {took_s:.1f} s"
            found.violate(shown.time_ns, text, shown.name)


@dataclass(frozen=True, kw_only=True)
class TemplateRestored:
    """Undo brings back the pod template, as a new revision of the same ReplicaSet.

    Claims: the template after the undo equals the one before the bad step, the revision number is
    higher than any before, and the ReplicaSet that had the template has it again (same uid).
    Violated when: one of the three is not so.
    Unknown when: the step, its undo, or the Deployment before and after are not on record, the
    undo failed, or watch events may be missing.
    """

    deployment: str
    step: str
    undo: str

    name: ClassVar[str] = "template_restored"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"undo restores the template of {self.deployment}")
        case = _case(history, found, self.deployment, self.step, self.undo)
        if case is None:
            return conclude(self, found)
        if case.undo is None or case.undo.done_ns is None:
            found.doubt(f"no finished step {self.undo} follows the step {self.step}")
            return conclude(self, found)
        # Dated by the end of what is judged: a change may be missing up to then.
        end_ns = _next_step_ns(history, case)
        last = _last_before_next_step(history, case)
        if last is None or last.time_ns < case.undo.started_ns:
            found.doubt("the deployment was not seen after the undo")
            return conclude(self, found)
        if template_of(last.object) != case.template_before:
            text = "its template differs from the one before the bad step"
            found.violate(end_ns, text, self.deployment)
        earlier = [e for e in case.owned.workload if e.time_ns < case.undo.started_ns]
        old = max(_revision(event.object) for event in earlier)
        new = _revision(last.object)
        if new <= old:
            text = f"its revision is {new}, not higher than {old} before"
            found.violate(end_ns, text, self.deployment)
        self._judge_replica_set(found, history, case, end_ns)
        found.figures |= {"revision_before": old, "revision_after": new}
        found.summary = found.summary or f"restored as revision {new}"
        return conclude(self, found)

    def _judge_replica_set(
        self, found: Findings, history: History, case: "_Case", end_ns: int
    ) -> None:
        sets = [e for e in changes(history, "ReplicaSet") if e.uid in case.owned.replica_sets]
        had = _sets_with(latest(sets, case.bad.started_ns).values(), case.template_before)
        have = _sets_with(latest(sets).values(), case.template_before)
        found.coverage["replica sets of the template"] = len(have)
        if not had:
            found.doubt("no ReplicaSet of the template was seen before the bad step")
        elif {e.uid for e in have} != {e.uid for e in had}:
            text = f"its ReplicaSet is {_names(have)}, not {_names(had)} as before the bad step"
            found.violate(end_ns, text, *(event.name for event in (*had, *have)))


@dataclass(frozen=True, kw_only=True)
class NoNeedlessRestart:
    """Pods that were Ready before a step that cannot succeed stay as they are.

    Claims: of the pods that were Ready when the step began, all but at most maxUnavailable keep
    their uid, and those that stay keep their restart counts, to the end of the record or the
    next step of that name.
    Violated when: a restart count rises or more pods go.
    Unknown when: the step or the pods before it are not on record, or events may be missing.
    """

    deployment: str
    step: str
    undo: str

    name: ClassVar[str] = "no_needless_restart"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"pods of {self.deployment} that were Ready are left alone")
        case = _case(history, found, self.deployment, self.step, self.undo)
        if case is None:
            return conclude(self, found)
        started_ns = case.bad.started_ns
        pods_before = latest(case.owned.pods, started_ns)
        before = {
            uid: event
            for uid, event in pods_before.items()
            if is_ready(event.object) and not is_leaving(event.object)
        }
        found.coverage["pods Ready before the step"] = len(before)
        if not before:
            found.doubt("no pod was Ready before the step")
        end_ns = _next_step_ns(history, case)
        gone: dict[str, Watched] = {}
        for event in case.owned.pods:
            if event.uid not in before or not started_ns < event.time_ns <= end_ns:
                continue
            if event.change == "DELETED" or is_leaving(event.object):
                gone.setdefault(event.uid, event)
                continue
            more = _restarts(event.object) - _restarts(before[event.uid].object)
            if more > 0:
                text = f"{event.name} was restarted {more} times"
                found.violate(event.time_ns, text, event.name)
        may_go = _may_go(case.deployment_before.object)
        for event in list(gone.values())[may_go:]:
            text = f"{event.name} was taken away (at most {may_go} may be)"
            found.violate(event.time_ns, text, event.name)
        found.figures["pods_taken_away"] = len(gone)
        found.summary = f"{len(before) - len(gone)} of {len(before)} Ready pods were left alone"
        return conclude(self, found)


def rollout_stalled(
    deployment: Subject,
    *,
    reason_in: Sequence[str] = ("ErrImagePull", "ImagePullBackOff"),
    within_s: float = 30.0,
    step: str = "set_image",
    undo: str = "undo",
) -> RolloutStalled:
    """A bad rollout shows its reason and goes no further; see `RolloutStalled`."""
    return RolloutStalled(
        deployment=name_of(deployment),
        reasons=tuple(reason_in),
        within_s=within_s,
        step=step,
        undo=undo,
    )


def template_restored(
    deployment: Subject, *, step: str = "set_image", undo: str = "undo"
) -> TemplateRestored:
    """Undo brings back template and ReplicaSet; see `TemplateRestored`."""
    return TemplateRestored(deployment=name_of(deployment), step=step, undo=undo)


def no_needless_restart(
    deployment: Subject, *, step: str = "set_image", undo: str = "undo"
) -> NoNeedlessRestart:
    """Pods that were Ready are left alone; see `NoNeedlessRestart`."""
    return NoNeedlessRestart(deployment=name_of(deployment), step=step, undo=undo)


@dataclass(frozen=True)
class _Case:
    """A bad step, what was there before it, and its undo."""

    bad: Step
    undo: Step | None
    owned: Owned
    deployment_before: Watched

    @property
    def template_before(self) -> Object:
        return template_of(self.deployment_before.object)


def _case(history: History, found: Findings, deployment: str, step: str, undo: str) -> _Case | None:
    """The last such step before the first undo (without undo, the last); doubts into `found`."""
    undone = next(iter(steps(history, undo, deployment)), None)
    bad = [
        each
        for each in steps(history, step, deployment)
        if undone is None or each.started_ns < undone.started_ns
    ]
    owned = owned_by(history, "Deployment", deployment)
    require_watched(found, history, owned.uids, _KINDS)
    if not bad:
        found.doubt(f"no step {step} on {deployment} is on record")
        return None
    before = list(latest(owned.workload, bad[-1].started_ns).values())
    if not before:
        found.doubt(f"deployment {deployment} was not seen before the step {step}")
        return None
    return _Case(bad[-1], undone, owned, before[-1])


def _next_step_ns(history: History, case: _Case) -> int:
    """When the next such step on the deployment began, else the end of the record."""
    later = [
        each.started_ns
        for name in (case.bad.name, "scale", "restart")
        for each in steps(history, name, name_of(case.bad.target))
        if each.started_ns > (case.bad if case.undo is None else case.undo).started_ns
    ]
    return min(later, default=history.events[-1].time_ns)


def _last_before_next_step(history: History, case: _Case) -> Watched | None:
    end_ns = _next_step_ns(history, case)
    seen = [event for event in case.owned.workload if event.time_ns <= end_ns]
    return seen[-1] if seen and seen[-1].change != "DELETED" else None


def _sets_with(events: Iterable[Watched], template: Object) -> list[Watched]:
    return [event for event in events if template_of(event.object) == template]


def _names(events: Sequence[Watched]) -> str:
    return ", ".join(f"{event.name} ({event.uid})" for event in events) or "none"


def _revision(deployment: Object) -> int:
    return int((deployment["metadata"].get("annotations") or {}).get(_REVISION, 0))


def _waiting_reasons(pod: Object) -> set[str]:
    waiting = [(s.get("state") or {}).get("waiting") or {} for s in container_statuses(pod)]
    return {entry["reason"] for entry in waiting if entry.get("reason")}


def _restarts(pod: Object) -> int:
    return sum(int(status.get("restartCount", 0)) for status in container_statuses(pod))


def _may_go(deployment: Object) -> int:
    spec = deployment["spec"]
    rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
    bounds = rolling.get("maxSurge", "25%"), rolling.get("maxUnavailable", "25%")
    return resolved(*bounds, spec.get("replicas", 1))[1]
