"""A rollout that stands still says so when its progress deadline is over, and not before."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from chaoskit.errors import RecordError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.watched import (
    Object,
    Subject,
    condition,
    is_leaving,
    name_of,
    owned_by,
    require_watched,
    watched_from,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History

_EXCEEDED = "ProgressDeadlineExceeded"
_COMPLETE = "NewReplicaSetAvailable"

#: With these reasons the controller does not wait for progress: it is complete, it is paused, or
#: no ReplicaSet could be created (it then tries that alone).
_NOT_WAITING = (_COMPLETE, "DeploymentPaused", "ReplicaSetCreateError")

#: A progressDeadlineSeconds of this means that there is none.
_NO_DEADLINE = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class ProgressDeadlineReported:
    """A rollout without progress for progressDeadlineSeconds is reported, in time and rightly.

    Claims: the condition Progressing becomes False with reason ProgressDeadlineExceeded at most
    `slack_s` after the deadline, counted from the last progress, and not before. Progress is what
    the Deployment controller takes for it (Kubernetes 1.36, DeploymentProgressing: more pods of
    the new template, fewer old ones, more ready, more available, a new ReplicaSet, a resume) and
    dates in the condition's lastUpdateTime, whole seconds. A rollout that is complete or paused
    is never reported. With `deadline_s` that is the deadline, whatever the Deployment says: the one
    that was promised.
    Violated when: a report comes early, late, never, while paused or after completion.
    Unknown when: no rollout stood still for its deadline, or the Deployment was not watched
    throughout.
    """

    deployment: str
    slack_s: float = 5.0
    deadline_s: int | None = None

    name: ClassVar[str] = "progress_deadline_reported"
    version: ClassVar[int] = 2

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"{self.deployment} reports that its rollout stands still")
        owned = owned_by(history, "Deployment", self.deployment)
        uids = {event.uid for event in owned.workload}
        require_watched(found, history, uids, ["Deployment"])
        walk = _Walk(self, found)
        from_version = watched_from(history, "Deployment")
        for event in owned.workload:
            walk.take(event, judged=event.resource_version > from_version)
        if not owned.workload:
            found.doubt(f"deployment {self.deployment} is not in the record")
            return conclude(self, found)
        walk.judge_silence(history.events[-1].time_ns)
        found.coverage["deadlines reported"] = walk.reports
        if not walk.reports:
            found.doubt("no rollout stood still until its progress deadline")
        return conclude(self, found)


def progress_deadline_reported(
    deployment: Subject, *, slack_s: float = 5.0, deadline_s: int | None = None
) -> ProgressDeadlineReported:
    """A rollout that stands still is reported in time; see `ProgressDeadlineReported`."""
    return ProgressDeadlineReported(
        deployment=name_of(deployment), slack_s=slack_s, deadline_s=deadline_s
    )


@dataclass
class _Walk:
    """The Deployment, change by change."""

    rule: ProgressDeadlineReported
    found: Findings
    last: Watched | None = None
    #: Since when the controller waits for progress, and until when it has to report.
    since_ns: int | None = None
    due_ns: int | None = None
    reports: int = 0
    accused: set[tuple[str, str]] = field(default_factory=set)

    def take(self, event: Watched, *, judged: bool) -> None:
        """Judge the next change against the one before, then take it in."""
        before = self.last
        if judged and before is not None and before.uid == event.uid:
            is_new = _is_exceeded(event.object) and not _is_exceeded(before.object)
            if is_new and event.change != "DELETED":
                self._judge_report(before, event)
            else:
                self.judge_silence(event.time_ns)
        self._wait_from(event)
        self.last = event

    def judge_silence(self, until_ns: int) -> None:
        """Nothing was reported until then: was something due? One wait is accused once."""
        if self.last is None or self.since_ns is None or self.due_ns is None:
            return
        wait = _wait_of(self.last)
        if until_ns > self.due_ns and wait not in self.accused:
            self.accused.add(wait)
            waited_s = (self.due_ns - self.since_ns) / 1e9
            text = f"no progress for {waited_s:.1f} s and no {_EXCEEDED}"
            self.found.violate(self.due_ns, text, self.last.name, weight=waited_s)

    def _judge_report(self, before: Watched, event: Watched) -> None:
        deadline_s = self._deadline_s(before.object)
        reason = condition(before.object, "Progressing").get("reason")
        self.reports += 1
        wrong = None
        if event.object["spec"].get("paused"):
            wrong = "while it is paused"
        elif reason == _COMPLETE:
            wrong = "after the rollout was complete"
        elif reason is None or deadline_s is None:
            wrong = "without a deadline to wait for"
        if wrong is not None or deadline_s is None:
            self.found.violate(event.time_ns, f"{_EXCEEDED} {wrong}", event.name)
            return
        took_s = _seconds(_updated(event.object), event) - _seconds(_updated(before.object), before)
        self.found.figures["reported_after_s"] = max(
            took_s, self.found.figures.get("reported_after_s", 0.0)
        )
        self.found.summary = f"reported {took_s:g} s after the last progress ({deadline_s:g} s)"
        text = f"{_EXCEEDED} {took_s:g} s after the last progress, where {deadline_s:g} s are given"
        # A deadline that was moved meanwhile may have come due only now.
        is_due = self.due_ns is not None and event.time_ns > self.due_ns
        is_late = took_s > deadline_s + self.rule.slack_s and is_due
        if took_s < deadline_s or (is_late and _wait_of(before) not in self.accused):
            self.found.violate(event.time_ns, text, event.name, weight=took_s)

    def _deadline_s(self, deployment: Object) -> int | None:
        promised_s = self.rule.deadline_s
        return _deadline_s(deployment) if promised_s is None else promised_s

    def _wait_from(self, event: Watched) -> None:
        obj, before = event.object, self.last
        deadline_s = self._deadline_s(obj)
        reason = condition(obj, "Progressing").get("reason")
        is_waiting = reason is not None and reason not in _NOT_WAITING and not _is_exceeded(obj)
        is_gone = event.change == "DELETED" or is_leaving(obj)
        if not is_waiting or is_gone or obj["spec"].get("paused") or deadline_s is None:
            self.since_ns = self.due_ns = None
            return
        if self.since_ns is None or before is None or _wait_of(before) != _wait_of(event):
            self.since_ns = event.time_ns
        elif self._deadline_s(before.object) == deadline_s:
            return
        allowed_ns = int((deadline_s + self.rule.slack_s) * 1e9)
        moved_ns = event.time_ns + int(self.rule.slack_s * 1e9)
        self.due_ns = max(self.since_ns + allowed_ns, moved_ns)


def _is_exceeded(deployment: Object) -> bool:
    progressing = condition(deployment, "Progressing")
    return progressing.get("reason") == _EXCEEDED and progressing.get("status") == "False"


def _deadline_s(deployment: Object) -> int | None:
    deadline_s = deployment["spec"].get("progressDeadlineSeconds")
    return None if deadline_s is None or deadline_s == _NO_DEADLINE else int(deadline_s)


def _updated(deployment: Object) -> str:
    return str(condition(deployment, "Progressing").get("lastUpdateTime", ""))


def _wait_of(event: Watched) -> tuple[str, str]:
    """What tells one wait for progress from another."""
    return event.uid, _updated(event.object)


def _seconds(stamp: str, event: Watched) -> float:
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except ValueError:
        raise RecordError(
            "has a condition Progressing without a time",
            subject=f"watched Deployment {event.name}",
            seen=stamp or None,
        ) from None
