"""Requests counted into buckets of time: what a report draws instead of single requests."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from chaoskit.history.requests import CONTROL_STREAM
from chaoskit.report.axis import TimeAxis
from chaoskit.report.latency import Latency, latency

Counts = npt.NDArray[np.int64]
Column: TypeAlias = "pa.ChunkedArray[Any]"

#: What is counted.
COLUMNS = ("stream", "planned_ns", "sent_ns", "end_ns", "outcome", "error", "pod", "revision")


@dataclass(frozen=True, kw_only=True)
class StreamBuckets:
    """One stream: planned slots and those answered ok per bucket; `why` counts the others."""

    stream: str
    planned: Counts
    ok: Counts
    why: dict[int, dict[str, int]] = field(default_factory=dict)

    @property
    def control(self) -> bool:
        """Whether it goes to a target that no fault touches and says nothing of the service."""
        return self.stream.startswith(CONTROL_STREAM)


@dataclass(frozen=True, kw_only=True)
class Buckets:
    """All requests of a record, `bucket_s` seconds a bucket, counted by planned time.

    `sent` counts by the time of sending, `unsent` slots that never were. `response` is the time
    of ok requests from when they were planned, `service` the time from when they were sent.
    `revisions` and `pods` are ok answers by who gave them. All of these, `planned` and `ok` leave
    out the control streams.
    """

    bucket_s: int
    streams: tuple[StreamBuckets, ...]
    sent: Counts
    unsent: Counts
    response: Latency
    service: Latency
    revisions: dict[str, Counts]
    pods: dict[str, Counts]

    @property
    def planned(self) -> Counts:
        return _total([s.planned for s in self.streams if not s.control], len(self.sent))

    @property
    def ok(self) -> Counts:
        return _total([s.ok for s in self.streams if not s.control], len(self.sent))


def _total(parts: list[Counts], length: int) -> Counts:
    return np.sum(parts, axis=0) if parts else np.zeros(length, dtype=np.int64)


def count(requests: pa.Table, axis: TimeAxis) -> Buckets:
    """Count all requests; the work grows with the requests, the answer only with the time."""
    table = requests.select(list(COLUMNS))
    size = int(axis.span_s // axis.bucket_s) + 1
    planned_ns = _numbers(table.column("planned_ns"))
    sent_ns = _numbers(table.column("sent_ns"))
    bucket = _bucket(planned_ns, axis, size)
    stream, streams = _codes(table.column("stream"))
    outcome, outcomes = _codes(table.column("outcome"))
    ok = outcome == _code_of("ok", outcomes)
    control = [code for code, name in enumerate(streams) if name.startswith(CONTROL_STREAM)]
    of_service = ~np.isin(stream, control)
    served, sent = ok & of_service, of_service & (sent_ns > 0)
    end_ns = _numbers(table.column("end_ns"))
    of_ok = bucket[served], planned_ns[served], end_ns[served]
    why = _why(table, ~ok, stream, bucket)
    counted = tuple(
        StreamBuckets(
            stream=name,
            planned=np.bincount(bucket[stream == code], minlength=size),
            ok=np.bincount(bucket[(stream == code) & ok], minlength=size),
            why=why.get(code, {}),
        )
        for code, name in sorted(enumerate(streams), key=lambda pair: pair[1])
        if (stream == code).any()
    )
    return Buckets(
        bucket_s=axis.bucket_s,
        streams=counted,
        sent=np.bincount(_bucket(sent_ns[sent], axis, size), minlength=size),
        unsent=np.bincount(
            bucket[of_service & (outcome == _code_of("unsent", outcomes))], minlength=size
        ),
        response=latency(*of_ok, since_ns=planned_ns[served], size=size),
        service=latency(*of_ok, since_ns=sent_ns[served], size=size),
        revisions=_answers(table.column("revision"), served, bucket, size),
        pods=_answers(table.column("pod"), served, bucket, size),
    )


def _bucket(times_ns: Counts, axis: TimeAxis, size: int) -> Counts:
    number: Counts = (times_ns - axis.start_ns) // (axis.bucket_s * 1_000_000_000)
    return np.clip(number, 0, size - 1)


def _code_of(word: str, words: list[str]) -> int:
    return words.index(word) if word in words else -2


def _numbers(column: Column) -> Counts:
    whole: Any = column
    return np.asarray(whole.fill_null(0).to_numpy(), dtype=np.int64)


def _codes(column: Column) -> tuple[Counts, list[str]]:
    """Each value's number in the list of distinct values; -1 for null."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    chunks: list[Any] = column.unify_dictionaries().chunks
    if not chunks:
        return np.zeros(0, dtype=np.int64), []
    codes = [np.asarray(chunk.indices.fill_null(-1), dtype=np.int64) for chunk in chunks]
    return np.concatenate(codes), [str(value) for value in chunks[0].dictionary.to_pylist()]


def _why(
    table: pa.Table, bad: npt.NDArray[np.bool_], stream: Counts, bucket: Counts
) -> dict[int, dict[int, dict[str, int]]]:
    """Of requests that were not ok: stream → bucket → error class (else outcome) → count."""
    error, errors = _codes(table.column("error"))
    outcome, outcomes = _codes(table.column("outcome"))
    words = errors + outcomes
    word = np.where(error >= 0, error, outcome + len(errors))[bad]
    keys = np.stack([stream[bad], bucket[bad], word])
    found: dict[int, dict[int, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    unique, counts = np.unique(keys, axis=1, return_counts=True)
    for (code, number, which), times in zip(unique.T.tolist(), counts.tolist(), strict=True):
        found[code][number][words[which]] = times
    return found


def _answers(
    column: Column, ok: npt.NDArray[np.bool_], bucket: Counts, size: int
) -> dict[str, Counts]:
    code, names = _codes(column)
    return {
        name: np.bincount(bucket[ok & (code == number)], minlength=size)
        for number, name in sorted(enumerate(names), key=lambda pair: pair[1])
        if (ok & (code == number)).any()
    }
