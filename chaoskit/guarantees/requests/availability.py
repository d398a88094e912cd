"""Whether requests were answered: as a share of all, or every single one."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.proportions import rule_of_three, trials_needed, upper_bound
from chaoskit.guarantees.traffic.choice import Choice, require_one_window
from chaoskit.guarantees.traffic.selection import Selected, select
from chaoskit.guarantees.traffic.words import blame, percent, share_of_worst_stream, where
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class Availability(Choice):
    """At least a share of the planned requests is answered ok by its deadline.

    Claims: of the chosen slots of the schedule, at least `at_least` were answered ok. A slot
    that the driver could not send (`unsent`) counts as not answered, as the user sees it.
    Violated when: fewer were, and the record is complete; or so many were not that even
    `minimum_requests` could not have made up for them. What was not ok while the driver itself
    was late, or the machine kept a pod from running (a harness-suspect second), is not charged.
    Unknown when: only what is not charged breaks the claim, fewer than `minimum_requests` were
    judged (3/(1 - at_least) if not given: fewer cannot tell this share from a lower one at 95 %,
    the rule of three), the fault was not proved in effect throughout its window, the phase is not
    on record or has no end, requests may be missing, or a load died.
    Figures: `bad_share_at_most` is the largest share not ok that fits what was counted, as one
    limit at 95 %: 3/n without any (the rule of three), else the exact binomial bound.
    """

    at_least: float
    deadline_s: float | None = None
    minimum_requests: int | None = None

    name: ClassVar[str] = "availability"
    version: ClassVar[int] = 4

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        minimum = self.minimum_requests or trials_needed(1 - self.at_least)
        chosen = select(history, self, deadline_s=self.deadline_s)
        found = Findings(title=f"at least {percent(self.at_least)} of requests{where(self)} ok")
        total, bad = len(chosen), int(np.count_nonzero(~chosen.ok))
        _count(found, self, chosen)
        found.doubt(*chosen.doubts)
        if total < minimum:
            found.doubt(f"{total} requests are too few to tell ({minimum} needed)")
        allowed = (1 - self.at_least) * max(total, minimum)
        charged = int(np.count_nonzero(chosen.charged))
        if charged > allowed + 1e-9 and chosen.can_accuse:
            blame(found, history, chosen)
        elif bad > allowed + 1e-9:
            found.doubt(*chosen.suspicion.failures())
        return conclude(self, found)


@dataclass(frozen=True, kw_only=True)
class NoRequestLost(Choice):
    """Every chosen request is answered ok.

    Claims: not one planned slot of the chosen streams failed, timed out or could not be sent.
    Violated when: one did, and no harness-suspect second touches it.
    Unknown when: one did while the driver itself was late or the machine kept a pod from running,
    fewer than `minimum_requests` were judged, the fault was not proved in effect throughout its
    window, the phase is not on record or has no end, requests may be missing, or a load died.
    Zero failures are a bound, not a proof: the summary states it (3/n at 95 %).
    """

    deadline_s: float | None = None
    minimum_requests: int = 100

    name: ClassVar[str] = "no_request_lost"
    version: ClassVar[int] = 4

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        chosen = select(history, self, deadline_s=self.deadline_s)
        found = Findings(title=f"no request lost{where(self)}")
        total = len(chosen)
        _count(found, self, chosen)
        found.doubt(*chosen.doubts, *chosen.suspicion.failures())
        if total < self.minimum_requests:
            found.doubt(f"{total} requests are too few ({self.minimum_requests} needed)")
        if chosen.charged.any() and chosen.has_sure_windows:
            blame(found, history, chosen)
        return conclude(self, found)


def availability(
    at_least: float,
    *,
    outside: str | None = None,
    during: str | None = None,
    phase: str | None = None,
    settle_s: float = 0.0,
    stream: str | None = None,
    connection: str | None = None,
    operation: str | None = None,
    user: str | None = None,
    deadline_s: float | None = None,
    minimum_requests: int | None = None,
) -> Availability:
    """At least this share (0 … 1, exclusive) of requests ok; see `Availability`.

    Raises `UsageError` for a share outside that range, or both `outside` and `during`.
    """
    if not 0 < at_least < 1:
        raise UsageError(
            "is not a share between 0 and 1",
            subject="availability's at_least",
            seen=at_least,
            next_step="for every single request use no_request_lost()",
        )
    require_one_window(outside, during)
    return Availability(
        at_least=at_least,
        outside=outside,
        during=during,
        settle_s=settle_s,
        stream=stream,
        connection=connection,
        operation=operation,
        deadline_s=deadline_s,
        minimum_requests=minimum_requests,
        phase=phase,
        user=user,
    )


def no_request_lost(
    *,
    connection: str | None = None,
    stream: str | None = None,
    operation: str | None = None,
    outside: str | None = None,
    during: str | None = None,
    phase: str | None = None,
    settle_s: float = 0.0,
    user: str | None = None,
    deadline_s: float | None = None,
    minimum_requests: int = 100,
) -> NoRequestLost:
    """Every chosen request ok, say on `connection="new"`; see `NoRequestLost`.

    Raises `UsageError` for both `outside` and `during`.
    """
    require_one_window(outside, during)
    return NoRequestLost(
        connection=connection,
        stream=stream,
        operation=operation,
        outside=outside,
        during=during,
        settle_s=settle_s,
        deadline_s=deadline_s,
        minimum_requests=minimum_requests,
        phase=phase,
        user=user,
    )


def _count(found: Findings, choice: Choice, chosen: Selected) -> None:
    total, bad = len(chosen), int(np.count_nonzero(~chosen.ok))
    found.coverage[f"requests{where(choice)}"] = total
    found.coverage["not ok"] = bad
    chosen.suspicion.write_into(found)
    if not total:
        return
    bound = upper_bound(bad, total) if bad else rule_of_three(total)
    found.figures["ok_ratio"] = 1 - bad / total
    found.figures["bad_share_at_most"] = bound
    found.figures["ok_ratio_of_worst_stream"] = 1 - share_of_worst_stream(
        chosen.stream.codes, ~chosen.ok
    )
    found.summary = (
        f"{total - bad} of {total} requests ok ({percent(1 - bad / total)}); "
        f"not ok: at most {percent(bound)} at 95 %"
    )
