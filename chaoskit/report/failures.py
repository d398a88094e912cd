"""Failed requests by class and cause: how many, since when, and one of them in words."""

from dataclasses import dataclass

import numpy as np

from chaoskit.guarantees.attribution import attribution
from chaoskit.guarantees.intervals import Codes, Times
from chaoskit.history.reader import History
from chaoskit.report.axis import TimeAxis

_ROWS_AT_MOST = 24


@dataclass(frozen=True, kw_only=True)
class FailureRow:
    """The failures of one class that one cause explains; `example` is the first of them."""

    error_class: str
    cause: str
    count: int
    first_ns: int
    last_ns: int
    example: str


@dataclass(frozen=True, kw_only=True)
class FailureTable:
    """All failed requests of the load (neither the sampler's nor control streams').

    `rows` by count, at most so many that a person reads them (`left_out` is what they leave out);
    `classes` are the counts of each class in each bucket of time. `first`: which of `rows` each
    failure is of, -1 for none; `planned_ns` when it was planned.
    """

    total: int
    rows: tuple[FailureRow, ...]
    left_out: int
    classes: dict[str, Codes]
    planned_ns: Times
    row_of: Codes

    def between(self, start_ns: int, end_ns: int) -> list[tuple[int, FailureRow]]:
        """How many failures of which rows were planned between two moments, most first."""
        first, beyond = np.searchsorted(self.planned_ns, [start_ns, end_ns + 1])
        rows = self.row_of[first:beyond]
        counted = np.bincount(rows[rows >= 0], minlength=len(self.rows)).tolist()
        found = [(n, row) for n, row in zip(counted, self.rows, strict=True) if n]
        return sorted(found, key=lambda pair: -pair[0])


def failure_table(history: History, axis: TimeAxis) -> FailureTable:
    """Put every failure down to a cause, by the rules of `guarantees.attribution`.

    Raises `RecordError` for a record that contradicts itself.
    """
    causes = attribution(history)
    failures = causes.failures
    classes = failures.error_class
    size = int(axis.span_s // axis.bucket_s) + 1
    number = (failures.planned_ns - axis.start_ns) // (axis.bucket_s * 1_000_000_000)
    bucket = np.clip(number, 0, size - 1)
    key = classes.codes.astype(np.int64) * len(causes.causes) + causes.cause
    keys, first, of_key, counts = np.unique(
        key, return_index=True, return_inverse=True, return_counts=True
    )
    last = len(key) - 1 - np.unique(key[::-1], return_index=True)[1]
    kept = np.argsort(-counts, kind="stable")[:_ROWS_AT_MOST]
    row_of_key = np.full(len(keys), -1, dtype=np.int64)
    row_of_key[kept] = np.arange(len(kept))
    return FailureTable(
        total=causes.total,
        rows=tuple(
            FailureRow(
                error_class=classes.values[int(keys[place]) // len(causes.causes)],
                cause=causes.causes[int(keys[place]) % len(causes.causes)],
                count=int(counts[place]),
                first_ns=int(failures.planned_ns[first[place]]),
                last_ns=int(failures.planned_ns[last[place]]),
                example=causes.describe(int(first[place])),
            )
            for place in kept
        ),
        left_out=int(counts.sum() - counts[kept].sum()),
        classes={
            name: np.bincount(bucket[classes.codes == code], minlength=size)
            for code, name in enumerate(classes.values)
        },
        planned_ns=failures.planned_ns,
        row_of=row_of_key[of_key.reshape(-1)],
    )
