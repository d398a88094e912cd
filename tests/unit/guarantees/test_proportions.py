"""Exact binomial bounds against sums of the binomial distribution itself."""

import subprocess
import sys
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import UsageError
from chaoskit.guarantees.proportions import (
    interval,
    lower_bound,
    rule_of_three,
    trials_needed,
    upper_bound,
)
from tests.corpus.examples import examples

counts = st.integers(1, 120).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
confidences = st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.999])


def at_most(count: int, total: int, share: float) -> float:
    """The probability of `count` or fewer of `total`."""
    return sum(comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(count + 1))


@examples(200)
@given(counts=counts, confidence=confidences)
def test_at_a_bound_what_was_counted_is_just_as_unlikely_as_stated(
    counts: tuple[int, int], confidence: float
) -> None:
    count, total = counts
    lower = lower_bound(count, total, confidence=confidence)
    upper = upper_bound(count, total, confidence=confidence)
    assert lower <= count / total <= upper or confidence == 0.5
    if count == 0:
        assert lower == 0
    else:
        assert 1 - at_most(count - 1, total, lower) == pytest.approx(1 - confidence, abs=1e-9)
    if count == total:
        assert upper == 1
    else:
        assert at_most(count, total, upper) == pytest.approx(1 - confidence, abs=1e-9)


@examples(100)
@given(counts=counts, confidence=confidences, unclear=st.integers(0, 20))
def test_an_interval_is_two_bounds_and_has_room_for_what_is_unclear(
    counts: tuple[int, int], confidence: float, unclear: int
) -> None:
    count, total = counts
    unclear = min(unclear, total - count)
    lower, upper = interval(count, total, confidence=confidence, unclear=unclear)
    each = (1 + confidence) / 2
    assert lower == lower_bound(count, total, confidence=each)
    assert upper == upper_bound(count + unclear, total, confidence=each)


def test_intervals_known_from_tables() -> None:
    # Two-sided 95 % limits of 1 of 10 and 5 of 20, as in any table of exact binomial limits.
    assert interval(1, 10) == pytest.approx((0.0025, 0.4450), abs=5e-5)
    assert interval(5, 20) == pytest.approx((0.0866, 0.4910), abs=5e-5)


def test_none_and_all_are_bounded_by_none_and_all() -> None:
    assert (lower_bound(0, 7), upper_bound(7, 7)) == (0, 1)
    assert interval(0, 7)[0] == 0
    assert interval(7, 7)[1] == 1


def test_what_is_unclear_makes_an_interval_wider_above() -> None:
    assert interval(1, 20, unclear=4) == (interval(1, 20)[0], interval(5, 20)[1])


def test_few_trials_tell_nothing_from_everything() -> None:
    assert [rule_of_three(total) for total in (1, 2, 3, 4)] == [1, 1, 1, 0.75]


@pytest.mark.parametrize("total", [1, 3, 30, 3000, 1_000_000])
def test_the_rule_of_three_is_the_exact_bound_rounded_up(total: int) -> None:
    exact = upper_bound(0, total)
    assert exact <= rule_of_three(total)
    assert total < 30 or rule_of_three(total) == pytest.approx(exact, rel=0.06)


@pytest.mark.parametrize(
    "share, needed", [(1 - 0.9, 30), (1 - 0.99, 300), (1 - 0.999, 3000), (0.7, 5), (1, 3)]
)
def test_trials_needed(share: float, needed: int) -> None:
    assert trials_needed(share) == needed


def test_counts_that_cannot_be_are_refused() -> None:
    for count, total in ((0, 0), (-1, 5), (6, 5)):
        for bound in (lower_bound, upper_bound, interval):
            with pytest.raises(UsageError) as refused:
                bound(count, total)
            assert str(refused.value) == f"a share: cannot be\n  seen: {count} of {total}"
    for confidence in (0, 1, 1.5):
        for bound in (lower_bound, upper_bound):
            with pytest.raises(UsageError) as refused:
                bound(1, 5, confidence=confidence)
            text = f"confidence: is not between 0 and 1\n  seen: {confidence}"
            assert str(refused.value) == text
    with pytest.raises(UsageError, match="0 of 0"):
        rule_of_three(0)
    for share in (0, -0.1, 1.1):
        with pytest.raises(UsageError) as refused:
            trials_needed(share)
        text = "share: is not a share above 0, and at most 1"
        assert str(refused.value) == f"{text}\n  seen: {share}"


def test_only_who_needs_a_bound_pays_for_importing_scipy() -> None:
    code = (
        "import sys, chaoskit.guarantees.judge\n"
        "from chaoskit.guarantees.proportions import rule_of_three, upper_bound\n"
        "rule_of_three(3000)\n"
        "assert 'scipy' not in sys.modules\n"
        "upper_bound(1, 3000)\n"
        "assert 'scipy.special' in sys.modules and 'scipy.stats' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
