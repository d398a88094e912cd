"""How long requests took: quantiles of each bucket of time, and few of the points behind them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]
Figures = npt.NDArray[np.float64]

#: Points kept of a bucket: its slowest request, and others spread evenly over the rest.
_POINTS_OF_A_BUCKET = 4


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Quantiles of each bucket (nan where it has no request), and points (`at_ns`, `point_ms`).

    The points are the slowest request of each bucket and some of the others: enough to see where
    a quantile comes from, and as many for a million requests as for a thousand.
    """

    p50_ms: Figures
    p99_ms: Figures
    at_ns: Times
    point_ms: Figures


def latency(bucket: Times, at_ns: Times, end_ns: Times, *, since_ns: Times, size: int) -> Latency:
    """Of requests in these buckets: how long each took since `since_ns`, by nearest rank."""
    took_ms = (end_ns - since_ns) / 1e6
    order = np.lexsort((took_ms, bucket))
    ordered = took_ms[order]
    counts = np.bincount(bucket, minlength=size)
    filled = np.flatnonzero(counts)
    starts = (np.cumsum(counts) - counts)[filled]
    found = []
    for share in (0.50, 0.99):
        figures = np.full(size, np.nan)
        figures[filled] = ordered[starts + _rank(share, counts[filled])]
        found.append(figures)
    shares = np.linspace(1.0, 0.0, _POINTS_OF_A_BUCKET, endpoint=False)
    places = np.unique([starts + _rank(share, counts[filled]) for share in shares])
    return Latency(
        p50_ms=found[0],
        p99_ms=found[1],
        at_ns=at_ns[order][places],
        point_ms=ordered[places],
    )


def _rank(share: float, counts: Times) -> Times:
    rank: Times = np.ceil(share * counts).astype(np.int64) - 1
    return np.maximum(rank, 0)
