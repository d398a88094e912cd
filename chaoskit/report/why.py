"""Why a guarantee was VIOLATED or cannot be judged: what the record holds around the moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from chaoskit.guarantees.fault_windows import FaultWindow, fault_windows
from chaoskit.guarantees.intervals import FOREVER_NS
from chaoskit.guarantees.traffic.columns import integers, text_column
from chaoskit.guarantees.verdict import Outcome, Verdict, Witness
from chaoskit.history.events import FaultMark, LoadMark, Watched
from chaoskit.history.reader import History
from chaoskit.report.axis import TimeAxis
from chaoskit.report.evidence import moment_label
from chaoskit.report.failures import FailureTable
from chaoskit.report.happenings import Happening, happenings
from chaoskit.report.harness import suspect_spans
from chaoskit.report.things import Thing, Things

_AROUND_NS = 5_000_000_000
_FAILURES_AROUND_NS = 2_000_000_000
_ANSWERS_AROUND_NS = 1_000_000_000
_EVENTS_AT_MOST = 9
_FAILURES_AT_MOST = 4


@dataclass(frozen=True, kw_only=True)
class Around:
    """An event beside the moment; `offset` how long before or after it, `at_s` when."""

    offset: str
    at_s: float
    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Why:
    """What surrounds the first moment at which a verdict went wrong.

    `at_s` is None where no moment stands out; then `around` is how the record ends. `text` says
    what was seen, or what the moment is; `clock` the wall time, for other logs.
    """

    at_s: float | None
    moment: str
    clock: str
    text: str
    faults: tuple[str, ...]
    things: tuple[Thing, ...]
    failures: tuple[str, ...]
    answering: str
    around: tuple[Around, ...]


class Explainer:
    """Finds the surroundings of moments of one record. What it needs is read once.

    Raises `RecordError`, as all it does, for a record that contradicts itself.
    """

    def __init__(self, history: History, axis: TimeAxis, failures: FailureTable | None) -> None:
        self._history = history
        self._axis = axis
        self._failures = failures
        self._happened = happenings(history, axis.end_ns)
        self._things = Things(history.of(Watched))
        self._faults = fault_windows(history)

    def verdict(self, verdict: Verdict) -> Why | None:
        """Why it is not HELD; None where it is."""
        if verdict.outcome is Outcome.HELD:
            return None
        witness = verdict.evidence.first or self._doubtful_moment()
        if witness is None:
            return self._at(None, "No single moment: the record lacks what the claim needs.", [])
        texts = [*witness.objects, witness.text, verdict.title]
        return self._at(witness.time_ns, witness.text, texts)

    def ending(self) -> Why:
        """What a scenario that ended early did last."""
        return self._at(None, "The scenario ended here, before its record was judged.", [])

    def _at(self, time_ns: int | None, text: str, texts: Sequence[str]) -> Why:
        around_ns = self._axis.end_ns if time_ns is None else time_ns
        things = self._things.named(texts, around_ns)
        names = {thing.name for thing in things}
        return Why(
            at_s=None if time_ns is None else self._axis.second(time_ns),
            moment="" if time_ns is None else moment_label(time_ns, self._axis.start_ns),
            clock=self._clock(around_ns),
            text=text,
            faults=() if time_ns is None else tuple(self._faults_at(time_ns)),
            things=things,
            failures=() if time_ns is None else tuple(self._failures_at(time_ns)),
            answering="" if time_ns is None else self._answering(time_ns),
            around=tuple(self._around(around_ns, names)),
        )

    def _clock(self, time_ns: int) -> str:
        info = self._history.info
        if info is None or not info.started_wall_ns:
            return ""
        wall_ns = info.started_wall_ns + time_ns - info.started_ns
        return datetime.fromtimestamp(wall_ns / 1e9, UTC).strftime("%H:%M:%S UTC")

    def _doubtful_moment(self) -> Witness | None:
        """The first moment that makes the record doubtful, for a verdict without a witness."""
        found: list[Witness] = []
        for mark in self._history.of(FaultMark):
            if mark.mark in ("ineffective", "heal_failed"):
                words = f"{mark.name} on {mark.target} was {mark.mark.replace('_', ' ')}"
                found.append(Witness(time_ns=mark.time_ns, text=words, objects=[mark.target]))
        for load in self._history.of(LoadMark):
            if load.mark == "died":
                found.append(Witness(time_ns=load.time_ns, text=f"load {load.load_id} died"))
        for part in self._history.damage:
            words = f"from here on {part.holds} may be missing ({part.file})"
            found.append(Witness(time_ns=part.since_ns, text=words))
        for span in suspect_spans(self._history):
            found.append(Witness(time_ns=span.start_ns, text=span.title))
        return min(found, key=lambda one: one.time_ns, default=None)

    def _faults_at(self, time_ns: int) -> list[str]:
        active = [window for window in self._faults if window.contains(time_ns)]
        if active:
            return [_active(window, time_ns) for window in active]
        healed = [w for w in self._faults if w.end_ns < time_ns and w.end_ns != FOREVER_NS]
        if not healed:
            return []
        last = max(healed, key=lambda window: window.end_ns)
        ago_s = (time_ns - last.end_ns) / 1e9
        return [f"none; {last.name} on {last.target} had been healed {ago_s:.1f} s before"]

    def _failures_at(self, time_ns: int) -> list[str]:
        if self._failures is None:
            return []
        near = self._failures.between(time_ns - _FAILURES_AROUND_NS, time_ns + _FAILURES_AROUND_NS)
        return [
            f"{number} × {row.error_class} ({row.cause.replace('_', ' ')})"  # noqa: RUF001
            for number, row in near[:_FAILURES_AT_MOST]
        ]

    def _answering(self, time_ns: int) -> str:
        """Which revisions answered about then, and how often."""
        planned_ns = integers(self._history, "planned_ns")
        first, beyond = np.searchsorted(
            planned_ns, [time_ns - _ANSWERS_AROUND_NS, time_ns + _ANSWERS_AROUND_NS]
        )
        revision = text_column(self._history, "revision")
        codes = revision.codes[first:beyond]
        counts = np.bincount(codes[codes >= 0], minlength=len(revision.values)).tolist()
        told = [f"{n} by {v}" for n, v in zip(counts, revision.values, strict=True) if n]
        return ", ".join(told)

    def _around(self, time_ns: int, names: set[str]) -> list[Around]:
        """The nearest happenings, those about the objects concerned first; by time."""

        def distance(one: Happening) -> tuple[bool, bool, int]:
            away_ns = abs(one.time_ns - time_ns)
            is_about = any(name in one.text for name in names)
            return away_ns > _AROUND_NS, not (is_about or one.kind in ("fault", "step")), away_ns

        chosen = sorted(self._happened, key=distance)[:_EVENTS_AT_MOST]
        return [
            Around(
                offset=f"{(one.time_ns - time_ns) / 1e9:+.2f} s".replace("-", "−"),  # noqa: RUF001
                at_s=self._axis.second(one.time_ns),
                kind=one.kind,
                text=one.text,
            )
            for one in sorted(chosen, key=lambda one: one.time_ns)
        ]


def _active(window: FaultWindow, time_ns: int) -> str:
    since_ns = window.requested_ns if window.injected_ns is None else window.injected_ns
    since_s = (time_ns - since_ns) / 1e9
    words = f"{window.name} on {window.target}"
    when = f"for {since_s:.1f} s" if since_s >= 0 else "asked for, not yet injected"
    return f"{words}, {when}" + (f" (doubtful: {window.doubts[0]})" if window.doubts else "")
