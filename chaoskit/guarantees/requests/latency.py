"""Whether requests were answered in time: a quantile of the response time, as users see it."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.intervals import Mask, Times, blocks, counted
from chaoskit.guarantees.proportions import trials_needed
from chaoskit.guarantees.traffic.choice import Choice, require_one_window
from chaoskit.guarantees.traffic.columns import ends_ns, integers, text_column
from chaoskit.guarantees.traffic.selection import Selected, select
from chaoskit.guarantees.traffic.words import (
    blame,
    describe_request,
    percent,
    share_of_worst_stream,
    where,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History

#: Quantiles among the figures, with their names.
_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}


@dataclass(frozen=True, kw_only=True)
class Latency(Choice):
    """At least a share of the requests is answered ok in time, counted from the planned time.

    Claims: the response time (from the planned time to the end of the answer, so that a slow
    service cannot hide its delays by being asked less: no coordinated omission) of at least
    `quantile` of the chosen requests is at most `at_most_s`. A request that is not ok counts as
    slower than any limit, as the user sees it. The claim is about the requests that were made,
    not about others that might have been: so the plain share of slow ones decides, without an
    interval around it, and too few requests decide nothing.
    Violated when: more than 1 - `quantile` were slow, even if all those slow ones that
    harness-suspect seconds touch had been fast, and the record is complete; or so many that even
    `minimum_requests` could not have made up for them.
    Unknown when: only what harness-suspect seconds touch breaks the claim, fewer than
    `minimum_requests` were judged (3/(1 - quantile) if not given: fewer need not have met one
    slow request where 1 - quantile are slow, the rule of three at 95 %), the fault was not proved
    in effect throughout its window, the phase is not on record or has no end, requests may be
    missing, or a load died.
    Figures: nearest-rank quantiles over the ok requests, of the response time and of the service
    time (from the moment it was sent).
    """

    at_most_s: float
    quantile: float = 0.99
    minimum_requests: int | None = None

    name: ClassVar[str] = "latency"
    version: ClassVar[int] = 2

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        minimum = self.minimum_requests or trials_needed(1 - self.quantile)
        chosen = select(history, self, deadline_s=self.at_most_s)
        found = Findings(
            title=f"{percent(self.quantile)} of requests{where(self)} answered"
            f" within {self.at_most_s:g} s"
        )
        found.doubt(*chosen.doubts)
        self._count(found, history, chosen)
        total, slow = len(chosen), int(np.count_nonzero(~chosen.ok))
        charged = int(np.count_nonzero(chosen.charged))
        if total < minimum:
            found.doubt(f"{total} requests are too few to tell ({minimum} needed)")
        allowed = (1 - self.quantile) * max(total, minimum)
        if charged > allowed + 1e-9 and chosen.can_accuse:
            blame(found, history, chosen, _describe)
        elif slow > allowed + 1e-9:
            found.doubt(*chosen.suspicion.failures())
        return conclude(self, found)

    def _count(self, found: Findings, history: History, chosen: Selected) -> None:
        total, is_slow = len(chosen), ~chosen.ok
        slow = int(np.count_nonzero(is_slow))
        found.coverage[f"requests{where(self)}"] = total
        found.coverage["slow or not ok"] = slow
        chosen.suspicion.write_into(found)
        if not total:
            return
        answered = chosen.taken(text_column(history, "outcome").is_like("ok"))
        found.figures |= _times(chosen, answered, self.quantile)
        found.summary = (
            f"{slow} of {total} requests slower than {self.at_most_s:g} s or not ok"
            f" ({percent(slow / total)}; {percent(1 - self.quantile)} allowed)"
        )
        punctual = ~chosen.suspicion.uncharged
        if punctual.any():
            found.figures["slow_share"] = float(np.mean(is_slow[punctual]))
            found.figures["slow_share_of_worst_stream"] = share_of_worst_stream(
                chosen.stream.codes[punctual], is_slow[punctual]
            )


def latency(
    at_most_s: float,
    *,
    quantile: float = 0.99,
    outside: str | None = None,
    during: str | None = None,
    phase: str | None = None,
    settle_s: float = 0.0,
    stream: str | None = None,
    connection: str | None = None,
    operation: str | None = None,
    user: str | None = None,
    minimum_requests: int | None = None,
) -> Latency:
    """This share of requests answered ok within `at_most_s` of their planned time; see `Latency`.

    Raises `UsageError` for a limit that is not positive, a quantile that is not between 0 and 1,
    or both `outside` and `during`.
    """
    if at_most_s <= 0:
        raise UsageError("must be positive", subject="latency's at_most_s", seen=at_most_s)
    if not 0 < quantile < 1:
        raise UsageError("is not between 0 and 1", subject="latency's quantile", seen=quantile)
    require_one_window(outside, during)
    return Latency(
        at_most_s=at_most_s,
        quantile=quantile,
        outside=outside,
        during=during,
        phase=phase,
        settle_s=settle_s,
        stream=stream,
        connection=connection,
        operation=operation,
        user=user,
        minimum_requests=minimum_requests,
    )


def _times(chosen: Selected, answered: Mask, quantile: float) -> dict[str, float]:
    """Quantiles of response and service time over what was answered ok, slow or not."""
    if not answered.any():
        return {}
    figures = {"response_quantile_of_worst_stream_s": _worst_s(chosen, answered, quantile)}
    names, shares = _QUANTILES.keys(), _QUANTILES.values()
    for kind, begins in (("response", "planned_ns"), ("service", "sent_ns")):
        found = zip(names, _quantiles_s(_took_ns(chosen, begins, answered), *shares), strict=True)
        figures |= {f"{kind}_{name}_s": time_s for name, time_s in found}
    return figures


def _worst_s(chosen: Selected, answered: Mask, quantile: float) -> float:
    """The quantile of the response time of the stream in which it is greatest."""
    streams = chosen.stream.codes[answered]
    response_ns = _took_ns(chosen, "planned_ns", answered)
    codes = np.flatnonzero(counted(streams, len(chosen.stream.values)))
    return max(_quantiles_s(response_ns[streams == code], quantile)[0] for code in codes)


def _took_ns(chosen: Selected, begins: str, which: Mask) -> Times:
    """How long some of the chosen requests took from a moment of theirs, a column's, to the end."""
    starts, ends = integers(chosen.history, begins), ends_ns(chosen.history)
    took_ns: Times = np.empty(int(np.count_nonzero(which)), dtype=np.int64)
    at = 0
    for some in blocks(len(which)):
        rows = chosen.rows[some][which[some]]
        took_ns[at : at + len(rows)] = ends[rows] - starts[rows]
        at += len(rows)
    return took_ns


def _quantiles_s(times_ns: Times, *shares: float) -> list[float]:
    """Nearest-rank quantiles: each the smallest time that at least this share does not exceed.

    Puts the times in another order.
    """
    places = [max(math.ceil(round(share * len(times_ns), 6)), 1) - 1 for share in shares]
    times_ns.partition(places)
    return [float(times_ns[place]) / 1e9 for place in places]


def _describe(history: History, row: int) -> str:
    """A slow request, with how long it took."""
    table = history.columns("planned_ns", "sent_ns", "end_ns")
    planned_ns, sent_ns, end_ns = (column[row].as_py() for column in table.columns)
    text = describe_request(history, row)
    if end_ns is None or sent_ns is None:
        return text
    return (
        f"{text}, {(end_ns - planned_ns) / 1e9:.3f} s after its planned time"
        f" ({(end_ns - sent_ns) / 1e9:.3f} s after it was sent)"
    )
