"""How late slots were sent: a histogram of constant size."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Self

_LINEAR_BITS = 7  # values keep their 7 leading bits: the error is below 1/64 of the value


class LagHistogram:
    """Counts lags in buckets of 1 µs up to 128 µs, then of at most 1/64 of the lag."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self.highest_ns = 0

    @classmethod
    def of_counts(cls, counts: Iterable[Mapping[int, int]]) -> Self:
        """Several histograms as one; the exact greatest lag is not among their counts."""
        merged = cls()
        for each in counts:
            merged._counts.update(each)
        return merged

    @property
    def counts(self) -> dict[int, int]:
        """How many lags lie in each bucket, called by its least lag in µs."""
        return dict(self._counts)

    def add(self, lag_ns: int) -> None:
        """Count one lag; a negative one (sent a moment early) counts as 0."""
        lag_us = max(lag_ns, 0) // 1000
        shift = max(lag_us.bit_length() - _LINEAR_BITS, 0)
        bucket = lag_us >> shift << shift
        self._counts[bucket] += 1
        self.highest_ns = max(self.highest_ns, lag_ns)

    def quantile_ms(self, quantile: float) -> float:
        """The lag in ms that `quantile` (0 to 1) of all slots did not exceed; 0 for no slots."""
        rank = quantile * self._counts.total()
        seen = 0
        for bucket in sorted(self._counts):
            seen += self._counts[bucket]
            if seen >= rank:
                return bucket / 1000
        return 0.0

    @property
    def highest_ms(self) -> float:
        """The greatest lag, exactly."""
        return self.highest_ns / 1e6
