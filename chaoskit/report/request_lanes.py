"""Lanes of figures about requests: rate, response and service time, answers by who gave them."""

import math
from collections.abc import Callable, Mapping

import numpy as np

from chaoskit.report.axis import TimeAxis
from chaoskit.report.buckets import Buckets, Counts
from chaoskit.report.grid import Grid, bands, polylines, stairs
from chaoskit.report.latency import Figures, Latency
from chaoskit.report.shapes import Curve, Lane, Shape, Text

_RATE_PX = 66.0
_LATENCY_PX = 86.0
_ANSWERS_PX = 44.0
_PODS_AT_MOST = 24


def figure_lanes(
    axis: TimeAxis, buckets: Buckets, colours: Mapping[str, int], revision_of: Mapping[str, str]
) -> list[Lane]:
    """All of them; none where nothing was planned. `revision_of`: a pod's, for its colour."""
    if not buckets.streams:
        return []
    lanes = [_rate(axis, buckets)]
    if np.isfinite(buckets.response.p99_ms).any():
        scale = _Scale(buckets.response, buckets.service)
        lanes.append(_latency(axis, buckets.bucket_s, "response", buckets.response, scale))
        lanes.append(_latency(axis, buckets.bucket_s, "service", buckets.service, scale))
    if len(buckets.revisions) > 1:
        tones = {name: f"r{colours.get(name, 0)}" for name in buckets.revisions}
        lanes.append(_answers(axis, buckets.bucket_s, "revision", buckets.revisions, tones))
    if len(buckets.pods) > 1:
        tones = {
            name: f"r{colours.get(revision_of.get(name, ''), 0)} pod-{n % 2}"
            for n, name in enumerate(buckets.pods)
        }
        lanes.append(_answers(axis, buckets.bucket_s, "pod", _most(buckets.pods), tones))
    return lanes


def _most(counts: Mapping[str, Counts]) -> dict[str, Counts]:
    """Those that answered most, by name; all others as one."""
    chosen = sorted(counts, key=lambda name: -int(counts[name].sum()))[:_PODS_AT_MOST]
    found = {name: counts[name] for name in sorted(chosen)}
    others = [own for name, own in counts.items() if name not in found]
    return found | ({f"{len(others)} others": np.sum(others, axis=0)} if others else {})


def _rate(axis: TimeAxis, buckets: Buckets) -> Lane:
    grid = Grid(axis, buckets.bucket_s)
    planned, ok, sent, unsent = (
        counts / buckets.bucket_s
        for counts in (buckets.planned, buckets.ok, buckets.sent, buckets.unsent)
    )
    top = max(float(planned.max()), float(sent.max()), 1.0)
    shapes: list[Shape] = [
        Curve(path=stairs(grid, ok, top, _RATE_PX, closed=True), kind="rate-ok"),
        Text(x=axis.left_px - 6, y=6, text=f"{top:.0f}/s", kind="scale", anchor="end"),
        Text(x=axis.left_px - 6, y=_RATE_PX - 1, text="0", kind="scale", anchor="end"),
    ]
    legend = [("planned", "planned"), ("sent", "sent"), ("ok (area)", "ok")]
    if unsent.any():
        shapes.append(Curve(path=stairs(grid, unsent, top, _RATE_PX, closed=True), kind="unsent"))
        legend.append((f"unsent: {int(buckets.unsent.sum())}", "unsent"))
    shapes.append(Curve(path=stairs(grid, sent, top, _RATE_PX, closed=False), kind="rate-sent"))
    shapes.append(
        Curve(path=stairs(grid, planned, top, _RATE_PX, closed=False), kind="rate-planned")
    )
    return Lane(
        group="Rate",
        label="",
        title="requests a second, all streams but control; sent by the time of sending",
        height=_RATE_PX + 4,
        legend=tuple(legend),
        shapes=shapes,
    )


class _Scale:
    """Logarithmic, the same for both times, so that they can be compared."""

    def __init__(self, *latencies: Latency) -> None:
        parts = [figures for one in latencies for figures in (one.p50_ms, one.point_ms)]
        every = np.concatenate(parts)
        every = np.maximum(every[np.isfinite(every)], 0.01)
        self.low = math.floor(math.log10(float(every.min())))
        self.high = max(math.ceil(math.log10(float(every.max()))), self.low + 1)

    def y(self, milliseconds: float) -> float:
        """Where that lies in the lane."""
        share = (math.log10(max(milliseconds, 0.01)) - self.low) / (self.high - self.low)
        return round(4 + (_LATENCY_PX - 8) * (1 - min(max(share, 0.0), 1.0)), 1)


def _latency(axis: TimeAxis, bucket_s: int, name: str, times: Latency, scale: _Scale) -> Lane:
    grid = Grid(axis, bucket_s)
    shapes: list[Shape] = []
    for exponent in range(scale.low, scale.high + 1):
        level = scale.y(10.0**exponent)
        shapes.append(Curve(path=f"M{axis.left_px} {level}H{axis.right_px}", kind="grid"))
        label = _milliseconds(10.0**exponent)
        shapes.append(Text(x=axis.left_px - 6, y=level, text=label, kind="scale", anchor="end"))
    shapes.append(Curve(path=_points(axis, times, scale.y), kind="points"))
    for kind, figures in (("p99", times.p99_ms), ("p50", times.p50_ms)):
        path = "".join(polylines(grid, figures, scale.y))
        highest = _milliseconds(float(np.nanmax(figures)))
        title = f"{kind} of the {name} time, at most {highest}"
        shapes.append(Curve(path=path, kind=f"latency {kind}", title=title))
    since = "planned" if name == "response" else "sent"
    slowest = _milliseconds(float(times.point_ms.max()))
    return Lane(
        group="Response time" if name == "response" else "Service time",
        label="",
        title=f"{name} time of ok requests, counted from when they were {since}; logarithmic",
        height=_LATENCY_PX,
        legend=(
            (f"ok, from {since}", ""),
            ("p50", "p50"),
            ("p99", "p99"),
            (f"slowest {slowest}", "slowest"),
        ),
        shapes=shapes,
    )


def _points(axis: TimeAxis, times: Latency, y: Callable[[float], float]) -> str:
    """A dot each, as a line of no length with round ends."""
    places = dict.fromkeys(
        (axis.x(at_ns), y(ms))
        for at_ns, ms in zip(times.at_ns.tolist(), times.point_ms.tolist(), strict=True)
    )
    return "".join(f"M{x} {level}h0" for x, level in places)


def _milliseconds(value: float) -> str:
    return f"{value / 1000:.3g} s" if value >= 1000 else f"{value:.3g} ms"


def _answers(
    axis: TimeAxis, bucket_s: int, by: str, answers: Mapping[str, Counts], tones: Mapping[str, str]
) -> Lane:
    """Stacked shares of the ok answers."""
    grid = Grid(axis, bucket_s)
    total: Counts = np.sum(list(answers.values()), axis=0)
    below: Figures = np.zeros(len(total))
    shapes: list[Shape] = []
    for name, counts in answers.items():
        share = np.divide(counts, total, out=np.zeros(len(total)), where=total > 0)
        shapes.append(
            Curve(
                path="".join(bands(grid, share, below, _ANSWERS_PX)),
                kind=f"answers {tones.get(name, 'r-none')}",
                title=f"{int(counts.sum())} answers of {by} {name}",
            )
        )
        below = below + share
    return Lane(
        group="Answers",
        label="",
        title=f"share of ok answers by the {by} that gave them",
        height=_ANSWERS_PX + 6,
        legend=((f"share by {by}", ""), (f"{len(answers)} {by}s", "")),
        shapes=shapes,
    )
