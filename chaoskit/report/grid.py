"""Where buckets of time lie on the axis, and the paths that are drawn over them."""

from collections.abc import Callable, Iterator
from itertools import groupby

import numpy as np

from chaoskit.report.axis import TimeAxis
from chaoskit.report.latency import Figures


class Grid:
    """Where bucket n lies on the axis; the last one ends with it."""

    def __init__(self, axis: TimeAxis, bucket_s: int) -> None:
        self._axis = axis
        self.bucket_s = bucket_s

    def left(self, bucket: int) -> float:
        """Where bucket n begins."""
        return self._axis.x(self._axis.start_ns + bucket * self.bucket_s * 1_000_000_000)

    def middle(self, bucket: int) -> float:
        """The middle of bucket n."""
        return round((self.left(bucket) + self.left(bucket + 1)) / 2, 2)

    def words(self, first: int, last: int) -> str:
        """From when to when these buckets are."""
        return f"{first * self.bucket_s}–{(last + 1) * self.bucket_s} s"  # noqa: RUF001


def stairs(grid: Grid, rates: Figures, top: float, height: float, *, closed: bool) -> str:
    """A stair-step path; points of equal height are left out."""
    levels = [round(height - height * float(rate) / top, 1) for rate in rates]
    path = f"M{grid.left(0)} {height if closed else levels[0]}"
    for level, group in groupby(range(len(levels)), key=levels.__getitem__):
        path += f"V{level}H{grid.left(list(group)[-1] + 1)}"
    return f"{path}V{height}Z" if closed else path


def polylines(grid: Grid, figures: Figures, y: Callable[[float], float]) -> Iterator[str]:
    """Lines over neighbouring buckets that have a figure; a lone one is a short dash."""
    pen_down = False
    for n, value in enumerate(figures):
        if not np.isfinite(value):
            pen_down = False
            continue
        if pen_down:
            yield f"L{grid.middle(n)} {y(float(value))}"
        else:
            yield f"M{round(grid.middle(n) - 1, 2)} {y(float(value))}h1"
        pen_down = True


def bands(grid: Grid, share: Figures, below: Figures, height: float) -> Iterator[str]:
    """A stacked band: `share` of the height, above what is `below` it."""

    def same(n: int) -> tuple[float, float]:
        return round(float(share[n]), 3), round(float(below[n]), 3)

    for (part, base), group in groupby(range(len(share)), key=same):
        members = list(group)
        if part <= 0:
            continue
        bottom = round(height * (1 - base), 1)
        top = round(height * (1 - base - part), 1)
        x, end_x = grid.left(members[0]), grid.left(members[-1] + 1)
        yield f"M{x} {bottom}V{top}H{end_x}V{bottom}Z"
