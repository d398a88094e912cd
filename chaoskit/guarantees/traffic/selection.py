"""Choosing the requests that a guarantee is about, as numpy columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from chaoskit.errors import RecordError
from chaoskit.guarantees.damage import (
    has_all_events,
    incomplete_loads,
    lost_events,
    lost_requests,
)
from chaoskit.guarantees.fault_windows import FaultWindow, fault_doubts, fault_windows
from chaoskit.guarantees.intervals import (
    FOREVER_NS,
    Codes,
    Mask,
    Span,
    Times,
    places,
    shared,
    touching,
    united,
)
from chaoskit.guarantees.traffic.choice import Choice
from chaoskit.guarantees.traffic.columns import TextColumn, ends_ns, integers, text_column
from chaoskit.guarantees.traffic.starved import doubtful_seconds_of
from chaoskit.guarantees.traffic.suspect import Suspicion, suspicion
from chaoskit.history.events import PhaseMark
from chaoskit.history.reader import History
from chaoskit.history.requests import CONTROL_STREAM, SAMPLER_STREAM

Column = TypeVar("Column", bound=np.ndarray[Any, Any])

#: The columns that a guarantee can choose by.
_CHOSEN_BY = ("stream", "connection", "operation")


@dataclass(frozen=True, kw_only=True)
class Selected:
    """The requests that are judged, by planned time.

    `rows` are their places in the `history`. `suspicion`: which of those not ok are not charged,
    as the driver was late. `is_whole`: no chosen request is missing from the record.
    `has_sure_windows`: no fault and no phase was named, or none of their marks is missing, so that
    each request is surely inside or outside.
    """

    history: History
    planned_ns: Times
    ok: Mask
    suspicion: Suspicion
    load: TextColumn
    stream: TextColumn
    rows: Codes
    doubts: list[str]
    is_whole: bool
    has_sure_windows: bool

    def __len__(self) -> int:
        return len(self.planned_ns)

    @property
    def sent_ns(self) -> Times:
        """When each was sent, -1 if unsent; taken anew each time, as few need it."""
        return self.taken(integers(self.history, "sent_ns"))

    @property
    def end_ns(self) -> Times:
        """When each ended, the planned time if unsent; taken anew as `sent_ns` is."""
        return self.taken(ends_ns(self.history))

    def taken(self, column: Column) -> Column:
        """What a column of all requests says of these; not copied where these are all."""
        if len(column) == len(self):
            return column
        some: Any = column[self.rows]
        of_these: Column = some
        return of_these

    @property
    def charged(self) -> Mask:
        """Which are not ok for reasons that are not the driver's."""
        return ~self.ok & ~self.suspicion.uncharged

    @property
    def can_accuse(self) -> bool:
        """Whether what was seen is enough to charge a share of the requests to the service."""
        return self.is_whole and self.has_sure_windows


def select(history: History, choice: Choice, *, deadline_s: float | None = None) -> Selected:
    """The chosen requests, without control streams, and without the sampler's.

    The sampler's are chosen only by a pattern for streams that begins as their names do: they are
    no part of what users sent. A request belongs to a fault's window when any moment between its
    planned time and its end does, and to a phase when it was planned in one of its spans. An ok
    that came later than `deadline_s` after its planned time is not ok. Raises `RecordError` for a
    phase that ends without having begun.
    """
    history.read("load", *_CHOSEN_BY, "outcome", "sent_ns", "end_ns")
    planned, end = integers(history, "planned_ns"), ends_ns(history)
    missing = incomplete_loads(history)
    place = _placed(history, choice)
    missing += _missing_chunks(history, place.spans)
    mask = _is_of(history, choice)
    place.narrow(mask, planned, end)
    load, stream = text_column(history, "load"), text_column(history, "stream")
    ok = text_column(history, "outcome").is_like("ok")
    decided = _decided_ns(planned, end, deadline_s)
    ok &= end <= decided
    if mask.all():  # a slice is a view: choosing everything copies nothing
        rows = np.arange(len(mask), dtype=np.int32)
        taken: slice | Codes = slice(None)
    else:
        taken = rows = places(mask)
    load = TextColumn(load.codes[taken], load.values)
    planned, ok = planned[taken], ok[taken]
    return Selected(
        history=history,
        planned_ns=planned,
        ok=ok,
        suspicion=suspicion(doubtful_seconds_of(history), load.codes, planned, decided[taken], ok),
        load=load,
        stream=TextColumn(stream.codes[taken], stream.values),
        rows=rows,
        doubts=[*missing, *place.doubts],
        is_whole=not missing,
        has_sure_windows=place.is_sure,
    )


def _decided_ns(planned_ns: Times, end_ns: Times, deadline_s: float | None) -> Times:
    """When it was known whether each is ok: at its end, or at its deadline if that came first.

    What missed its deadline failed then. A driver that is late when the answer comes at last, as
    it is when a hung service answers everything at once, excuses nothing.
    """
    if deadline_s is None:
        return end_ns
    decided: Times = np.minimum(end_ns, planned_ns + round(deadline_s * 1e9))
    return decided


def spans_of(windows: list[FaultWindow], settle_s: float = 0.0) -> list[Span]:
    """The spans of the windows, each made longer at its end."""
    settle_ns = int(settle_s * 1e9)
    return [
        (window.requested_ns, min(window.end_ns, FOREVER_NS - settle_ns) + settle_ns)
        for window in windows
    ]


def phase_spans(history: History, name: str) -> tuple[list[Span], list[str]]:
    """The spans of a phase, and what keeps them from being sure: none but for reasons to doubt.

    One that has no end lasts for ever. Raises `RecordError` for an end without a beginning.
    """
    spans: list[Span] = []
    begun: list[int] = []
    for mark in history.of(PhaseMark):
        if mark.phase != name:
            continue
        if mark.mark == "begin":
            begun.append(mark.time_ns)
        elif begun:
            spans.append((begun.pop(), mark.time_ns))
        elif has_all_events(history):
            raise RecordError("ended but never began", subject=f"phase {name}")
    doubts = lost_events(history, None, None)
    if not spans and not begun:
        doubts.append(f"the phase {name} is not in the record")
    if begun:
        doubts.append(f"the record has no end of the phase {name}")
    return united([*spans, *((start, FOREVER_NS) for start in begun)]), doubts


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where in time the chosen requests lie: `inside` and `phases` None where nothing is named."""

    inside: list[Span] | None
    outside: list[Span]
    phases: list[Span] | None
    doubts: list[str]
    is_sure: bool

    @property
    def spans(self) -> list[Span] | None:
        """The time in which they lie altogether; None: anywhere."""
        if self.inside is None or self.phases is None:
            return self.phases if self.inside is None else self.inside
        return shared(self.inside, self.phases)

    def narrow(self, mask: Mask, planned_ns: Times, end_ns: Times) -> None:
        """Leave out those that lie elsewhere."""
        if self.inside is not None:
            mask &= touching(planned_ns, end_ns, self.inside)
        if self.outside:
            mask &= ~touching(planned_ns, end_ns, self.outside)
        if self.phases is not None:
            mask &= touching(planned_ns, planned_ns, self.phases)


def _placed(history: History, choice: Choice) -> _Place:
    doubts: list[str] = []
    unsure: list[str] = []
    windows: list[Span] = []
    phases: list[Span] | None = None
    fault = choice.during or choice.outside
    if fault is not None:
        of_fault = fault_windows(history, fault)
        doubts = fault_doubts(of_fault, fault)
        unsure = lost_events(history, None, None)
        windows = spans_of(of_fault, choice.settle_s)
    if choice.phase is not None:
        phases, unsure = phase_spans(history, choice.phase)
    return _Place(
        inside=windows if choice.during is not None else None,
        outside=windows if choice.during is None else [],
        phases=phases,
        doubts=[*doubts, *unsure],
        is_sure=not unsure,
    )


def _is_of(history: History, choice: Choice) -> Mask:
    """Which requests have the values chosen by."""
    stream = text_column(history, "stream")
    mask = ~stream.is_like(f"{CONTROL_STREAM}*")
    if choice.stream is None or not choice.stream.startswith(SAMPLER_STREAM):
        mask &= ~stream.is_like(f"{SAMPLER_STREAM}*")
    for name in (*_CHOSEN_BY, "user"):
        pattern = getattr(choice, name)
        if pattern is not None:
            mask &= text_column(history, name).is_like(pattern)
    return mask


def _missing_chunks(history: History, spans: Sequence[Span] | None) -> list[str]:
    if spans is None:
        return lost_requests(history, None, None)
    return [doubt for start, end in spans for doubt in lost_requests(history, start, end)]
