"""Arithmetic on spans of time, in CLOCK_MONOTONIC nanoseconds."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

Times = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
#: Codes of texts take two bytes where there are few, so sums of them need a wider type.
Codes = np.ndarray[Any, np.dtype[np.signedinteger[Any]]]
Span = tuple[int, int]

#: Later than any moment of a record: the end of a span that has none.
FOREVER_NS = (1 << 63) - 1

#: So many rows are worked on at once where what is computed on the way is bigger than its result.
_BLOCK = 1 << 16


def united(spans: Iterable[Span]) -> list[Span]:
    """The same moments as sorted spans that do not touch."""
    result: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def shared(first: Sequence[Span], second: Sequence[Span]) -> list[Span]:
    """The moments in both."""
    return united((max(a[0], b[0]), min(a[1], b[1])) for a in united(first) for b in united(second))


def without(spans: Sequence[Span], taken: Sequence[Span]) -> list[Span]:
    """The moments of `spans` that are not in `taken`."""
    left = united(spans)
    for start, end in united(taken):
        left = [
            piece
            for a, b in left
            for piece in ((a, min(b, start)), (max(a, end), b))
            if piece[0] < piece[1]
        ]
    return left


def length_ns(spans: Iterable[Span]) -> int:
    """How long the spans are together; overlapping moments count once."""
    return sum(end - start for start, end in united(spans))


def blocks(rows: int) -> Iterator[slice]:
    """All of many rows, some ten thousand at a time."""
    for start in range(0, rows, _BLOCK):
        yield slice(start, min(start + _BLOCK, rows))


def counted(codes: Codes, values: int) -> Times:
    """How many rows have each of so many codes from 0 on; there is no other code."""
    counts = np.zeros(values, dtype=np.int64)
    for rows in blocks(len(codes)):
        counts += np.bincount(codes[rows], minlength=values)
    return counts


def places(mask: Mask) -> Codes:
    """Which of many rows have it."""
    found: Codes = np.empty(int(np.count_nonzero(mask)), dtype=np.int32)
    at = 0
    for rows in blocks(len(mask)):
        some = np.flatnonzero(mask[rows])
        found[at : at + len(some)] = some + rows.start
        at += len(some)
    return found


def touching(starts: Times, ends: Times, spans: Iterable[Span]) -> Mask:
    """Which of many [start, end] lie at least in part in one of a few spans."""
    mask = np.zeros(len(starts), dtype=np.bool_)
    for start, end in united(spans):
        mask |= (starts <= end) & (ends >= start)
    return mask
