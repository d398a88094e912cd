"""Which versions answered."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.intervals import counted
from chaoskit.guarantees.traffic.choice import Choice, require_one_window
from chaoskit.guarantees.traffic.columns import text_column
from chaoskit.guarantees.traffic.selection import select
from chaoskit.guarantees.traffic.words import describe_request, when
from chaoskit.guarantees.verdict import Verdict, Witness
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class OnlyVersions(Choice):
    """Only these revisions answer.

    Claims: each ok answer names one of `revisions` as its own.
    Violated when: one names another.
    Unknown when: an ok answer names none, there is no ok answer, the fault was not proved in
    effect throughout its window, the phase is not on record or has no end, or requests may be
    missing.
    """

    revisions: tuple[str, ...]

    name: ClassVar[str] = "only_versions"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        chosen = select(history, self)
        allowed = ", ".join(self.revisions)
        found = Findings(title=f"only {allowed} answer{when(self)}")
        found.doubt(*chosen.doubts)
        column = text_column(history, "revision")
        codes = chosen.taken(column.codes)
        wanted = [code for code, text in enumerate(column.values) if text in self.revisions]
        nameless = int(np.count_nonzero(chosen.ok & (codes < 0)))
        wrong = np.flatnonzero(chosen.ok & (codes >= 0) & ~np.isin(codes, wanted))
        counts = counted(codes[chosen.ok & (codes >= 0)], len(column.values))
        seen = {text: int(n) for text, n in zip(column.values, counts, strict=True) if n}
        found.coverage |= {f"answers of {text}": count for text, count in sorted(seen.items())}
        if nameless:
            found.doubt(f"{nameless} ok answers name no revision")
        if not seen:
            found.doubt("no answer names a revision")
        found.summary = ", ".join(f"{count} of {text}" for text, count in sorted(seen.items()))
        if len(wrong) and chosen.has_sure_windows:
            found.violation_count = len(wrong)
            for place in {int(wrong[0]), int(wrong[-1])}:
                row = int(chosen.rows[place])
                text = f"answered as revision {column.at(row)}: {describe_request(history, row)}"
                found.violations.append(Witness(time_ns=int(chosen.planned_ns[place]), text=text))
        return conclude(self, found)


def only_versions(
    revisions: Iterable[str],
    *,
    stream: str | None = None,
    connection: str | None = None,
    operation: str | None = None,
    user: str | None = None,
    outside: str | None = None,
    during: str | None = None,
    phase: str | None = None,
    settle_s: float = 0.0,
) -> OnlyVersions:
    """Only these revisions answer; see `OnlyVersions`."""
    require_one_window(outside, during)
    return OnlyVersions(
        revisions=tuple(revisions),
        stream=stream,
        connection=connection,
        operation=operation,
        user=user,
        outside=outside,
        during=during,
        phase=phase,
        settle_s=settle_s,
    )
