"""How the rate of a load goes over time, as frozen values checked where they are made."""

import math
from collections import deque
from collections.abc import Iterable
from functools import cached_property

import msgspec

from chaoskit.load.checks import check_range, refused
from chaoskit.load.course import Course, Segment

#: Bound on the length of a part of a shape: that of a load.
_LONGEST_S = 24 * 3600.0
#: Bound on a rate here; the plan's own bound is lower and names the load.
_HIGHEST_PER_S = 1e9
MAX_LEVELS = 1_000
#: A replay is held as a list of numbers, in this process and in the load's.
MAX_ARRIVALS = 1_000_000
_SECOND_NS = 1_000_000_000


class Constant(msgspec.Struct, frozen=True, kw_only=True, tag="constant"):
    """The same rate all the time."""

    rate_per_s: float

    def __post_init__(self) -> None:
        check_range("a constant rate", "rate_per_s", self.rate_per_s, 0.0, _HIGHEST_PER_S)

    @property
    def highest_per_s(self) -> float:
        """The highest rate."""
        return self.rate_per_s

    @property
    def course(self) -> Course:
        """The rate over time."""
        return Course([_onwards(self.rate_per_s)])

    @property
    def described(self) -> str:
        """For people."""
        return f"{self.rate_per_s:g}/s"


class Ramp(msgspec.Struct, frozen=True, kw_only=True, tag="ramp"):
    """From one rate to another evenly in `over_s`, and then on at that."""

    from_per_s: float
    to_per_s: float
    over_s: float

    def __post_init__(self) -> None:
        check_range("a ramp", "from_per_s", self.from_per_s, 0.0, _HIGHEST_PER_S)
        check_range("a ramp", "to_per_s", self.to_per_s, 0.0, _HIGHEST_PER_S)
        check_range("a ramp", "over_s", self.over_s, 0.001, _LONGEST_S)

    @property
    def highest_per_s(self) -> float:
        """The highest rate."""
        return max(self.from_per_s, self.to_per_s)

    @property
    def course(self) -> Course:
        """The rate over time."""
        return Course(
            [Segment(self.over_s, self.from_per_s, self.to_per_s), _onwards(self.to_per_s)]
        )

    @property
    def described(self) -> str:
        """For people."""
        return f"{self.from_per_s:g}/s to {self.to_per_s:g}/s in {self.over_s:g} s"


class Staircase(msgspec.Struct, frozen=True, kw_only=True, tag="staircase"):
    """One level after the other, each (seconds, requests a second); the last one goes on."""

    levels: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.levels) <= MAX_LEVELS:
            raise refused("a staircase", f"{len(self.levels)} levels", f"give 1 to {MAX_LEVELS}")
        for number, (length_s, rate_per_s) in enumerate(self.levels, start=1):
            check_range(f"level {number} of a staircase", "seconds", length_s, 0.001, _LONGEST_S)
            check_range(f"level {number} of a staircase", "rate", rate_per_s, 0.0, _HIGHEST_PER_S)

    @property
    def highest_per_s(self) -> float:
        """The highest rate."""
        return max(rate_per_s for _, rate_per_s in self.levels)

    @property
    def course(self) -> Course:
        """The rate over time."""
        segments = [Segment(length_s, rate, rate) for length_s, rate in self.levels]
        return Course([*segments, _onwards(self.levels[-1][1])])

    @property
    def described(self) -> str:
        """For people."""
        return ", ".join(f"{rate:g}/s for {length_s:g} s" for length_s, rate in self.levels)


class Spike(msgspec.Struct, frozen=True, kw_only=True, tag="spike"):
    """`base_per_s` throughout, but `peak_per_s` for `for_s` from `at_s` on."""

    base_per_s: float
    peak_per_s: float
    at_s: float
    for_s: float

    def __post_init__(self) -> None:
        check_range("a spike", "base_per_s", self.base_per_s, 0.0, _HIGHEST_PER_S)
        check_range("a spike", "peak_per_s", self.peak_per_s, 0.0, _HIGHEST_PER_S)
        check_range("a spike", "at_s", self.at_s, 0.0, _LONGEST_S)
        check_range("a spike", "for_s", self.for_s, 0.001, _LONGEST_S)

    @property
    def highest_per_s(self) -> float:
        """The highest rate."""
        return max(self.base_per_s, self.peak_per_s)

    @property
    def course(self) -> Course:
        """The rate over time."""
        peak = self.peak_per_s
        return Course(
            [
                Segment(self.at_s, self.base_per_s, self.base_per_s),
                Segment(self.for_s, peak, peak),
                _onwards(self.base_per_s),
            ]
        )

    @property
    def described(self) -> str:
        """For people."""
        return (
            f"{self.base_per_s:g}/s with {self.peak_per_s:g}/s "
            f"from {self.at_s:g} s for {self.for_s:g} s"
        )


class Replay(msgspec.Struct, frozen=True, kw_only=True, dict=True, tag="replay"):
    """Arrivals as they once were: nanoseconds from the start, in order. Then no more are sent.

    `replay_of_record` and `replay_of_file` (load/replay.py) make them.
    """

    offsets_ns: tuple[int, ...]

    def __post_init__(self) -> None:
        count = len(self.offsets_ns)
        if not 0 < count <= MAX_ARRIVALS:
            raise refused("a replay", f"{count} arrivals", f"give 1 to {MAX_ARRIVALS}")
        before = 0
        for number, offset_ns in enumerate(self.offsets_ns):
            if offset_ns < before:
                raise refused(
                    f"arrival {number} of a replay", f"{offset_ns} ns after {before} ns",
                    "give offsets from 0 on, in order",
                )  # fmt: skip
            before = offset_ns
        check_range("a replay", "duration_s", self.duration_s, 0.0, _LONGEST_S)

    @property
    def duration_s(self) -> float:
        """From the start to the last arrival."""
        return self.offsets_ns[-1] / _SECOND_NS

    @cached_property
    def highest_per_s(self) -> float:
        """The most arrivals in any one second; there may be many, so they are counted once."""
        return _busiest_second(self.offsets_ns)

    @property
    def described(self) -> str:
        """For people."""
        return f"a replay of {len(self.offsets_ns)} arrivals in {self.duration_s:.1f} s"


#: What `LoadPlan.shape` may be.
Shape = Constant | Ramp | Staircase | Spike | Replay


def _onwards(rate_per_s: float) -> Segment:
    return Segment(math.inf, rate_per_s, rate_per_s)


def _busiest_second(offsets_ns: Iterable[int]) -> int:
    within: deque[int] = deque()
    most = 0
    for offset_ns in offsets_ns:
        within.append(offset_ns)
        while offset_ns - within[0] >= _SECOND_NS:
            within.popleft()
        most = max(most, len(within))
    return most
