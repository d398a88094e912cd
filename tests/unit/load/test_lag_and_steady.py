"""The histogram of schedule lags, and the gates that say when a load is steady."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.load.lag import LagHistogram
from chaoskit.load.rates import Ramp, Spike, Staircase
from chaoskit.load.steady import SteadyGate, Tally, UserGate

QUARTER_NS = 250_000_000


@given(st.lists(st.integers(0, 10**11), min_size=1, max_size=300), st.floats(0.01, 1))
def test_quantile_is_within_a_64th_of_the_true_one(lags_ns: list[int], quantile: float) -> None:
    histogram = LagHistogram()
    for lag_ns in lags_ns:
        histogram.add(lag_ns)
    true_ms = sorted(lags_ns)[math.ceil(quantile * len(lags_ns)) - 1] / 1e6
    seen_ms = histogram.quantile_ms(quantile)
    assert true_ms - true_ms / 64 - 0.001 <= seen_ms <= true_ms
    assert histogram.highest_ms == max(lags_ns) / 1e6


def test_no_slots_have_no_lag_and_early_ones_count_as_none() -> None:
    assert LagHistogram().quantile_ms(0.99) == 0
    histogram = LagHistogram()
    histogram.add(-5000)
    assert histogram.quantile_ms(1) == 0
    assert histogram.highest_ms == 0


@given(st.lists(st.lists(st.integers(0, 10**11)), min_size=1, max_size=4))
def test_merged_histograms_are_that_of_all_lags(parts: list[list[int]]) -> None:
    histograms = [LagHistogram() for _ in parts]
    whole = LagHistogram()
    for histogram, lags_ns in zip(histograms, parts, strict=True):
        for lag_ns in lags_ns:
            histogram.add(lag_ns)
            whole.add(lag_ns)
    merged = LagHistogram.of_counts(histogram.counts for histogram in histograms)
    assert merged.counts == whole.counts
    for quantile in (0.01, 0.5, 0.99, 1.0):
        assert merged.quantile_ms(quantile) == whole.quantile_ms(quantile)


def _feed(gate: SteadyGate, rates: dict[str, tuple[float, float]], begin: int, ticks: int) -> bool:
    """Quarters of a second with so many (planned, ok) a second each."""
    steady = False
    for tick in range(begin, begin + ticks):
        tallies = {
            name: Tally(int(planned * tick / 4), int(ok * tick / 4))
            for name, (planned, ok) in rates.items()
        }
        steady = gate.update(tick * 250_000_000, tallies)
    return steady


def test_steady_needs_the_whole_span() -> None:
    gate = SteadyGate()
    assert not _feed(gate, {"a": (100, 100)}, 0, 6)
    assert _feed(gate, {"a": (100, 100)}, 6, 1)


def test_one_bad_stream_is_enough_against_it() -> None:
    assert not _feed(SteadyGate(), {"a": (100, 100), "b": (100, 80)}, 0, 40)
    assert not _feed(SteadyGate(), {"b": (100, 0), "a": (100, 100)}, 0, 40)


def test_slow_stream_needs_enough_slots() -> None:
    gate = SteadyGate()
    assert not _feed(gate, {"a": (0.5, 0.5)}, 0, 24)  # 3 slots planned at 4 s, seen at 6 s
    assert _feed(gate, {"a": (0.5, 0.5)}, 24, 8)


def test_steadiness_is_lost_and_found_again() -> None:
    gate = SteadyGate()
    lost = 0

    def tick(number: int, ok: int) -> bool:
        return gate.update(number * 250_000_000, {"a": Tally(25 * number, ok)})

    for number in range(8):
        assert tick(number, 25 * number) is (number >= 6)
    for number in range(8, 12):
        lost += not tick(number, 175)
    assert lost == 4
    assert [tick(number, 175 + 25 * (number - 11)) for number in range(12, 18)][-1]


def _follow(
    planned_by: Callable[[float], float], *, until_s: float, latency_s: float, ok_share: float = 1.0
) -> list[bool]:
    """What the gate says each quarter of a second of a load whose slots are answered so late."""
    gate, said = SteadyGate(), []
    for tick in range(int(until_s * 4) + 1):
        planned = int(planned_by(tick / 4))
        ok = int(ok_share * planned_by(max(tick / 4 - latency_s, 0)))
        said.append(gate.update(tick * QUARTER_NS, {"a": Tally(planned, ok)}))
    return said


RISING = [
    Ramp(from_per_s=0, to_per_s=1_000, over_s=10),
    Staircase(levels=((5, 10), (5, 1_000))),
    Spike(base_per_s=20, peak_per_s=800, at_s=5, for_s=2),
]


@pytest.mark.parametrize("shape", RISING, ids=lambda shape: type(shape).__name__)
def test_a_rate_that_changes_is_steady_all_along_once_it_is(
    shape: Ramp | Staircase | Spike,
) -> None:
    """Answers take 0.4 s: where the rate jumps, hundreds of them are still on their way."""
    said = _follow(shape.course.slots_by, until_s=12, latency_s=0.4)
    first = said.index(True)
    assert first <= 12  # 3 s
    assert all(said[first:])


@pytest.mark.parametrize("shape", RISING, ids=lambda shape: type(shape).__name__)
def test_a_rate_that_changes_hides_no_failures(shape: Ramp | Staircase | Spike) -> None:
    assert not any(_follow(shape.course.slots_by, until_s=12, latency_s=0.1, ok_share=0.0))
    lossy = _follow(shape.course.slots_by, until_s=9, latency_s=0.1, ok_share=0.75)
    assert not lossy[-1]


def test_a_stream_that_begins_late_is_not_steady_before_it_is_answered() -> None:
    """Nothing for 10 s, then slots that nobody answers."""
    late = Staircase(levels=((10, 0), (10, 100)))
    assert not any(_follow(late.course.slots_by, until_s=15, latency_s=0.1, ok_share=0.0))
    assert _follow(late.course.slots_by, until_s=15, latency_s=0.1)[-1]


def test_a_stream_that_falls_silent_stays_as_it_was() -> None:
    stairs = Staircase(levels=((5, 100), (1, 0)))
    said = _follow(stairs.course.slots_by, until_s=60, latency_s=0.1)
    assert all(said[8:])


def test_closed_load_is_steady_while_every_user_is_served() -> None:
    gate = UserGate(2, window_s=2.0)
    gate.answered("a", 0, ok=True)
    assert not gate.update(1, {})
    assert gate.unserved(1) == 1
    gate.answered("b", 10, ok=True)
    assert gate.update(11, {})
    assert gate.unserved(2_000_000_005) == 1  # a was served longer ago than 2 s
    assert not gate.update(2_000_000_005, {})
    gate.answered("a", 2_000_000_006, ok=True)
    assert gate.update(2_000_000_007, {})


def test_closed_load_with_failures_is_not_steady_until_they_lie_back() -> None:
    gate = UserGate(1, window_s=2.0)
    for tick in range(20):
        gate.answered("a", tick * QUARTER_NS, ok=True)
        gate.answered("a", tick * QUARTER_NS, ok=tick >= 8)
        said = gate.update(tick * QUARTER_NS, {})
        # a tenth of 16 answers in 2 s may fail: the last failure is at tick 7
        assert said is (tick >= 14)


def test_answers_of_nobody_known_serve_no_user() -> None:
    gate = UserGate(1, window_s=2.0)
    gate.answered(None, 5, ok=True)
    assert not gate.update(6, {})
