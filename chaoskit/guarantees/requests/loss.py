"""How many requests were lost, where some must be: an outage that is part of the bargain."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.traffic.choice import Choice, require_one_window
from chaoskit.guarantees.traffic.columns import text_column
from chaoskit.guarantees.traffic.selection import select
from chaoskit.guarantees.traffic.words import blame, where
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History

#: Classes of error that the other side says: no delay of the driver can make them.
_SAID = ("refused", "reset", "status")


@dataclass(frozen=True, kw_only=True)
class RequestsLost(Choice):
    """As many requests are lost as must be, and not more than may be.

    For what cannot go unnoticed (a Recreate, a bad version before its probe says so): that nobody
    notices would mean that it was not tried. Claims: of the chosen slots at least `at_least` and,
    if given, at most `at_most` were not answered ok.
    Violated when: more were not, those in harness-suspect seconds left out; or fewer.
    Unknown when: only those in harness-suspect seconds make them too many or enough (but a refusal,
    a reset or an error is said by the other side, and proves a loss at any time), fewer than
    `minimum_requests` were judged, the fault was not proved in effect throughout its window, the
    phase is not on record or has no end, requests may be missing, or a load died.
    """

    at_least: int
    at_most: int | None = None
    deadline_s: float | None = None
    minimum_requests: int = 100

    name: ClassVar[str] = "requests_lost"
    version: ClassVar[int] = 2

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        chosen = select(history, self, deadline_s=self.deadline_s)
        most = "" if self.at_most is None else f" and at most {self.at_most}"
        found = Findings(title=f"at least {self.at_least}{most} requests lost{where(self)}")
        total = len(chosen)
        bad = int(np.count_nonzero(~chosen.ok))
        charged = int(np.count_nonzero(chosen.charged))
        errors = text_column(history, "error")
        said = [errors.values.index(each) for each in _SAID if each in errors.values]
        is_said = np.isin(errors.codes, said)
        proved = int(np.count_nonzero(chosen.charged | (~chosen.ok & is_said[chosen.rows])))
        found.coverage |= {f"requests{where(self)}": total, "not ok": bad}
        chosen.suspicion.write_into(found)
        found.doubt(*chosen.doubts)
        found.summary = f"{bad} of {total} requests not ok"
        if total < self.minimum_requests:
            found.doubt(f"{total} requests are too few ({self.minimum_requests} needed)")
        if self.at_most is not None and charged > self.at_most and chosen.has_sure_windows:
            blame(found, history, chosen)
        elif bad < self.at_least and chosen.can_accuse and total >= self.minimum_requests:
            text = f"{bad} requests lost, where at least {self.at_least} must be"
            found.violate(int(chosen.planned_ns[-1]), text)
        elif proved < self.at_least or (self.at_most is not None and bad > self.at_most):
            found.doubt(*chosen.suspicion.failures())
        return conclude(self, found)


def requests_lost(
    at_least: int = 1,
    at_most: int | None = None,
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
    minimum_requests: int = 100,
) -> RequestsLost:
    """So many requests are lost, and no more; see `RequestsLost`.

    Raises `UsageError` for `at_least` below 1 without `at_most` (`no_request_lost` is for none),
    for `at_most` below `at_least`, and for both `outside` and `during`.
    """
    if at_least < (0 if at_most else 1) or (at_most is not None and at_most < at_least):
        raise UsageError(
            "claims nothing",
            subject="requests_lost",
            seen=f"at_least={at_least}, at_most={at_most}",
            next_step="give 1 <= at_least <= at_most, or use no_request_lost()",
        )
    require_one_window(outside, during)
    return RequestsLost(
        at_least=at_least,
        at_most=at_most,
        outside=outside,
        during=during,
        phase=phase,
        settle_s=settle_s,
        stream=stream,
        connection=connection,
        operation=operation,
        user=user,
        deadline_s=deadline_s,
        minimum_requests=minimum_requests,
    )
