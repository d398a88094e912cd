"""Requests of hand-made histories."""

from collections.abc import Callable, Sequence

from chaoskit.history.events import LoadMark, PhaseMark
from chaoskit.history.requests import RequestRow
from tests.corpus.times import at


def steady(
    *,
    seconds: float = 60.0,
    rate_per_s: float = 100.0,
    start_s: float = 0.0,
    load: str = "load-1",
    stream: str = "kept via n1",
    connection: str = "kept",
    latency_s: float = 0.005,
    outcome: Callable[[float], str] = lambda _second: "ok",
    revision: str | None = "v1",
    operation: str = "read",
) -> list[RequestRow]:
    """One stream at a steady rate; `outcome` says how the slot planned at a second ended."""
    rows = []
    for slot in range(round(seconds * rate_per_s)):
        second = start_s + slot / rate_per_s
        how = outcome(second)
        ok, unsent = how == "ok", how == "unsent"
        rows.append(
            RequestRow(
                load=load,
                stream=stream,
                connection=connection,
                entry="n1",
                slot=slot,
                operation=operation,
                planned_ns=at(second),
                sent_ns=None if unsent else at(second) + 100_000,
                connected_ns=None if unsent else at(second) + 200_000,
                end_ns=None if unsent else at(second + latency_s),
                outcome=how,
                status=200 if ok else None,
                error=None if ok or unsent else "refused",
                error_phase=None if ok or unsent else "connect",
                pod="web-1" if ok else None,
                pod_uid="uid-web-1" if ok else None,
                revision=revision if ok else None,
            )
        )
    return rows


def bad_between(*spans: tuple[float, float], outcome: str = "fail") -> Callable[[float], str]:
    """An outcome for `steady`: ok except for slots planned in [start, end) of a span."""

    def of(second: float) -> str:
        return outcome if any(a - 1e-9 <= second < b - 1e-9 for a, b in spans) else "ok"

    return of


def load_marks(rows: Sequence[RequestRow], *, planned: int | None = None) -> list[LoadMark]:
    """A load that started before the rows, ended after them, and planned as many slots."""
    count = len(rows) if planned is None else planned
    load, streams = rows[0].load, sorted({row.stream for row in rows})
    first, last = rows[0].planned_ns, rows[-1].planned_ns
    return [
        LoadMark(time_ns=first, load_id=load, mark="started", rate_per_s=100, streams=streams),
        LoadMark(
            time_ns=last + 1,
            load_id=load,
            mark="stopped",
            rate_per_s=100,
            streams=streams,
            planned=count,
        ),
    ]


def delayed(
    rows: Sequence[RequestRow], start_s: float, end_s: float, lag_s: float
) -> list[RequestRow]:
    """The same rows, those planned in [start, end) sent so late by the driver, and ended later.

    Slots that were never sent stay as they are.
    """

    def late(row: RequestRow) -> RequestRow:
        sent_ns = row.planned_ns + round(lag_s * 1e9)
        took_ns = (row.end_ns or row.planned_ns) - row.planned_ns
        return row._replace(sent_ns=sent_ns, connected_ns=None, end_ns=sent_ns + took_ns)

    return [
        late(row) if row.sent_ns is not None and at(start_s) <= row.planned_ns < at(end_s) else row
        for row in rows
    ]


def slowed(
    rows: Sequence[RequestRow], start_s: float, end_s: float, latency_s: float
) -> list[RequestRow]:
    """The same rows, those planned in [start, end) and sent answered so long after that moment."""
    slow_ns = round(latency_s * 1e9)
    return [
        row._replace(end_ns=row.planned_ns + slow_ns)
        if row.sent_ns is not None and at(start_s) <= row.planned_ns < at(end_s)
        else row
        for row in rows
    ]


def answered_by(
    rows: Sequence[RequestRow], revision: Callable[[int], str | None]
) -> list[RequestRow]:
    """The same rows, each ok answer by the revision that its slot's number gives."""
    return [
        row._replace(revision=revision(row.slot)) if row.outcome == "ok" else row for row in rows
    ]


def phase_marks(phase: str, begin_s: float, end_s: float | None) -> list[PhaseMark]:
    """A phase of the run (end None: the record has none)."""
    begin = PhaseMark(time_ns=at(begin_s), phase=phase, mark="begin")
    if end_s is None:
        return [begin]
    return [begin, PhaseMark(time_ns=at(end_s), phase=phase, mark="end")]
