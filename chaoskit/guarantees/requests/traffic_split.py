"""Whether answers come from each version, pod or node in the share that is meant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.proportions import interval
from chaoskit.guarantees.traffic.choice import Choice, require_one_window
from chaoskit.guarantees.traffic.columns import text_column
from chaoskit.guarantees.traffic.selection import Selected, select
from chaoskit.guarantees.traffic.words import describe_request, percent, where
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History

Answerer = Literal["revision", "pod", "node"]

#: Fewer answers leave an interval at 99 % that is up to a quarter wide: of use to nobody.
MINIMUM_ANSWERS = 100

#: Shares are written with few digits: three thirds as 0.333 are one.
_SUM_TOLERANCE = 0.005


@dataclass(frozen=True, kw_only=True)
class TrafficSplit(Choice):
    """Each value answers its share of the requests.

    Claims: the ok answers by each revision (`by`; or pod, or node) are as many as its share in
    `shares` lets expect when a value is drawn for each request, give or take `tolerance`; nothing
    else answers. By default only new connections count: kube-proxy chooses a pod for a connection,
    not for a request, so what one kept connection carries all goes to one pod. The interval is
    the exact binomial one (Clopper and Pearson). `confidence` is that of all values' intervals
    together (Bonferroni; the two of two values are one and the same).
    Violated when: an expected share lies outside its interval widened by `tolerance`, and the
    record is complete; or an ok answer names a value without a share.
    Unknown when: there are fewer than `minimum_answers`, an ok answer names none (the interval
    has room for it on either side), the fault was not proved in effect throughout its window, the
    phase is not on record or has no end, requests may be missing, or a load died.
    """

    shares: dict[str, float]
    confidence: float = 0.99
    by: Answerer = "revision"
    tolerance: float = 0.02
    connection: str | None = "new"
    minimum_answers: int = MINIMUM_ANSWERS

    name: ClassVar[str] = "traffic_split"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        chosen = select(history, self)
        meant = ", ".join(f"{value} {percent(share)}" for value, share in self.shares.items())
        found = Findings(title=f"answers split by {self.by}: {meant}{where(self)}")
        found.doubt(*chosen.doubts)
        column = text_column(history, self.by)
        codes = chosen.taken(column.codes).copy()
        codes[~chosen.ok] = len(column.values)  # beyond all values: no answer
        counts = np.bincount(codes + 1, minlength=len(column.values) + 2)
        nameless = int(counts[0])
        counted = dict(zip(column.values, counts[1:-1].tolist(), strict=True))
        total = nameless + sum(counted.values())
        found.coverage[f"answers{where(self)}"] = total
        found.coverage |= {f"answers of {value}": n for value, n in sorted(counted.items()) if n}
        if total < self.minimum_answers:
            found.doubt(f"{total} answers are too few to tell ({self.minimum_answers} needed)")
        if nameless:
            found.doubt(f"{nameless} ok answers name no {self.by}")
        if total:
            self._judge_shares(found, counted, nameless, chosen)
        strange = [code for code, value in enumerate(column.values) if value not in self.shares]
        places = np.flatnonzero(np.isin(codes, strange))
        if len(places) and chosen.has_sure_windows:
            found.violation_count = len(found.violations) + len(places)
            for place in sorted({int(places[0]), int(places[-1])}):
                row = int(chosen.rows[place])
                text = f"answered by {self.by} {column.at(row)}: {describe_request(history, row)}"
                found.violate(int(chosen.planned_ns[place]), text, str(column.at(row)))
        return conclude(self, found)

    def _judge_shares(
        self, found: Findings, counted: Mapping[str, int], nameless: int, chosen: Selected
    ) -> None:
        total = nameless + sum(counted.values())
        comparisons = len(self.shares) if len(self.shares) > 2 else 1
        confidence = 1 - (1 - self.confidence) / comparisons
        texts = []
        for value, share in self.shares.items():
            count = counted.get(value, 0)
            lower, upper = interval(count, total, confidence=confidence, unclear=nameless)
            found.figures |= {
                f"share_of_{value}": count / total,
                f"share_of_{value}_at_least": lower,
                f"share_of_{value}_at_most": upper,
            }
            text = (
                f"{value} gave {count} of {total} answers ({percent(count / total)};"
                f" {percent(lower)} to {percent(upper)} at {percent(self.confidence)}),"
                f" meant are {percent(share)}"
            )
            texts.append(text)
            off = max(lower - share, share - upper)
            if off > self.tolerance and chosen.can_accuse:
                time_ns = int(chosen.planned_ns[np.argmax(chosen.ok)])
                found.violate(time_ns, text, value, weight=off)
        found.summary = "; ".join(texts)


def traffic_split(
    shares: Mapping[str, float],
    *,
    confidence: float = 0.99,
    by: Answerer = "revision",
    tolerance: float = 0.02,
    outside: str | None = None,
    during: str | None = None,
    phase: str | None = None,
    settle_s: float = 0.0,
    stream: str | None = None,
    connection: str | None = "new",
    operation: str | None = None,
    user: str | None = None,
    minimum_answers: int = MINIMUM_ANSWERS,
) -> TrafficSplit:
    """Each value gives its share of the ok answers, `{"v1": 0.9, "v2": 0.1}`; see `TrafficSplit`.

    Raises `UsageError` for shares that are none or do not add up to 1, a confidence that is not
    between 0 and 1, a negative tolerance, another `by`, or both `outside` and `during`.
    """
    subject = "traffic_split"
    if any(not 0 <= share <= 1 for share in shares.values()) or (
        abs(sum(shares.values()) - 1) > _SUM_TOLERANCE
    ):
        raise UsageError("do not add up to 1", subject=f"{subject}'s shares", seen=dict(shares))
    if not 0 < confidence < 1:
        raise UsageError(
            "is not between 0 and 1", subject=f"{subject}'s confidence", seen=confidence
        )
    if tolerance < 0:
        raise UsageError("is negative", subject=f"{subject}'s tolerance", seen=tolerance)
    if by not in ("revision", "pod", "node"):
        raise UsageError("is not revision, pod or node", subject=f"{subject}'s by", seen=by)
    require_one_window(outside, during)
    return TrafficSplit(
        shares=dict(shares),
        confidence=confidence,
        by=by,
        tolerance=tolerance,
        outside=outside,
        during=during,
        phase=phase,
        settle_s=settle_s,
        stream=stream,
        connection=connection,
        operation=operation,
        user=user,
        minimum_answers=minimum_answers,
    )
