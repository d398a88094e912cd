"""What chance explains, and what it does not: tests of shares, and points where values change."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import (  # type: ignore[import-untyped]
    false_discovery_control,
    fisher_exact,
    mannwhitneyu,
    rankdata,
)

#: Fewer values than this on one side of a change say nothing of what they change from or to.
SIDE_AT_LEAST = 4
#: Chance that a change is reported where there is none, for each change and for all shares.
ALARM_AT_MOST = 0.01
FALSE_SHARE_AT_MOST = 0.05
# Of the cost of one more change, in variances of the ranks and logarithms of their number. Two is
# the Bayesian information criterion for a mean; three keeps a series of pure noise in one piece
# (tests/unit/trend says how often).
_PENALTY = 3.0
#: The library that looks for changes has no release for Pythons from this one on.
_NO_CHANGES_FROM = (3, 14)


@dataclass(frozen=True, kw_only=True)
class Changed:
    """Values are others from `at` on, the place of the first one; medians of both sides."""

    at: int
    before: float
    after: float
    p_value: float


def can_find_changes() -> bool:
    """Whether changes can be looked for on this Python."""
    return sys.version_info < _NO_CHANGES_FROM


def more_often(before: tuple[int, int], recent: tuple[int, int]) -> float:
    """Fisher's exact test, one-sided: how likely chance makes it so much more often.

    Each side is how often it happened, of how many.
    """
    table = [
        [recent[0], recent[1] - recent[0]],
        [before[0], before[1] - before[0]],
    ]
    return float(fisher_exact(table, alternative="greater").pvalue)


def adjusted(p_values: Sequence[float]) -> list[float]:
    """For many tests at once (Benjamini and Hochberg): below 0.05, 5 % of the alarms are false."""
    if not p_values:
        return []
    return [float(each) for each in false_discovery_control(list(p_values))]


def changes_in(values: Sequence[float]) -> list[Changed]:
    """The points at which the values become others: by their ranks, so that none weighs too much.

    Found by PELT (an exact search for the cheapest cut), and kept only where the exact test of
    Mann and Whitney confirms that both sides differ.
    """
    if len(values) < 2 * SIDE_AT_LEAST or len(set(values)) == 1:
        return []
    ranks = rankdata(values)
    spread = float(np.var(ranks))
    from ruptures import KernelCPD  # slow to load, and needed for long series alone

    search: Any = KernelCPD(kernel="linear", min_size=SIDE_AT_LEAST)  # linear: means of ranks
    penalty = _PENALTY * spread * float(np.log(len(values)))
    ends = [int(end) for end in search.fit_predict(ranks.reshape(-1, 1), pen=penalty)]
    cuts = [0, *ends]
    found = []
    for start, cut, end in zip(cuts, cuts[1:], cuts[2:], strict=False):
        one, other = values[start:cut], values[cut:end]
        p_value = float(mannwhitneyu(one, other).pvalue)
        if p_value <= ALARM_AT_MOST:
            found.append(
                Changed(
                    at=cut,
                    before=float(np.median(one)),
                    after=float(np.median(other)),
                    p_value=p_value,
                )
            )
    return found
