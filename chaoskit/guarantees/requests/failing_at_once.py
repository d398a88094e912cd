"""How many pods answer with errors at the same time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.intervals import Span
from chaoskit.guarantees.traffic.choice import Choice
from chaoskit.guarantees.traffic.columns import integers, text_column
from chaoskit.guarantees.traffic.selection import select
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class FailingAtOnce(Choice):
    """At no moment do more than `at_most` pods answer with errors.

    Claims: a pod fails from the first of its answers that is not ok to the last one before it
    answers ok again; at no instant do more pods than `at_most` do.
    Violated when: more surely do: between the end of such a first answer and the last sending of
    one that was answered so.
    Unknown when: more may do (a pod may fail from its last ok before until its next ok), no pod
    ever failed, or requests may be missing.
    """

    at_most: int

    name: ClassVar[str] = "failing_at_once"
    version: ClassVar[int] = 2

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"at most {self.at_most} pods fail at once")
        chosen = select(history, self)
        found.doubt(*chosen.doubts)
        pod = text_column(history, "pod_uid").codes[chosen.rows]
        names = text_column(history, "pod")
        end, sent = integers(history, "end_ns")[chosen.rows], chosen.sent_ns
        sure: list[tuple[Span, str]] = []
        possible: list[tuple[Span, str]] = []
        failing: set[str] = set()
        for code in np.unique(pod[pod >= 0]):
            rows = np.flatnonzero(pod == code)
            rows = rows[np.argsort(end[rows], kind="stable")]
            name = names.at(int(chosen.rows[rows[0]])) or "?"
            for surely, maybe in _runs(chosen.ok[rows], sent[rows], end[rows]):
                failing.add(name)
                possible.append((maybe, name))
                if surely[0] < surely[1]:
                    sure.append((surely, name))
        most, at_ns, who = _most(sure)
        at_worst, _, _ = _most(possible)
        if most > self.at_most and chosen.can_accuse:
            text = f"{most} pods failed at once: {', '.join(sorted(who))}"
            found.violate(at_ns, text, *sorted(who), weight=float(most))
        elif at_worst > self.at_most:
            found.doubt(f"{at_worst} pods may have failed at once")
        if not failing:
            found.doubt("no pod answered with an error")
        found.coverage["pods that failed"] = len(failing)
        found.figures |= {"failing_at_once_at_least": most, "failing_at_once_at_most": at_worst}
        found.summary = f"{len(failing)} pods failed, {most} to {at_worst} at once"
        return conclude(self, found)


def failing_at_once(
    at_most: int, *, operation: str | None = None, phase: str | None = None
) -> FailingAtOnce:
    """No more pods than that fail at once; see `FailingAtOnce`.

    Raises `UsageError` for a negative number.
    """
    if at_most < 0:
        raise UsageError("must not be negative", subject="failing_at_once's at_most", seen=at_most)
    return FailingAtOnce(at_most=at_most, operation=operation, phase=phase)


def _runs(ok: np.ndarray, sent: np.ndarray, end: np.ndarray) -> list[tuple[Span, Span]]:
    """Runs of one pod's answers that are not ok: while it surely failed, and while it may have."""
    runs = []
    bad = np.concatenate([[False], ~ok, [False]])
    edges = np.flatnonzero(bad[1:] != bad[:-1])
    for first, after in zip(edges[::2], edges[1::2], strict=True):
        # Not the sending of the one that ended last: a slow answer may be the oldest of them.
        surely = int(end[first]), int(sent[first:after].max())
        start = int(sent[first - 1]) if first else int(sent[first])
        stop = int(end[after]) if after < len(ok) else int(end[after - 1])
        runs.append((surely, (start, stop)))
    return runs


def _most(spans: Sequence[tuple[Span, str]]) -> tuple[int, int, set[str]]:
    """The greatest number of pods whose spans share a moment, when that began, and who they are."""
    moments = sorted(
        [(start, 1, name) for (start, _), name in spans]
        + [(stop, -1, name) for (_, stop), name in spans]
    )
    now: dict[str, int] = {}
    most, at_ns, who = 0, 0, set[str]()
    for time_ns, step, name in moments:
        now[name] = now.get(name, 0) + step
        if not now[name]:
            del now[name]
        if len(now) > most:
            most, at_ns, who = len(now), time_ns, set(now)
    return most, at_ns, who
