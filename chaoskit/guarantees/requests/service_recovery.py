"""How soon requests are ok again, and stay so, once a fault is healed or a step is done."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.damage import lost_events
from chaoskit.guarantees.fault_windows import FaultWindow, fault_doubts, fault_windows
from chaoskit.guarantees.intervals import FOREVER_NS, Span, Times, united
from chaoskit.guarantees.objects.watched import name_of, steps
from chaoskit.guarantees.traffic.choice import StreamChoice
from chaoskit.guarantees.traffic.gaps import StreamSlots, streams_of
from chaoskit.guarantees.traffic.selection import phase_spans, select
from chaoskit.guarantees.traffic.suspect import Suspicion
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import StepMark
from chaoskit.history.reader import History

#: A time without an ok longer than this may hide failures: the driver stood still, users of a
#: closed loop waited, or the stream is too slow to tell.
UNSEEN_NS = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class ServiceRecoversWithin(StreamChoice):
    """Requests are ok again in time, and stay so.

    Claims: after each heal of the fault `after`, or each end of a step of the name `after_step`,
    every stream has recovered within `at_most_s`: from then on none of its slots is bad for
    `calm_s`. What is bad after such a calm is another disturbance. Of faults of that name, or
    steps, that overlap, the last end counts. With `phase`, only ends in that phase count.
    Violated when: the last bad slot of the disturbance was planned later than `at_most_s` after
    the end. Slots that harness-suspect seconds touch are taken as ok for this, and so is all that
    was bad while another fault was in effect or after the next disturbance had begun.
    Unknown when: it was not, but the first ok that shows the recovery came later (with all that
    is not charged taken as bad, and so a time without an ok for longer than 1 s), no calm was
    seen before the stream ended, no stream covers the end, there was none, a step failed or has
    no end, the fault was not proved in effect or not healed, the phase is not on record or has no
    end, parts of the record are missing, or a load died.
    Figures: `recovery_s` and `recovery_at_most_s`, the longest from both sides.
    """

    at_most_s: float
    after: str | None = None
    after_step: str | None = None
    calm_s: float = 5.0
    phase: str | None = None
    deadline_s: float | None = None

    name: ClassVar[str] = "service_recovers_within"
    version: ClassVar[int] = 2

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        chosen = select(history, self.whole_streams(), deadline_s=self.deadline_s)
        what = f"healed {self.after}" if self.after_step is None else f"step {self.after_step}"
        place = "" if self.phase is None else f" in phase {self.phase}"
        found = Findings(title=f"service recovers within {self.at_most_s:g} s of {what}{place}")
        lost = lost_events(history, None, None)
        found.doubt(*chosen.doubts, *lost)
        if lost:
            found.go_blind(0)  # a mark that is missing may end or explain what was bad
        ends = self._ends(history, found)
        if not ends:
            found.doubt(f"no {what} is in the record{place}")
        chosen.suspicion.write_into(found)
        streams = list(streams_of(chosen))
        recoveries = [each for end in ends for each in self._recoveries(found, end, streams)]
        found.coverage |= {"disturbances": len(ends), "recoveries": len(recoveries)}
        if recoveries:
            self._judge(found, recoveries, chosen.suspicion)
        return conclude(self, found)

    def _ends(self, history: History, found: Findings) -> list["_End"]:
        if self.after is not None:
            ends = _heals(history, found, self.after)
        else:
            ends = _steps_done(history, found, str(self.after_step))
        if self.phase is None:
            return ends
        spans, doubts = phase_spans(history, self.phase)
        found.doubt(*doubts)
        if doubts:
            found.go_blind(0)
        return [end for end in ends if any(a <= end.time_ns <= b for a, b in spans)]

    def _recoveries(
        self, found: Findings, end: "_End", streams: Sequence[StreamSlots]
    ) -> list["_Recovery"]:
        """That of each stream which has slots in the time allowed."""
        recoveries = []
        for stream in streams:
            first, last = stream.span
            if last < end.time_ns or first > end.time_ns + self.at_most_s * 1e9:
                continue
            if first > end.time_ns:
                found.doubt(f"stream {stream.name} began only after {end.text}")
            recoveries.append(_recovery(stream, end, round(self.calm_s * 1e9)))
        if not recoveries:
            found.doubt(f"no stream has planned slots after {end.text}")
        return recoveries

    def _judge(
        self, found: Findings, recoveries: Sequence["_Recovery"], suspicion: Suspicion
    ) -> None:
        limit_ns = self.at_most_s * 1e9
        longest = max(recoveries, key=lambda each: (each.lower_ns, each.upper_ns or FOREVER_NS))
        found.figures["recovery_s"] = longest.lower_ns / 1e9
        uppers = [each.upper_ns for each in recoveries if each.upper_ns is not None]
        if len(uppers) == len(recoveries):
            found.figures["recovery_at_most_s"] = max(uppers) / 1e9
        found.summary = f"{longest.text}; limit {self.at_most_s:g} s"
        for each in recoveries:
            if each.lower_ns > limit_ns:
                objects = (each.stream.name, each.stream.load, each.end.target)
                time_ns = each.end.time_ns + each.lower_ns
                found.violate(time_ns, each.text, *objects, weight=each.lower_ns)
            elif each.upper_ns is None or each.upper_ns > limit_ns:
                found.doubt(f"not sure in time: {each.text}", *each.excuses())
                if each.is_suspect:
                    found.doubt(*suspicion.delays())
            elif not each.is_calm:
                found.doubt(
                    f"stream {each.stream.name} was not seen without a bad slot for"
                    f" {self.calm_s:g} s after {each.end.text}"
                )


def service_recovers_within(
    at_most_s: float,
    *,
    after: str | None = None,
    after_step: str | None = None,
    calm_s: float = 5.0,
    phase: str | None = None,
    stream: str | None = None,
    connection: str | None = None,
    operation: str | None = None,
    user: str | None = None,
    deadline_s: float | None = None,
) -> ServiceRecoversWithin:
    """Requests are ok again within `at_most_s` of each heal of the fault `after`, and stay so.

    Or of each end of a step of the name `after_step`; see `ServiceRecoversWithin`. Raises
    `UsageError` for a limit or a calm that is not positive, and for none or both of `after` and
    `after_step`.
    """
    subject = "service_recovers_within"
    for name, seconds in (("at_most_s", at_most_s), ("calm_s", calm_s)):
        if seconds <= 0:
            raise UsageError("must be positive", subject=f"{subject}'s {name}", seen=seconds)
    if (after is None) == (after_step is None):
        seen = (after, after_step)
        raise UsageError("takes one of after= and after_step=", subject=subject, seen=seen)
    return ServiceRecoversWithin(
        at_most_s=at_most_s,
        after=after,
        after_step=after_step,
        calm_s=calm_s,
        phase=phase,
        stream=stream,
        connection=connection,
        operation=operation,
        user=user,
        deadline_s=deadline_s,
    )


@dataclass(frozen=True, kw_only=True)
class _End:
    """The end of a disturbance. What is bad from `charged_until_ns` on is not charged to it."""

    time_ns: int
    text: str
    target: str
    charged_until_ns: int = FOREVER_NS
    excuse: str = ""

    def bounded_by(self, span: Span, excuse: str) -> "_End":
        """The same, charged no longer than until that span begins."""
        if span[1] < self.time_ns or span[0] >= self.charged_until_ns:
            return self
        return replace(self, charged_until_ns=span[0], excuse=excuse)


@dataclass(frozen=True, kw_only=True)
class _Recovery:
    """How long after an end one stream was bad, from both sides (None: no limit known)."""

    stream: StreamSlots
    end: _End
    lower_ns: int
    upper_ns: int | None
    is_calm: bool
    is_suspect: bool
    is_excused: bool

    @property
    def text(self) -> str:
        upper = "?" if self.upper_ns is None else f"{self.upper_ns / 1e9:.3f}"
        return (
            f"stream {self.stream.name} of load {self.stream.load} was bad until"
            f" {self.lower_ns / 1e9:.3f} s (at most {upper} s) after {self.end.text}"
        )

    def excuses(self) -> list[str]:
        """Why some of what was bad is not charged."""
        return [f"{self.end.excuse}, so what was bad is not charged"] if self.is_excused else []


def _heals(history: History, found: Findings, fault: str) -> list[_End]:
    """When faults of that name were healed and none of them was left."""
    windows = fault_windows(history)
    own = [window for window in windows if window.name == fault]
    found.doubt(*fault_doubts(own, fault))
    if any(window.healed_ns is None for window in own):
        found.doubt(f"the record has no heal of {fault}")
    ends = {
        window.end_ns: _End(
            time_ns=window.end_ns,
            text=f"the heal of {fault} on {window.target}",
            target=window.target,
        )
        for window in own
    }
    others = [window for window in windows if window.name != fault]
    return _bounded(ends, [window.span for window in own], others, fault)


def _steps_done(history: History, found: Findings, name: str) -> list[_End]:
    """When steps of that name were done and none of them was still going on."""
    targets = {name_of(mark.target) for mark in history.of(StepMark) if mark.name == name}
    own = [step for target in targets for step in steps(history, name, target)]
    for step in own:
        if step.done_ns is None:
            found.doubt(f"the step {name} of {step.target} failed or has no end")
    ends = {
        step.done_ns: _End(
            time_ns=step.done_ns, text=f"{name} of {step.target}", target=step.target
        )
        for step in own
        if step.done_ns is not None
    }
    spans = [(step.started_ns, step.done_ns or FOREVER_NS) for step in own]
    return _bounded(ends, spans, fault_windows(history), name)


def _bounded(
    ends: dict[int, _End], spans: list[Span], others: Sequence[FaultWindow], name: str
) -> list[_End]:
    """The ends that no other span goes beyond, each with what may explain what was bad after it."""
    alone = united(spans)
    bounded = []
    for number, (_, end_ns) in enumerate(alone):
        if end_ns not in ends:  # it has none
            continue
        end = ends[end_ns]
        for start, later in alone[number + 1 :]:
            end = end.bounded_by((start, later), f"the next {name} had begun")
        for window in others:
            end = end.bounded_by(window.span, f"{window.name} was in effect")
        bounded.append(end)
    return bounded


def _recovery(stream: StreamSlots, end: _End, calm_ns: int) -> _Recovery:
    since = int(np.searchsorted(stream.planned_ns, end.time_ns))
    planned_ns, ok = stream.planned_ns[since:], stream.ok[since:]
    charged, shown_ns = stream.charged[since:], stream.shown_ns[since:]
    charged_ns = planned_ns[charged & (planned_ns < end.charged_until_ns)]
    bad_ns = np.r_[end.time_ns, charged_ns]
    ok_ns = np.r_[end.time_ns, np.sort(shown_ns[ok])]
    shown_at_ns = _until_calm(*_dark(ok_ns, planned_ns[~ok]), calm_ns)
    before = planned_ns <= shown_at_ns
    return _Recovery(
        stream=stream,
        end=end,
        lower_ns=_until_calm(bad_ns, bad_ns, calm_ns) - end.time_ns,
        upper_ns=None if shown_at_ns == FOREVER_NS else shown_at_ns - end.time_ns,
        is_calm=int(ok_ns[-1]) - shown_at_ns >= calm_ns,
        is_suspect=bool(np.any(before & ((~ok & ~charged) | (shown_ns > planned_ns)))),
        is_excused=bool(np.any(before & charged & (planned_ns >= end.charged_until_ns))),
    )


def _dark(ok_ns: Times, bad_ns: Times) -> tuple[Times, Times]:
    """The times between two oks that are not surely good: from when to when.

    The first one always: nothing showed the service to be there before it. The last one has no
    end if something is bad after the last ok.
    """
    is_dark = np.diff(ok_ns, append=ok_ns[-1]) > UNSEEN_NS
    is_dark[np.searchsorted(ok_ns, bad_ns, side="right") - 1] = True
    is_dark[0] = True
    return ok_ns[is_dark], np.r_[ok_ns[1:], FOREVER_NS][is_dark]


def _until_calm(begins: Times, ends: Times, calm_ns: int) -> int:
    """The end of the last bad time before the first calm."""
    is_calm = np.r_[begins[1:] - ends[:-1] >= calm_ns, True]
    return int(ends[np.argmax(is_calm)])
