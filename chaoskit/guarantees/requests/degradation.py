"""The longest time in which a stream got too few oks, second by second."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import conclude
from chaoskit.guarantees.intervals import (
    FOREVER_NS,
    Codes,
    Mask,
    Span,
    Times,
    blocks,
    counted,
    touching,
)
from chaoskit.guarantees.requests.runs import (
    JudgedTime,
    RunsOfStreams,
    judge_gaps,
    require_one_time,
)
from chaoskit.guarantees.traffic.gaps import Gap, StreamSlots, streams_of
from chaoskit.guarantees.traffic.words import percent
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History

#: The window whose share of ok is judged.
WINDOW_NS = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Degradation(RunsOfStreams):
    """No stream has too few oks for longer than `at_most_s`.

    An outage is a time without any ok; a service that answers every second request has none, and
    is degraded. Claims: in windows of 1 s, counted from the first slot of each stream, less than
    the share `below` of the planned slots was ok in no more than `at_most_s` in a row. With
    `during` or `phase`, runs of such windows that touch the fault's window or the phase count, in
    full length; with `after`, what is left of them once the fault is healed.
    Violated when: the lower bound exceeds the limit: in each window of a run the share was below,
    whatever became of slots that harness-suspect seconds touch, and from the first to the last
    bad slot of the run it took longer.
    Unknown when: only the upper bound exceeds it (the run with a window more on either side, as
    it may have begun and ended inside those; slots that harness-suspect seconds touch taken as
    bad, and windows without slots as too), a run touches the end of its stream, no stream covers
    the window or the phase, the fault was not proved in effect, the phase is not on record or has
    no end, requests may be missing, a load died.
    """

    below: float
    at_most_s: float

    name: ClassVar[str] = "degradation"
    version: ClassVar[int] = 3

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        share = f"below {percent(self.below)} ok"
        claim = f"no more than {self.at_most_s:g} s {share}"
        found, chosen, judged = self.begin(history, claim)
        coverage = {"streams": 0, "windows": 0, "degraded windows": 0}
        gaps: list[Gap] = []
        for slots in streams_of(chosen):
            windows = _Windows.of(slots, self.below)
            found.doubt(*judged.uncovered(slots))
            coverage["streams"] += 1
            coverage["windows"] += windows.count(judged)
            coverage["degraded windows"] += windows.count(judged, sure=True)
            gaps += windows.runs(judged)
        found.coverage |= coverage
        if not found.coverage["windows"]:
            found.doubt("no stream has planned slots in the time to be judged")
        elif not gaps:
            found.figures |= {"degradation_at_least_s": 0, "degradation_at_most_s": 0}
            found.summary = f"no second {share}"
        judge_gaps(
            found,
            gaps,
            chosen.suspicion,
            limit_s=self.at_most_s,
            what="degradation",
            saying=f"was {share} for",
        )
        if not (chosen.is_whole and judged.is_sure):
            found.go_blind(0)  # what is missing may hold oks in every window
        return conclude(self, found)


def degradation(
    below: float,
    at_most_s: float,
    *,
    during: str | None = None,
    after: str | None = None,
    phase: str | None = None,
    stream: str | None = None,
    connection: str | None = None,
    operation: str | None = None,
    user: str | None = None,
    deadline_s: float | None = None,
) -> Degradation:
    """No stream has a share of oks `below` this for longer than `at_most_s`; see `Degradation`.

    Raises `UsageError` for a share that is not above 0 and at most 1, a limit that is not
    positive, or more than one of `during`, `after` and `phase`.
    """
    if not 0 < below <= 1:
        raise UsageError(
            "is not a share above 0, and at most 1", subject="degradation's below", seen=below
        )
    if at_most_s <= 0:
        raise UsageError("must be positive", subject="degradation's at_most_s", seen=at_most_s)
    require_one_time("degradation", during, after, phase)
    return Degradation(
        below=below,
        at_most_s=at_most_s,
        during=during,
        after=after,
        phase=phase,
        stream=stream,
        connection=connection,
        operation=operation,
        user=user,
        deadline_s=deadline_s,
    )


@dataclass(frozen=True, kw_only=True)
class _Windows:
    """The windows of one stream.

    `window`: of each slot. `slots_in`: how many each has. `surely`, `maybe`: whose share of oks
    was below with only the charged slots bad, and with all bad that nobody saw to be ok in time.
    `unclear`: which have slots whose lateness makes the difference.
    """

    slots: StreamSlots
    window: Codes
    slots_in: Times
    surely: Mask
    maybe: Mask
    unclear: Mask

    @classmethod
    def of(cls, slots: StreamSlots, below: float) -> "_Windows":
        window: Codes = np.empty(len(slots.planned_ns), dtype=np.int32)
        for rows in blocks(len(window)):
            window[rows] = (slots.planned_ns[rows] - slots.planned_ns[0]) // WINDOW_NS
        size = int(window[-1]) + 1

        def having(mask: Mask) -> Times:
            return counted(window[mask], size)

        # An ok that was sent a window later or more says nothing about the one it was planned in.
        seen_ok = slots.ok & (slots.shown_ns < slots.planned_ns + WINDOW_NS)
        slots_in = counted(window, size)
        needed = below * slots_in - 1e-9
        return cls(
            slots=slots,
            window=window,
            slots_in=slots_in,
            surely=slots_in - having(slots.charged) < needed,
            maybe=(having(seen_ok) < needed) | (slots_in == 0),
            unclear=having(~seen_ok & ~slots.charged) > 0,
        )

    @property
    def origin_ns(self) -> int:
        """Where the first window begins."""
        return int(self.slots.planned_ns[0])

    def count(self, judged: JudgedTime, *, sure: bool = False) -> int:
        """How many windows with slots, or how many that surely were below, are judged."""
        places = np.flatnonzero(self.surely if sure else self.slots_in > 0)
        start_ns = self.origin_ns + places * WINDOW_NS
        return int(np.count_nonzero(touching(start_ns, start_ns + WINDOW_NS - 1, judged.spans)))

    def runs(self, judged: JudgedTime) -> list[Gap]:
        """The runs of windows that are judged, each bounded from both sides."""
        return [
            gap
            for first, last in _runs(self.maybe)
            for span in judged.spans
            if self._start_ns(first) <= span[1] and self._start_ns(last + 1) > span[0]
            for gap in self._bounded(
                first, last, span, span if judged.cut_at_edges else (0, FOREVER_NS)
            )
        ]

    def _bounded(self, first: int, last: int, span: Span, within: Span) -> list[Gap]:
        """One run of windows that may have been below, once for each part that surely was."""
        is_first = first == 0 and within[0] <= self.origin_ns
        is_last = last == len(self.maybe) - 1 and within[1] >= self._start_ns(last + 1)
        upper = (
            None if is_first else max(self._start_ns(first - 1), within[0]),
            None if is_last else min(self._start_ns(last + 2), within[1]),
        )
        lowers: list[Span | None] = []
        for begin, end in _runs(self.surely[first : last + 1]):
            bad_ns = self._charged_ns(first + begin, first + end)
            lower = max(int(bad_ns[0]), within[0]), min(int(bad_ns[-1]), within[1])
            if lower[0] <= span[1] and lower[1] >= span[0]:
                lowers.append(lower)
        return [
            Gap(
                stream=self.slots.name,
                load=self.slots.load,
                lower=lower,
                upper=upper,
                is_suspect=bool(self.unclear[first : last + 1].any()),
            )
            for lower in lowers or [None]
        ]

    def _charged_ns(self, first: int, last: int) -> Times:
        """When the charged slots of these windows were planned."""
        begin = np.searchsorted(self.window, first, side="left")
        beyond = np.searchsorted(self.window, last, side="right")
        return self.slots.planned_ns[begin:beyond][self.slots.charged[begin:beyond]]

    def _start_ns(self, window: int) -> int:
        return self.origin_ns + window * WINDOW_NS


def _runs(mask: Mask) -> list[tuple[int, int]]:
    """The first and last place of each unbroken run."""
    edges = np.diff(np.r_[False, mask, False].astype(np.int8))
    first, beyond = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return list(zip(first.tolist(), (beyond - 1).tolist(), strict=True))
