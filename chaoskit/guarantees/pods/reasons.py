"""What cannot start says why: soon, by its reason, and in a message that names the cause."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.watched import (
    Step,
    Subject,
    kind_of,
    name_of,
    owned_by,
    require_watched,
    steps,
)
from chaoskit.guarantees.pods import showings
from chaoskit.guarantees.pods.showings import Showing
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import FaultMark, StepMark, Watched, WatchStarted
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class ReasonShown:
    """New pods that cannot start, or not become ready, say why.

    Claims: within `within_s` of each finished step `after` on the workload, a pod of it that was
    made since shows each of `reasons`, with a message that has one of `words` (none: any message),
    and each of `also`, whatever its message: in the state of a container, in a condition of the
    pod, or in an event of it. The summary names the object, its reason and its message.
    Violated when: one is not shown in time, though nobody did anything about it by then.
    Unknown when: there was no such step, it made no pod, the next step on the workload or a heal
    came before `within_s` had passed without the reason, or changes may be missing.
    """

    workload: str
    kind: str
    reasons: tuple[str, ...]
    words: tuple[str, ...]
    also: tuple[str, ...]
    within_s: float
    after: str

    name: ClassVar[str] = "reason_shown"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"{self.workload} shows {' and '.join(self._wanted)}")
        pods = owned_by(history, self.kind, self.workload).pods
        done = [step for step in steps(history, self.after, self.workload) if step.done_ns]
        if not done:
            found.doubt(f"no finished step {self.after} on {self.workload} is on record")
        for number, step in enumerate(done):
            until_ns = done[number + 1].started_ns if number + 1 < len(done) else None
            self._judge(found, history, step, _made_between(pods, step.started_ns, until_ns))
        return conclude(self, found)

    @property
    def _wanted(self) -> tuple[str, ...]:
        return (*self.reasons, *self.also)

    def _judge(self, found: Findings, history: History, step: Step, new: Sequence[Watched]) -> None:
        found.coverage["new pods"] = found.coverage.get("new pods", 0) + len({p.uid for p in new})
        start_ns = step.done_ns or step.started_ns
        limit_ns = start_ns + int(self.within_s * 1e9)
        shown = showings.of_pods(history, new)
        firsts = {reason: self._first(shown, reason) for reason in self._wanted}
        _tell(found, firsts, start_ns)
        late = {r: e for r, e in firsts.items() if e is None or e.time_ns > limit_ns}
        if not late:
            return
        # What was shown is proved by itself; what was not may be missing from the record.
        events = showings.events_of(history, {pod.uid for pod in new})
        owned = owned_by(history, self.kind, self.workload).uids
        kinds = [self.kind, "Pod", "Event"]
        require_watched(found, history, owned | {e.uid for e in events}, kinds, start_ns=start_ns)
        if not {"Pod", "Event"} <= {event.kind for event in history.of(WatchStarted)}:
            return
        if not new:
            found.doubt(f"the step {self.after} made no pod")
            return
        cut_ns = _left_alone_until(history, self.workload, start_ns)
        for reason, each in late.items():
            self._accuse(found, reason, each, start_ns, cut_ns, showings.told(shown))

    def _accuse(
        self,
        found: Findings,
        reason: str,
        showing: Showing | None,
        start_ns: int,
        cut_ns: int,
        seen: str,
    ) -> None:
        limit_ns = start_ns + int(self.within_s * 1e9)
        what = reason
        if self.words and reason not in self.also:
            what = f"{reason} with {' or '.join(map(repr, self.words))} in its message"
        if cut_ns < limit_ns:
            left_s = (cut_ns - start_ns) / 1e9
            found.doubt(f"it was left alone for {left_s:.1f} s only, without {what}")
        elif showing is not None:
            text = f"{showing} only after {(showing.time_ns - start_ns) / 1e9:.1f} s"
            found.violate(showing.time_ns, text, self.workload)
        else:
            text = (
                f"no new pod of {self.workload} shows {what} in {self.within_s:g} s; seen: {seen}"
            )
            found.violate(limit_ns, text, self.workload)

    def _first(self, shown: Sequence[Showing], reason: str) -> Showing | None:
        words = () if reason in self.also else self.words
        return next((each for each in shown if each.reason == reason and each.says(words)), None)


def reason_shown(
    workload: Subject,
    *reasons: str,
    message: str | Sequence[str] = (),
    also: Sequence[str] = (),
    within_s: float = 30.0,
    after: str = "set_image",
) -> ReasonShown:
    """New pods say why, in a message with one of these words; see `ReasonShown`.

    Raises `UsageError` when no reason is named.
    """
    if not (reasons or also):
        raise UsageError("names no reason", subject="reason_shown", next_step="name one to expect")
    return ReasonShown(
        workload=name_of(workload),
        kind=kind_of(workload, "Deployment"),
        reasons=reasons,
        words=showings.words_of(message),
        also=tuple(also),
        within_s=within_s,
        after=after,
    )


def _made_between(pods: Sequence[Watched], since_ns: int, until_ns: int | None) -> list[Watched]:
    """All changes of the pods that were first seen between these moments (None: to the end)."""
    first: dict[str, int] = {}
    for event in pods:
        first.setdefault(event.uid, event.time_ns)
    return [
        event
        for event in pods
        if first[event.uid] >= since_ns and (until_ns is None or first[event.uid] < until_ns)
    ]


def _tell(found: Findings, firsts: Mapping[str, Showing | None], start_ns: int) -> None:
    """What was shown first of each reason, and when."""
    told = [found.summary] if found.summary else []
    for reason, showing in firsts.items():
        if showing is not None:
            took_s = max(0, showing.time_ns - start_ns) / 1e9
            told.append(f"{showing} (after {took_s:.1f} s)")
            figure = f"{reason}_after_s"
            found.figures[figure] = max(took_s, found.figures.get(figure, 0.0))
    found.summary = "; ".join(told)


def _left_alone_until(history: History, workload: str, start_ns: int) -> int:
    """When somebody next did something that may help: a step on it, a heal; or the record's end."""
    acts = [
        mark.time_ns
        for mark in history.of(StepMark)
        if mark.mark == "started" and name_of(mark.target) == workload
    ]
    acts += [mark.time_ns for mark in history.of(FaultMark) if mark.mark == "heal_requested"]
    later = [time_ns for time_ns in acts if time_ns > start_ns]
    return min(later, default=history.events[-1].time_ns)
