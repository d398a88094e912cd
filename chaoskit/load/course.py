"""The rate of a load over time as a row of segments, its integral, and the inverse of that. Pure.

The integral of the rate is the expected number of slots up to a moment. Its inverse says when a
number is reached, and gives arrivals at a changing rate from arrivals at rate 1 (for Poisson ones:
Çinlar, Introduction to Stochastic Processes, 1975, section 4.7).
"""

import math
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple


class Segment(NamedTuple):
    """A stretch in which the rate changes evenly; `length_s` is infinite for the last one."""

    length_s: float
    from_per_s: float
    to_per_s: float

    @property
    def slots(self) -> float:
        """The expected number of slots in it."""
        if not math.isfinite(self.length_s):
            return math.inf if self.from_per_s > 0 else 0.0
        return self.length_s * (self.from_per_s + self.to_per_s) / 2

    def slots_by(self, time_s: float) -> float:
        """The expected number of slots in its first `time_s` seconds."""
        return time_s * (self.from_per_s + self._gain * time_s / 2)

    def time_of(self, slots: float) -> float:
        """The seconds from its beginning until so many slots are expected.

        The root of the quadratic in the form that loses no digits when the rate hardly changes.
        """
        if slots <= 0:
            return 0.0
        root = math.sqrt(max(self.from_per_s**2 + 2 * self._gain * slots, 0.0))
        return min(2 * slots / (self.from_per_s + root), self.length_s)

    @property
    def _gain(self) -> float:
        """The change of the rate per second."""
        rise = self.to_per_s - self.from_per_s
        return rise / self.length_s if rise else 0.0


class Course:
    """The rate over the whole time of a load, made of segments; pure."""

    def __init__(self, segments: Iterable[Segment]) -> None:
        self._segments = [each for each in segments if each.length_s > 0]
        lengths = [each.length_s for each in self._segments]
        slots = [each.slots for each in self._segments]
        self._begins_s = [0.0, *accumulate(lengths)][:-1]
        self._begins_slots = [0.0, *accumulate(slots)][:-1]
        self._total = self._begins_slots[-1] + slots[-1]

    def slots_by(self, time_s: float) -> float:
        """The expected number of slots in the first `time_s` seconds of the load."""
        index = bisect_right(self._begins_s, time_s) - 1
        within_s = min(time_s - self._begins_s[index], self._segments[index].length_s)
        return self._begins_slots[index] + self._segments[index].slots_by(within_s)

    def time_of(self, slots: float) -> float | None:
        """The moment, in seconds, at which so many slots are expected; None if they never are."""
        if slots >= self._total:
            return None
        index = bisect_right(self._begins_slots, slots) - 1
        segment = self._segments[index]
        return self._begins_s[index] + segment.time_of(slots - self._begins_slots[index])
