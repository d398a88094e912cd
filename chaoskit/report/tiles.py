"""Lanes of availability: tiles for each stream with brackets of its outages, and failures."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np

from chaoskit.report.axis import TimeAxis
from chaoskit.report.buckets import Buckets, StreamBuckets
from chaoskit.report.failures import FailureTable
from chaoskit.report.grid import Grid
from chaoskit.report.outages import Outage
from chaoskit.report.shapes import Box, Curve, Lane, Shape, Text

_TILE_PX = 18.0
_OK_PX = 5.0  # height of the quiet bar that "all ok" is drawn as
_BRACKET_PX = 14.0
_LETTER_PX = 6.1
_STREAMS_AT_MOST = 32
_REASONS_AT_MOST = 4
_CLASSES_AT_MOST = 8
_CLASS_PX = 15.0


def tile_lanes(
    axis: TimeAxis, buckets: Buckets, outages: Mapping[str, Sequence[Outage]]
) -> list[Lane]:
    """A lane for each stream: users' first, then the sampler's and control streams."""
    order = sorted(buckets.streams, key=lambda s: (s.control, s.stream.startswith("sampler")))
    lanes = []
    for stream in order[:_STREAMS_AT_MOST]:
        brackets = _brackets(axis, outages.get(stream.stream, ()))
        lanes.append(_tiles(axis, buckets, stream, brackets))
    left_out = len(order) - len(lanes)
    if left_out:
        lanes[-1].note = f"{left_out} more streams are not drawn"
    return lanes


def _tiles(
    axis: TimeAxis, buckets: Buckets, stream: StreamBuckets, brackets: Sequence[Shape]
) -> Lane:
    """Quiet where all was ok, a block as high as the share that was not, blank without plan.

    Neighbouring buckets that were all ok, or all not, are one box: a calm hour costs no more
    than a calm second, and an outage shows as one.
    """
    grid = Grid(axis, buckets.bucket_s)
    head_px = _BRACKET_PX if brackets else 0.0
    shapes: list[Shape] = []
    for state, group in groupby(range(len(stream.planned)), key=lambda n: _state(stream, n)):
        members = list(group)
        if state == "none":
            continue
        runs = [[n] for n in members] if state == "bad" else [members]
        shapes += [_tile(grid, stream, run[0], run[-1], state, head_px) for run in runs]
    planned, ok = int(stream.planned.sum()), int(stream.ok.sum())
    return Lane(
        group="Requests",
        label=stream.stream,
        title=f"{stream.stream}: {ok} of {planned} planned requests ok",
        height=head_px + _TILE_PX + 3,
        label_y=head_px + 10,
        shapes=[*shapes, *brackets],
    )


def _state(stream: StreamBuckets, bucket: int) -> str:
    if not stream.planned[bucket]:
        return "none"
    if stream.ok[bucket] == stream.planned[bucket]:
        return "ok"
    return "bad" if stream.ok[bucket] else "dead"


def _tile(
    grid: Grid, stream: StreamBuckets, first: int, last: int, state: str, head_px: float
) -> Box:
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
        y=round(head_px + _TILE_PX + 1 - height, 1),
        width=round(max(grid.left(last + 1) - x - gap, 0.5), 1),
        height=round(height, 1),
        kind=f"tile-{state}",
        title=f"{grid.words(first, last)}: {ok} of {planned} ok" + (f"; {why}" if why else ""),
    )


def _brackets(axis: TimeAxis, outages: Sequence[Outage]) -> list[Shape]:
    """A bar as long as an outage surely was, thin lines to its outer bounds, and its length."""
    shapes: list[Shape] = []
    taken_px = 0.0
    for outage in outages:
        x, end_x = axis.x(outage.start_ns), axis.x(outage.end_ns)
        start_s, end_s = axis.second(outage.start_ns), axis.second(outage.end_ns)
        sure = outage.end_ns > outage.start_ns
        doubt = "; the driver itself was in trouble meanwhile" if outage.is_suspect else ""
        title = f"outage of {outage.in_words}, from {start_s:.2f} s to {end_s:.2f} s{doubt}"
        if not sure:
            title = f"no ok for {outage.in_words} after {start_s:.2f} s{doubt}: nothing is sure"
        outer = [
            axis.x(axis.start_ns if outage.after_ns is None else outage.after_ns),
            axis.x(axis.end_ns if outage.before_ns is None else outage.before_ns),
        ]
        whiskers = f"M{outer[0]} 9v5M{outer[0]} 11.5H{outer[1]}M{outer[1]} 9v5"
        shapes.append(Curve(path=whiskers, kind="bounds", title=title))
        width = round(max(end_x - x, 1.5), 2)
        words = outage.in_words
        shapes.append(
            Box(
                x=x,
                y=10,
                width=width,
                height=3,
                kind="outage" if sure else "outage doubtful",
                title=title,
                true_width=round(end_x - x, 2),
            )
        )
        length = len(words) * _LETTER_PX
        if x >= taken_px:
            left = x + length > axis.right_px
            anchor = "end" if left else "start"
            shapes.append(
                Text(
                    x=end_x if left else x,
                    y=4,
                    text=words,
                    kind="flag",
                    anchor=anchor,
                    sticks=not left,
                )
            )
            taken_px = x + length + 8
    return shapes


def failure_lanes(axis: TimeAxis, table: FailureTable, bucket_s: int) -> list[Lane]:
    """A lane for each class of failures, the most frequent first, each to its own scale."""
    grid = Grid(axis, bucket_s)
    order = sorted(table.classes, key=lambda name: -int(table.classes[name].sum()))
    lanes = []
    for name in order[:_CLASSES_AT_MOST]:
        counts = table.classes[name]
        total, most = int(counts.sum()), int(counts.max())
        if not total:
            continue
        causes = ", ".join(
            f"{row.count} {row.cause.replace('_', ' ')}"
            for row in table.rows
            if row.error_class == name
        )
        shapes: list[Shape] = []
        for bucket in np.flatnonzero(counts).tolist():
            height = max(3.0, (_CLASS_PX - 3) * int(counts[bucket]) / most)
            x = grid.left(bucket)
            shapes.append(
                Box(
                    x=x,
                    y=round(_CLASS_PX - 1 - height, 1),
                    width=round(max(grid.left(bucket + 1) - x - 0.5, 0.5), 1),
                    height=round(height, 1),
                    kind="failed",
                    title=f"{grid.words(bucket, bucket)}: {int(counts[bucket])} {name}",
                )
            )
        lanes.append(
            Lane(
                group="Failures",
                label=f"{name} ({total})",
                title=f"{total} {name}: {causes}",
                height=_CLASS_PX,
                shapes=shapes,
            )
        )
    return lanes
