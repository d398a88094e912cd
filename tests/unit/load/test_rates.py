"""Rates over time: what is refused, the course of each, and arrivals that follow it."""

import math
from itertools import islice, pairwise, takewhile
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import UsageError
from chaoskit.load.profile import LoadPlan
from chaoskit.load.rates import Constant, Ramp, Replay, Shape, Spike, Staircase
from chaoskit.load.schedule import slots
from tests.unit.load.loads import plan, stream

RATES = st.one_of(st.just(0.0), st.floats(0.5, 2_000))
SECONDS = st.floats(0.01, 60)


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """Any shape but a replay, with a highest rate that a plan takes."""
    shape: Shape = draw(
        st.one_of(
            st.builds(Constant, rate_per_s=RATES),
            st.builds(Ramp, from_per_s=RATES, to_per_s=RATES, over_s=SECONDS),
            st.builds(
                Staircase,
                levels=st.lists(st.tuples(SECONDS, RATES), min_size=1, max_size=6).map(tuple),
            ),
            st.builds(Spike, base_per_s=RATES, peak_per_s=RATES, at_s=SECONDS, for_s=SECONDS),
        ).filter(lambda shape: shape.highest_per_s > 0)
    )
    return shape


def shaped(shape: Shape, **changes: Any) -> LoadPlan:
    return plan(stream(80), **({"rate_per_s": 0.0, "shape": shape} | changes))


def offsets(the_plan: LoadPlan, count: int = 2_000) -> list[int]:
    return [slot.offset_ns for slot in islice(slots(the_plan), count)]


def rate_at(shape: Shape, time_s: float) -> float:
    """The rate by the shape's own words, not by its segments."""
    match shape:
        case Constant(rate_per_s=rate):
            return rate
        case Ramp(from_per_s=low, to_per_s=high, over_s=over_s):
            return low + (high - low) * min(time_s / over_s, 1.0)
        case Spike(base_per_s=base, peak_per_s=peak, at_s=at_s, for_s=for_s):
            return peak if at_s <= time_s < at_s + for_s else base
        case Staircase(levels=levels):
            for length_s, rate in levels:
                if time_s < length_s:
                    return rate
                time_s -= length_s
            return levels[-1][1]
    raise AssertionError(shape)


@given(shapes(), st.floats(0, 100))
def test_slots_expected_are_the_integral_of_the_rate(shape: Shape, until_s: float) -> None:
    assert not isinstance(shape, Replay)
    steps = 2_000
    width_s = until_s / steps
    summed = math.fsum(rate_at(shape, (step + 0.5) * width_s) for step in range(steps)) * width_s
    # the sum is off by at most a step's width at each jump of the rate
    error = 7 * shape.highest_per_s * width_s + 1e-6
    assert shape.course.slots_by(until_s) == pytest.approx(summed, abs=error)


@given(shapes(), st.floats(0, 5_000))
def test_inverse_leads_back(shape: Shape, count: float) -> None:
    assert not isinstance(shape, Replay)
    at_s = shape.course.time_of(count)
    if at_s is None:
        assert shape.course.slots_by(1e6) <= count + 1e-6
    else:
        assert shape.course.slots_by(at_s) == pytest.approx(count, rel=1e-9, abs=1e-6)


@given(shapes(), st.integers(0, 2**63))
def test_uniform_slots_up_to_any_of_them_are_those_expected_within_one(
    shape: Shape, seed: int
) -> None:
    assert not isinstance(shape, Replay)
    for number, offset_ns in enumerate(offsets(shaped(shape, seed=seed), 200)):
        expected = shape.course.slots_by(offset_ns / 1e9)
        # a slot lies in the first half of its own cell; a nanosecond is lost in rounding
        assert number - 1e-3 <= expected <= number + 0.5 + 1e-3


@given(shapes(), st.sampled_from(["uniform", "poisson"]), st.integers(0, 2**63))
def test_the_same_plan_gives_the_same_slots_in_order(
    shape: Shape, arrivals: str, seed: int
) -> None:
    the_plan = shaped(shape, arrivals=arrivals, seed=seed)
    some = offsets(the_plan, 300)
    assert some == offsets(the_plan, 300) == sorted(some)
    assert not some or some[0] >= 0


@given(shapes())
def test_a_plan_with_a_shape_travels(shape: Shape) -> None:
    the_plan = shaped(shape)
    assert msgspec.json.decode(msgspec.json.encode(the_plan), type=LoadPlan) == the_plan


@pytest.mark.parametrize("arrivals", ["uniform", "poisson"])
def test_a_ramp_ends_up_twice_as_dense_in_its_second_half(arrivals: str) -> None:
    """From 0 to 100/s in 100 s: a quarter of the 5,000 slots in the first half, then 100/s."""
    the_plan = shaped(Ramp(from_per_s=0, to_per_s=100, over_s=100), arrivals=arrivals)
    some = offsets(the_plan, 10_000)
    first, second = (sum(low <= at < low + 50e9 for at in some) for low in (0, 50e9))
    assert first == pytest.approx(1_250, rel=0.1)
    assert second == pytest.approx(3_750, rel=0.1)
    assert some[-1] / 1e9 == pytest.approx(150, rel=0.03)


def test_poisson_arrivals_of_a_ramp_are_exponential_in_expected_slots() -> None:
    """Taken through the integral of the rate, they are a Poisson process of rate 1 again."""
    ramp = Ramp(from_per_s=10, to_per_s=200, over_s=100)
    at = [ramp.course.slots_by(ns / 1e9) for ns in offsets(shaped(ramp, arrivals="poisson"), 9_000)]
    gaps = [later - sooner for sooner, later in pairwise(at)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert mean == pytest.approx(1.0, rel=0.05)
    assert deviation == pytest.approx(1.0, rel=0.05)


@pytest.mark.parametrize("arrivals", ["uniform", "poisson"])
def test_no_slot_falls_where_the_rate_is_none(arrivals: str) -> None:
    stairs = Staircase(levels=((10, 20), (30, 0), (10, 20)))
    some = offsets(shaped(stairs, arrivals=arrivals), 400)
    assert not [at for at in some if 10e9 < at < 40e9]
    assert [at for at in some if at < 10e9]
    assert [at for at in some if at > 40e9]


@pytest.mark.parametrize(
    "shape, expected",
    [
        (Ramp(from_per_s=100, to_per_s=0, over_s=10), 500),
        (Staircase(levels=((5, 10), (1, 0))), 50),
    ],
)
def test_a_rate_that_comes_down_to_nothing_ends_the_schedule(shape: Shape, expected: int) -> None:
    assert len(offsets(shaped(shape))) == expected
    assert len(offsets(shaped(shape, arrivals="poisson"))) == pytest.approx(expected, rel=0.3)


def test_a_spike_stands_out_for_its_time() -> None:
    spike = Spike(base_per_s=10, peak_per_s=200, at_s=5, for_s=2)
    some = list(takewhile(lambda at: at < 12e9, offsets(shaped(spike))))
    assert sum(5e9 <= at < 7e9 for at in some) == pytest.approx(400, abs=1)
    assert sum(at < 5e9 for at in some) == pytest.approx(50, abs=1)
    assert sum(at >= 7e9 for at in some) == pytest.approx(50, abs=1)


def test_a_replay_is_sent_as_it_was() -> None:
    replay = Replay(offsets_ns=(0, 5, 5, 2_000_000_000))
    assert offsets(shaped(replay)) == [0, 5, 5, 2_000_000_000]
    assert replay.duration_s == 2.0
    with pytest.raises(UsageError, match="a replay has its own"):
        shaped(replay, arrivals="poisson")


def test_the_busiest_second_of_a_replay_is_its_highest_rate() -> None:
    crowd = tuple(range(900_000_000, 1_000_000_000, 1_000_000))  # 100 in a tenth of a second
    replay = Replay(offsets_ns=(0, *crowd, 1_899_999_999, 1_900_000_000))
    assert replay.highest_per_s == 101
    assert shaped(replay).in_flight_limit == 404  # 101/s times 4 s


SHAPES_REFUSED: list[tuple[type[Any], dict[str, Any]]] = [
    (Ramp, {"from_per_s": -1, "to_per_s": 1, "over_s": 1}),
    (Ramp, {"from_per_s": 1, "to_per_s": float("nan"), "over_s": 1}),
    (Ramp, {"from_per_s": 1, "to_per_s": 1, "over_s": 0}),
    (Staircase, {"levels": ()}),
    (Staircase, {"levels": ((1, 5), (0, 5))}),
    (Staircase, {"levels": ((1, 5), (1, float("inf")))}),
    (Spike, {"base_per_s": 1, "peak_per_s": 5, "at_s": -1, "for_s": 1}),
    (Spike, {"base_per_s": 1, "peak_per_s": 5, "at_s": 1, "for_s": 0}),
    (Replay, {"offsets_ns": ()}),
    (Replay, {"offsets_ns": (-1, 5)}),
    (Replay, {"offsets_ns": (5, 4)}),
    (Replay, {"offsets_ns": (0, 90_000 * 10**9)}),
]


@pytest.mark.parametrize("kind, values", SHAPES_REFUSED, ids=str)
def test_shapes_are_checked(kind: type[Any], values: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="cannot be driven"):
        kind(**values)


@pytest.mark.parametrize(
    "shape",
    [
        Ramp(from_per_s=1, to_per_s=5_001, over_s=1),
        Staircase(levels=((1, 5), (1, 5_001))),
        Spike(base_per_s=1, peak_per_s=5_001, at_s=1, for_s=1),
        Replay(offsets_ns=(0,) * 5_001),
        Constant(rate_per_s=0.0),
    ],
    ids=lambda shape: type(shape).__name__,
)
def test_the_peak_is_bounded(shape: Shape) -> None:
    with pytest.raises(UsageError, match="the highest rate of"):
        shaped(shape)


def test_new_connections_are_bounded_by_the_peak() -> None:
    spike = Spike(base_per_s=10, peak_per_s=201, at_s=1, for_s=1)
    with pytest.raises(UsageError, match=r"201\.0 new connections/s"):
        plan(stream(80, "new"), rate_per_s=0.0, shape=spike)
    plan(stream(80, "new"), stream(80, "kept"), rate_per_s=0.0, shape=spike)


def test_a_rate_beside_a_shape_is_refused() -> None:
    with pytest.raises(UsageError, match="leave it out beside a shape"):
        shaped(Constant(rate_per_s=5), rate_per_s=5)


def test_a_constant_shape_is_the_plain_rate() -> None:
    assert offsets(shaped(Constant(rate_per_s=70))) == offsets(plan(stream(80), rate_per_s=70))
