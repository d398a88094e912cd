"""Which of a few spans each of many intervals touches, without looking at each pair."""

from collections.abc import Sequence

import numpy as np

from chaoskit.guarantees.intervals import FOREVER_NS, Codes, Span, Times


def touched_sets(
    spans: Sequence[Span], start_ns: Times, end_ns: Times
) -> tuple[Codes, list[tuple[int, ...]]]:
    """For each [start, end] the spans that it touches: a code into the different answers.

    Between two edges of the spans nothing changes, so intervals that begin between the same two
    edges, and end between the same two, have the same answer: one of them is looked at.
    """
    starts = np.array([start for start, _ in spans], dtype=np.int64)
    ends = np.array([end for _, end in spans], dtype=np.int64)
    beyond = np.minimum(ends, FOREVER_NS - 1) + 1
    edges = np.unique(np.concatenate((starts, beyond)))
    place = np.searchsorted(edges, start_ns, side="right") * (len(edges) + 1)
    place += np.searchsorted(edges, end_ns, side="right")
    _, first, kind = np.unique(place, return_index=True, return_inverse=True)
    code_of: dict[tuple[int, ...], int] = {}
    codes = np.zeros(len(first), dtype=np.int32)
    for number, one in enumerate(first):
        touched = np.flatnonzero((starts <= end_ns[one]) & (ends >= start_ns[one]))
        codes[number] = code_of.setdefault(tuple(touched.tolist()), len(code_of))
    return codes[kind.reshape(-1)], list(code_of)
