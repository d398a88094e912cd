"""Whether requests fail only in ways that are foreseen."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chaoskit.errors import UsageError
from chaoskit.guarantees.attribution.error_class import (
    error_classes,
    matching_classes,
    require_patterns,
)
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.intervals import Codes
from chaoskit.guarantees.traffic.choice import Choice, require_one_window
from chaoskit.guarantees.traffic.selection import select
from chaoskit.guarantees.traffic.words import describe_request, when
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class ErrorClassesWithin(Choice):
    """Requests fail in no other way than these.

    Claims: each chosen request that was not ok failed with a class of error that is, or matches,
    one of `allowed`: "refused/connect", "timeout/*", "status 503", "status 5xx", "in_flight_limit".
    Violated when: one failed with another, and the driver was not in trouble itself.
    Unknown when: one did while the driver was, there were no requests, the fault was not proved in
    effect throughout its window, the phase is not on record or has no end, requests may be
    missing, or a load died.
    """

    allowed: tuple[str, ...]

    name: ClassVar[str] = "error_classes_within"
    version: ClassVar[int] = 2

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        chosen = select(history, self)
        found = Findings(title=f"requests fail with {', '.join(self.allowed)} only{when(self)}")
        found.doubt(*chosen.doubts)
        if not len(chosen):
            found.doubt("there were no requests")
        places: Codes = np.flatnonzero(~chosen.ok).astype(np.int32)
        classes = error_classes(history, chosen.rows[places])
        counts = np.bincount(classes.codes, minlength=len(classes.values)).tolist()
        told = dict(sorted(zip(classes.values, counts, strict=True)))
        found.coverage |= {"requests": len(chosen), "not ok": len(places)}
        found.coverage |= {f"not ok: {name}": count for name, count in told.items()}
        found.summary = ", ".join(f"{count} {name}" for name, count in told.items())
        is_allowed = np.array([*matching_classes(classes.values, self.allowed), True])
        other = ~is_allowed[classes.codes]
        charged = other & chosen.charged[places]
        if np.any(other & ~charged):
            found.doubt(*chosen.suspicion.failures())
        if charged.any() and chosen.has_sure_windows:
            strange = places[charged]
            found.violation_count = len(strange)
            for place in dict.fromkeys((int(strange[0]), int(strange[-1]))):
                text = describe_request(history, int(chosen.rows[place]))
                found.violate(int(chosen.planned_ns[place]), text, str(chosen.stream.at(place)))
        return conclude(self, found)


def error_classes_within(
    allowed: Iterable[str],
    *,
    outside: str | None = None,
    during: str | None = None,
    phase: str | None = None,
    settle_s: float = 0.0,
    stream: str | None = None,
    connection: str | None = None,
    operation: str | None = None,
    user: str | None = None,
) -> ErrorClassesWithin:
    """Requests fail in no other way than these; see `ErrorClassesWithin`.

    Raises `UsageError` for what is no class of errors, none at all, or both `outside` and `during`.
    """
    patterns = tuple(sorted({allowed} if isinstance(allowed, str) else set(allowed)))
    subject = "error_classes_within's allowed"
    if not patterns:
        next_step = "for no failure at all use no_request_lost()"
        raise UsageError("is empty", subject=subject, next_step=next_step)
    require_patterns(patterns, subject)
    require_one_window(outside, during)
    return ErrorClassesWithin(
        allowed=patterns,
        outside=outside,
        during=during,
        phase=phase,
        settle_s=settle_s,
        stream=stream,
        connection=connection,
        operation=operation,
        user=user,
    )
