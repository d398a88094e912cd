"""Times without an ok on one stream, bounded from both sides."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from chaoskit.guarantees.intervals import FOREVER_NS, Mask, Span, Times, blocks, counted
from chaoskit.guarantees.traffic.selection import Selected
from chaoskit.guarantees.traffic.suspect import LATE_NS

#: Stands for the missing ok before the first one; no record has so early a moment.
_OPEN_NS = 0


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A time without an ok on one stream.

    It lasted at least as long as one run of slots surely charged to the service (`lower`), and at
    most from the last ok before to the first ok after (`upper`); a missing ok leaves an open end.
    `is_suspect`: harness-suspect seconds may have hidden or lengthened it.
    """

    stream: str
    load: str
    lower: Span | None
    upper: tuple[int | None, int | None]
    is_suspect: bool

    @property
    def lower_ns(self) -> int:
        """At least this long."""
        return 0 if self.lower is None else self.lower[1] - self.lower[0]

    @property
    def upper_ns(self) -> int | None:
        """At most this long; None: no limit known."""
        start, end = self.upper
        return None if start is None or end is None else end - start

    def is_within(self, limit_ns: float) -> bool:
        """Whether it surely was no longer than that."""
        return self.upper_ns is not None and self.upper_ns <= limit_ns


@dataclass(frozen=True, kw_only=True)
class StreamSlots:
    """The chosen slots of one stream of one load, by planned time.

    `charged`: not ok, and surely to be charged to the service. `shown_ns`: the moment at which an
    ok shows that the service was there: when it was planned or, if the driver was late, sent.
    """

    name: str
    load: str
    planned_ns: Times
    shown_ns: Times
    ok: Mask
    charged: Mask

    @property
    def span(self) -> Span:
        """From the first to the last planned slot."""
        return int(self.planned_ns[0]), int(self.planned_ns[-1])


def streams_of(chosen: Selected) -> Iterator[StreamSlots]:
    """The chosen requests stream by stream; the same stream of two loads is two."""
    width = max(len(chosen.load.values), 1)
    group = chosen.stream.codes * np.int32(width) + chosen.load.codes
    charged, sent_ns = chosen.charged, chosen.sent_ns
    for code in np.flatnonzero(counted(group, width * len(chosen.stream.values))):
        mine = group == code
        rows = slice(None) if mine.all() else mine  # a slice is a view: it copies nothing
        stream, load = divmod(int(code), width)
        planned_ns = chosen.planned_ns[rows]
        yield StreamSlots(
            name=chosen.stream.values[stream],
            load=chosen.load.values[load],
            planned_ns=planned_ns,
            shown_ns=_shown_ns(planned_ns, sent_ns[rows]),
            ok=chosen.ok[rows],
            charged=charged[rows],
        )


def _shown_ns(planned_ns: Times, sent_ns: Times) -> Times:
    """When each ok shows that the service was there: as sent where that was late."""
    shown_ns = planned_ns
    for rows in blocks(len(planned_ns)):
        is_late = sent_ns[rows] - planned_ns[rows] > LATE_NS
        if is_late.any():
            if shown_ns is planned_ns:
                shown_ns = planned_ns.copy()
            shown_ns[rows][is_late] = sent_ns[rows][is_late]
    return shown_ns


def gaps_in(
    stream: StreamSlots, span: Span, *, longer_than_ns: float, cut_at_edges: bool
) -> list[Gap]:
    """The telling gaps of one stream that touch a span: the longest, and all beyond the limit.

    `cut_at_edges`: only what of them lies in the span counts.
    """
    within = span if cut_at_edges else (_OPEN_NS, FOREVER_NS)
    return [
        *_planned_gaps(stream, span, within, longer_than_ns),
        *_unseen_gaps(stream, span, within),
    ]


def _planned_gaps(
    stream: StreamSlots, span: Span, within: Span, longer_than_ns: float
) -> list[Gap]:
    """Gaps by planned time. Gap k lies between ok k-1 and ok k; both outermost are open."""
    start, end = span
    oks = stream.planned_ns if stream.ok.all() else stream.planned_ns[stream.ok]
    bad = np.flatnonzero(~stream.ok)
    gap_of_bad = bad - np.arange(len(bad))  # so many oks are before it
    longest = _longest(oks, set(gap_of_bad[[0, -1]].tolist()) if len(bad) else set(), span, within)
    if longest is None:
        return []
    has_uncharged = set(gap_of_bad[~stream.charged[bad]].tolist())

    def gap(number: int, lower: Span | None) -> Gap:
        return Gap(
            stream=stream.name,
            load=stream.load,
            lower=lower,
            upper=(
                _unless(_OPEN_NS, max(_ok(oks, number - 1), within[0])),
                _unless(FOREVER_NS, min(_ok(oks, number), within[1])),
            ),
            is_suspect=number in has_uncharged,
        )

    first, last = _charged_runs(stream)
    run_start = np.maximum(stream.planned_ns[first], within[0])
    run_end = np.minimum(stream.planned_ns[last], within[1])
    in_span = (run_start <= end) & (run_end >= start)
    run_ns = np.where(in_span, run_end - run_start, -1)
    picks = set(np.flatnonzero(run_ns > longer_than_ns).tolist())
    picks |= {int(np.argmax(run_ns))} if in_span.any() else set()
    gap_of_run = gap_of_bad[np.searchsorted(bad, first)]
    return [
        gap(longest, None),
        *(
            gap(int(gap_of_run[run]), (int(run_start[run]), int(run_end[run])))
            for run in sorted(picks)
        ),
    ]


def _ok(oks: Times, number: int) -> int:
    """When that ok was planned; before the first and after the last one there is none."""
    if number < 0:
        return _OPEN_NS
    return FOREVER_NS if number == len(oks) else int(oks[number])


def _unless(no_edge_ns: int, time_ns: int) -> int | None:
    return None if time_ns == no_edge_ns else time_ns


def _longest(oks: Times, with_bad: set[int], span: Span, within: Span) -> int | None:
    """The longest gap that touches the span, by the number of the ok that ends it.

    The two outermost are gaps only if there is a bad slot in them (`with_bad`).
    """
    start, end = span
    found: tuple[int, int] | None = None

    def consider(before: Times, after: Times, number: int) -> None:
        nonlocal found
        touched = (before <= end) & (after >= start)
        if not touched.any():
            return
        lengths = np.minimum(after, within[1]) - np.maximum(before, within[0])
        lengths = np.where(touched, lengths, -1)
        place = int(np.argmax(lengths))
        if found is None or lengths[place] > found[0]:
            found = int(lengths[place]), number + place

    outside = np.array([_OPEN_NS]), np.array([FOREVER_NS])
    if 0 in with_bad:
        consider(outside[0], oks[:1] if len(oks) else outside[1], 0)
    for rows in blocks(len(oks) - 1):
        consider(oks[rows], oks[rows.start + 1 : rows.stop + 1], rows.start + 1)
    if len(oks) and len(oks) in with_bad:
        consider(oks[-1:], outside[1], len(oks))
    return None if found is None else found[1]


def _charged_runs(stream: StreamSlots) -> tuple[Times, Times]:
    """The first and last slots of the runs that are surely the service's.

    A slot that is not charged may have been ok with a punctual driver, so it ends a run.
    """
    slots = np.flatnonzero(stream.charged)
    others_before = slots - np.arange(len(slots))
    begins = np.flatnonzero(np.r_[True, np.diff(others_before) > 0][: len(slots)])
    ends = np.r_[begins[1:], len(slots)][: len(begins)] - 1
    return slots[begins], slots[ends]


def _unseen_gaps(stream: StreamSlots, span: Span, within: Span) -> list[Gap]:
    """The longest time in which a late driver did not look, though every slot may be ok.

    A slot planned while the driver stood still and answered once it went on is ok, but an outage
    shorter than the lag passed unseen.
    """
    start, end = span
    late_ns = stream.planned_ns[stream.ok & (stream.shown_ns > stream.planned_ns)]
    if not len(late_ns):
        return []
    shown = np.sort(np.r_[stream.planned_ns[0], stream.shown_ns[stream.ok]])
    before, after = shown[:-1], shown[1:]
    touched = (before <= end) & (after >= start)
    if not touched.any():
        return []
    before, after = np.maximum(before, within[0]), np.minimum(after, within[1])
    longest = int(np.argmax(np.where(touched, after - before, -1)))
    if not np.any((late_ns >= before[longest]) & (late_ns <= after[longest])):
        return []  # the driver was late elsewhere: a gap by planned time is at least as long
    upper = int(before[longest]), int(after[longest])
    return [Gap(stream=stream.name, load=stream.load, lower=None, upper=upper, is_suspect=True)]


def longest_of(gaps: Sequence[Gap]) -> Gap:
    """The longest for sure; among equals the one that may have been longest."""
    return max(
        gaps, key=lambda gap: (gap.lower_ns, FOREVER_NS if gap.upper_ns is None else gap.upper_ns)
    )
