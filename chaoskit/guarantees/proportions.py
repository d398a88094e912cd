"""What a share that was counted says about the share behind it: exact binomial bounds.

The bounds are those of Clopper and Pearson ("The use of confidence or fiducial limits illustrated
in the case of the binomial", Biometrika 26, 1934): quantiles of beta distributions. They hold for
every share and every number of trials, however small, and err only by being too wide.
"""

import math

from chaoskit.errors import UsageError

#: The confidence with which bounds are stated wherever nobody chose another.
CONFIDENCE = 0.95


def rule_of_three(total: int) -> float:
    """The largest share that fits with none of `total`, at 95 %: 3/n.

    The exact bound is 1 - 0.05^(1/n), which is less than 3/n and close to it, as -ln 0.05 = 2.996
    (Hanley and Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA 249, 1983).
    """
    _require_counts(0, total)
    return min(1.0, 3 / total)


def trials_needed(share: float) -> int:
    """How many trials tell a share from none at 95 %, by the rule of three: 3/share."""
    if not 0 < share <= 1:
        raise UsageError("is not a share above 0, and at most 1", subject="share", seen=share)
    return math.ceil(round(3 / share, 6))  # 3 / (1 - 0.9) is a little more than 30


def lower_bound(count: int, total: int, *, confidence: float = CONFIDENCE) -> float:
    """The smallest share that fits with `count` of `total`, as one limit (not one of two).

    Raises `UsageError` for counts or a confidence that cannot be.
    """
    _require_counts(count, total)
    _require_confidence(confidence)
    return 0.0 if count == 0 else _beta_quantile(count, total - count + 1, 1 - confidence)


def upper_bound(count: int, total: int, *, confidence: float = CONFIDENCE) -> float:
    """The largest share that fits with `count` of `total`, as one limit (not one of two).

    Raises `UsageError` for counts or a confidence that cannot be.
    """
    _require_counts(count, total)
    _require_confidence(confidence)
    return 1.0 if count == total else _beta_quantile(count + 1, total - count, confidence)


def interval(
    count: int, total: int, *, confidence: float = CONFIDENCE, unclear: int = 0
) -> tuple[float, float]:
    """The shares that fit with `count` of `total`: two limits that hold together.

    `unclear` more among `total` may count as well or not: the interval has room for both.
    """
    each = (1 + confidence) / 2
    return (
        lower_bound(count, total, confidence=each),
        upper_bound(count + unclear, total, confidence=each),
    )


def _beta_quantile(a: int, b: int, probability: float) -> float:
    # Importing scipy.special takes half a second: only those who need a bound pay for it.
    from scipy.special import betaincinv  # type: ignore[import-untyped]

    return float(betaincinv(a, b, probability))


def _require_counts(count: int, total: int) -> None:
    if total < 1 or not 0 <= count <= total:
        raise UsageError("cannot be", subject="a share", seen=f"{count} of {total}")


def _require_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise UsageError("is not between 0 and 1", subject="confidence", seen=confidence)
