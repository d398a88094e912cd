"""Lanes of requests: availability tiles per stream, rate, latency, answers by revision."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby

import numpy as np

from chaoskit.report.axis import TimeAxis
from chaoskit.report.buckets import Buckets, Counts, Figures, StreamBuckets
from chaoskit.report.shapes import Box, Curve, Lane, Shape, Text, shorten

_TILE_PX = 18.0
_OK_PX = 5.0  # height of the quiet bar that "all ok" is drawn as
_RATE_PX = 64.0
_LATENCY_PX = 84.0
_REVISIONS_PX = 44.0
_LABEL_LENGTH = 24
_STREAMS_AT_MOST = 32
_REASONS_AT_MOST = 4


def request_lanes(axis: TimeAxis, buckets: Buckets, colours: Mapping[str, int]) -> list[Lane]:
    """All lanes of requests; none where nothing was planned."""
    if not buckets.streams:
        return []
    lanes = [_tiles(axis, buckets, stream) for stream in buckets.streams[:_STREAMS_AT_MOST]]
    left_out = len(buckets.streams) - len(lanes)
    if left_out:
        lanes[-1].note = f"{left_out} more streams are not drawn"
    lanes.append(_rate(axis, buckets))
    if np.isfinite(buckets.p99_ms).any():
        lanes.append(_latency(axis, buckets))
    if len(buckets.revisions) > 1:
        lanes.append(_revisions(axis, buckets, colours))
    return lanes


class _Grid:
    """Where bucket n lies on the axis; the last one ends with it."""

    def __init__(self, axis: TimeAxis, bucket_s: int) -> None:
        self._axis = axis
        self.bucket_s = bucket_s

    def left(self, bucket: int) -> float:
        return self._axis.x(self._axis.start_ns + bucket * self.bucket_s * 1_000_000_000)

    def middle(self, bucket: int) -> float:
        return round((self.left(bucket) + self.left(bucket + 1)) / 2, 2)

    def words(self, first: int, last: int) -> str:
        return f"{first * self.bucket_s}–{(last + 1) * self.bucket_s} s"  # noqa: RUF001


def _tiles(axis: TimeAxis, buckets: Buckets, stream: StreamBuckets) -> Lane:
    """Quiet where all was ok, a block as high as the share that was not, blank without plan.

    Neighbouring buckets that were all ok, or all not, are one box: a calm hour costs no more
    than a calm second, and an outage shows as one.
    """
    grid = _Grid(axis, buckets.bucket_s)
    shapes: list[Shape] = []
    for state, group in groupby(range(len(stream.planned)), key=lambda n: _state(stream, n)):
        members = list(group)
        if state == "none":
            continue
        runs = [[n] for n in members] if state == "bad" else [members]
        shapes += [_tile(grid, stream, run[0], run[-1], state) for run in runs]
    planned, ok = int(stream.planned.sum()), int(stream.ok.sum())
    return Lane(
        group="Requests",
        label=shorten(stream.stream, _LABEL_LENGTH),
        title=f"{stream.stream}: {ok} of {planned} planned requests ok",
        height=_TILE_PX + 3,
        shapes=shapes,
    )


def _state(stream: StreamBuckets, bucket: int) -> str:
    if not stream.planned[bucket]:
        return "none"
    if stream.ok[bucket] == stream.planned[bucket]:
        return "ok"
    return "bad" if stream.ok[bucket] else "dead"


def _tile(grid: _Grid, stream: StreamBuckets, first: int, last: int, state: str) -> Box:
    planned = int(stream.planned[first : last + 1].sum())
    ok = int(stream.ok[first : last + 1].sum())
    share_bad = (planned - ok) / planned
    height = _OK_PX if state == "ok" else max(_OK_PX + 3, _TILE_PX * share_bad)
    reasons: Counter[str] = Counter()
    for bucket in range(first, last + 1):
        reasons.update(stream.why.get(bucket, {}))
    why = ", ".join(f"{count} {word}" for word, count in reasons.most_common(_REASONS_AT_MOST))
    x = grid.left(first)
    gap = 0.5 if state == "bad" else 0.0
    return Box(
        x=x,
        y=round(_TILE_PX + 1 - height, 1),
        width=round(max(grid.left(last + 1) - x - gap, 0.5), 1),
        height=round(height, 1),
        kind=f"tile-{state}",
        title=f"{grid.words(first, last)}: {ok} of {planned} ok" + (f"; {why}" if why else ""),
    )


def _rate(axis: TimeAxis, buckets: Buckets) -> Lane:
    grid = _Grid(axis, buckets.bucket_s)
    planned, ok = buckets.planned / buckets.bucket_s, buckets.ok / buckets.bucket_s
    top = max(float(planned.max()), 1.0)
    shapes: list[Shape] = [
        Curve(path=_steps(grid, ok, top, _RATE_PX, closed=True), kind="rate-ok"),
        Curve(path=_steps(grid, planned, top, _RATE_PX, closed=False), kind="rate-planned"),
        Text(x=axis.left_px - 6, y=8, text=f"{top:.0f}/s", kind="scale", anchor="end"),
        Text(x=axis.left_px - 6, y=_RATE_PX - 1, text="0", kind="scale", anchor="end"),
    ]
    return Lane(
        group="Rate",
        label="planned (line), ok (area)",
        title="requests a second by planned time, all streams",
        height=_RATE_PX + 4,
        shapes=shapes,
    )


def _steps(grid: _Grid, rates: Figures, top: float, height: float, *, closed: bool) -> str:
    """A stair-step path; points of equal height are left out."""
    levels = [round(height - height * float(rate) / top, 1) for rate in rates]
    path = f"M{grid.left(0)} {height if closed else levels[0]}"
    for level, group in groupby(range(len(levels)), key=levels.__getitem__):
        path += f"V{level}H{grid.left(list(group)[-1] + 1)}"
    return f"{path}V{height}Z" if closed else path


def _latency(axis: TimeAxis, buckets: Buckets) -> Lane:
    grid = _Grid(axis, buckets.bucket_s)
    finite = np.concatenate([buckets.p50_ms, buckets.p99_ms])
    finite = finite[np.isfinite(finite)]
    low = math.floor(math.log10(max(float(finite.min()), 0.01)))
    high = max(math.ceil(math.log10(max(float(finite.max()), 0.01))), low + 1)

    def y(milliseconds: float) -> float:
        share = (math.log10(max(milliseconds, 0.01)) - low) / (high - low)
        return round(4 + (_LATENCY_PX - 8) * (1 - min(max(share, 0.0), 1.0)), 1)

    shapes: list[Shape] = []
    for exponent in range(low, high + 1):
        level = y(10.0**exponent)
        shapes.append(Curve(path=f"M{axis.left_px} {level}H{axis.right_px}", kind="grid"))
        label = _milliseconds(10.0**exponent)
        shapes.append(Text(x=axis.left_px - 6, y=level, text=label, kind="scale", anchor="end"))
    for kind, figures in (("p99", buckets.p99_ms), ("p50", buckets.p50_ms)):
        path = "".join(_polylines(grid, figures, y))
        highest = _milliseconds(float(np.nanmax(figures)))
        shapes.append(Curve(path=path, kind=f"latency {kind}", title=f"{kind}, at most {highest}"))
        last = int(np.flatnonzero(np.isfinite(figures))[-1])
        x = min(grid.middle(last) + 5, axis.right_px + 2)
        shapes.append(Text(x=x, y=y(float(figures[last])), text=kind, kind=f"scale {kind}"))
    return Lane(
        group="Latency",
        label="of ok, from planned time",
        title="response time of ok requests, counted from the planned time; logarithmic",
        height=_LATENCY_PX,
        shapes=shapes,
    )


def _milliseconds(value: float) -> str:
    return f"{value / 1000:g} s" if value >= 1000 else f"{value:.3g} ms"


def _polylines(grid: _Grid, figures: Figures, y: Callable[[float], float]) -> Iterator[str]:
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


def _revisions(axis: TimeAxis, buckets: Buckets, colours: Mapping[str, int]) -> Lane:
    """Stacked shares of ok answers by revision."""
    grid = _Grid(axis, buckets.bucket_s)
    total: Counts = np.sum(list(buckets.revisions.values()), axis=0)
    below: Figures = np.zeros(len(total))
    shapes: list[Shape] = []
    for revision, counts in buckets.revisions.items():
        share = np.divide(counts, total, out=np.zeros(len(total)), where=total > 0)
        path = "".join(_stack(grid, share, below, total))
        below = below + share
        shapes.append(
            Curve(
                path=path,
                kind=f"answers r{colours.get(revision, 0)}",
                title=f"{int(counts.sum())} answers of revision {revision}",
            )
        )
    return Lane(
        group="Answers",
        label="share by revision",
        title="share of ok answers by the revision of the pod that gave them",
        height=_REVISIONS_PX + 4,
        shapes=shapes,
    )


def _stack(grid: _Grid, share: Figures, below: Figures, total: Counts) -> Iterator[str]:
    def same(n: int) -> tuple[float, float]:
        return round(float(share[n]), 3), round(float(below[n]), 3)

    for (part, base), group in groupby(range(len(share)), key=same):
        members = list(group)
        if part <= 0 or not total[members[0]]:
            continue
        bottom = round(_REVISIONS_PX * (1 - base), 1)
        top = round(_REVISIONS_PX * (1 - base - part), 1)
        x, end_x = grid.left(members[0]), grid.left(members[-1] + 1)
        yield f"M{x} {bottom}V{top}H{end_x}V{bottom}Z"
