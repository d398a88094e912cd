"""The one time axis of a chart: monotonic nanoseconds to horizontal pixels."""

from collections.abc import Iterable
from dataclasses import dataclass

_TICK_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600)
_BUCKETS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)
_TICKS_AT_MOST = 14
_BUCKETS_AT_MOST = 400
_MINUTE_S = 60


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A labelled moment of the axis."""

    x: float
    label: str


@dataclass(frozen=True, kw_only=True)
class TimeAxis:
    """From `start_ns` to `end_ns`, drawn from `left_px` over `width_px`."""

    start_ns: int
    end_ns: int
    left_px: float
    width_px: float

    @property
    def span_s(self) -> float:
        return max((self.end_ns - self.start_ns) / 1e9, 0.001)

    @property
    def right_px(self) -> float:
        return self.left_px + self.width_px

    def x(self, time_ns: int) -> float:
        """Horizontal pixel of a moment, clamped to the axis."""
        share = (time_ns - self.start_ns) / 1e9 / self.span_s
        return round(self.left_px + self.width_px * min(max(share, 0.0), 1.0), 2)

    def second(self, time_ns: int) -> float:
        """Seconds since the start of the axis."""
        return (time_ns - self.start_ns) / 1e9

    @property
    def bucket_s(self) -> int:
        """Width of the buckets requests are counted in: 1 s, wider for long runs."""
        fitting = (step for step in _BUCKETS_S if self.span_s / step <= _BUCKETS_AT_MOST)
        return next(fitting, max(_BUCKETS_S[-1], int(self.span_s / _BUCKETS_AT_MOST) + 1))

    def ticks(self) -> list[Tick]:
        fitting = (step for step in _TICK_STEPS_S if self.span_s / step <= _TICKS_AT_MOST)
        step_s = next(fitting, self.span_s / _TICKS_AT_MOST)
        count = int(self.span_s / step_s + 1e-9)
        return [
            Tick(x=self.x(self.start_ns + int(i * step_s * 1e9)), label=clock_label(i * step_s))
            for i in range(count + 1)
        ]


def clock_label(seconds: float) -> str:
    """`12 s` below a minute, `3:05` and `1:02:03` above."""
    if seconds < _MINUTE_S:
        return f"{seconds:g} s"
    minutes, rest_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest_s:02}" if hours else f"{minutes}:{rest_s:02}"


def axis_over(times_ns: Iterable[int], *, left_px: float, width_px: float) -> TimeAxis:
    """An axis that covers all moments given; a second long if there are none."""
    moments = list(times_ns)
    start_ns = min(moments, default=0)
    end_ns = max(max(moments, default=0), start_ns + 1_000_000_000)
    return TimeAxis(start_ns=start_ns, end_ns=end_ns, left_px=left_px, width_px=width_px)
