"""Steps that must come to nothing: refused with their reason, or skipped."""

from dataclasses import dataclass
from typing import Any, ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.availability_over_time import SLACK_NS
from chaoskit.guarantees.objects.watched import (
    Subject,
    changes,
    in_namespace,
    name_of,
    require_watched,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import StepMark, Watched
from chaoskit.history.reader import History

#: What the Deployment controller writes itself.
_CONTROLLERS = "deployment.kubernetes.io/"


@dataclass(frozen=True, kw_only=True)
class StepChangesNothing:
    """A step that cannot be done is refused with its reason, or skipped, and changes nothing.

    Claims: each step of the name `step` on the Deployment (with `detail`: only those whose mark
    says that, as "to 3") fails, and its error says `saying`; without `saying` it is skipped, that
    is, it ends well. Either way, spec, labels and annotations of the Deployment (its controller's
    own aside) are afterwards what they were, or it is not there as before.
    Violated when: such a step is done where it should be refused, or the other way round, says
    something else, or something has changed before the next step on the Deployment begins.
    Unknown when: no such step has ended on record, something has changed that may be the doing of a
    step that ended within 1 s before (its change may be seen late), or the Deployment was not
    watched throughout.
    """

    deployment: str
    step: str
    saying: str | None = None
    detail: str | None = None

    name: ClassVar[str] = "step_changes_nothing"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        what = self.step if self.detail is None else f"{self.step} {self.detail}"
        ending = "skipped" if self.saying is None else "refused"
        found = Findings(title=f"{what} of {self.deployment} is {ending} and changes nothing")
        events = [
            event
            for event in in_namespace(changes(history, "Deployment"), history)
            if event.name == self.deployment
        ]
        require_watched(found, history, {event.uid for event in events}, ["Deployment"])
        steps = _ended(history, self.deployment)
        chosen = [each for each in steps if self._is_meant(each)]
        for one in chosen:
            self._judge_end(found, one)
            self._judge_change(found, events, one, _span(steps, one))
        found.coverage[f"steps {what}"] = len(chosen)
        if not chosen:
            found.doubt(f"no step {what} of {self.deployment} has ended on record")
        return conclude(self, found)

    def _is_meant(self, one: "_Ended") -> bool:
        return one.started.name == self.step and self.detail in (None, one.started.detail)

    def _judge_end(self, found: Findings, one: "_Ended") -> None:
        text = one.ended.detail
        is_failed = one.ended.mark == "failed"
        if self.saying is None and is_failed:
            found.violate(one.end_ns, f"it was refused: {text}", self.deployment)
        elif self.saying is not None and not is_failed:
            found.violate(one.end_ns, "it was done, not refused", self.deployment)
        elif self.saying is not None and self.saying not in text:
            found.violate(one.end_ns, f"it does not say {self.saying!r}: {text}", self.deployment)
        elif self.saying is not None:
            lines = [line.strip() for line in text.splitlines() if self.saying in line]
            found.summary = lines[0] if lines else text

    def _judge_change(
        self, found: Findings, events: list[Watched], one: "_Ended", span: "_Span"
    ) -> None:
        before = [event for event in events if event.time_ns <= one.started.time_ns]
        since = [
            event
            for event in events
            if event.time_ns > one.started.time_ns
            and (span.until_ns is None or event.time_ns < span.until_ns)
        ]
        was = _wanted(before[-1]) if before else None
        for event in since:
            if _wanted(event) == was:
                continue
            text = f"{self.deployment} was changed by a step that changes nothing"
            if event.time_ns > span.earlier_until_ns:
                found.violate(event.time_ns, text, self.deployment)
                return
            found.doubt(f"{text}, or by the one just before it")
            was = _wanted(event)


def step_refused(
    deployment: Subject, step: str, saying: str, *, detail: str | None = None
) -> StepChangesNothing:
    """A step is refused with this reason, and nothing changed; see `StepChangesNothing`."""
    return StepChangesNothing(
        deployment=name_of(deployment), step=step, saying=saying, detail=detail
    )


def step_skipped(
    deployment: Subject, step: str, *, detail: str | None = None
) -> StepChangesNothing:
    """A step ends well and changes nothing; see `StepChangesNothing`."""
    return StepChangesNothing(deployment=name_of(deployment), step=step, detail=detail)


@dataclass(frozen=True)
class _Ended:
    started: StepMark
    ended: StepMark

    @property
    def end_ns(self) -> int:
        return self.ended.time_ns


@dataclass(frozen=True)
class _Span:
    """What is charged to a step: changes until the next one begins (None: to the end).

    Up to `earlier_until_ns` they may be those of the step before.
    """

    earlier_until_ns: int
    until_ns: int | None


def _span(steps: list[_Ended], one: _Ended) -> _Span:
    start_ns = one.started.time_ns
    later = [each.started.time_ns for each in steps if each.started.time_ns > one.end_ns]
    is_close = any(
        start_ns - SLACK_NS < each.end_ns <= start_ns and each.ended.mark == "done"
        for each in steps
    )
    return _Span(start_ns + SLACK_NS if is_close else start_ns, min(later, default=None))


def _ended(history: History, deployment: str) -> list[_Ended]:
    """All steps on the Deployment that have a beginning and an end, by beginning."""
    started: dict[str, StepMark] = {}
    found = []
    for mark in history.of(StepMark):
        if name_of(mark.target) != deployment or not mark.target.startswith("Deployment"):
            continue
        if mark.mark == "started":
            started[mark.step_id] = mark
        elif mark.step_id in started:
            found.append(_Ended(started[mark.step_id], mark))
    return sorted(found, key=lambda each: each.started.time_ns)


def _wanted(event: Watched) -> Any:
    """What its owner wants of it; None when it is not there."""
    if event.change == "DELETED":
        return None
    metadata = event.object["metadata"]
    notes = metadata.get("annotations") or {}
    own = {key: value for key, value in notes.items() if not key.startswith(_CONTROLLERS)}
    return event.object["spec"], metadata.get("labels") or {}, own
