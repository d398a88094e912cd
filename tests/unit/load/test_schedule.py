"""Properties of the schedule: repeatable, in order, at its rate, fair to streams, unique writes."""

from collections import Counter
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.load.profile import LoadPlan, Operation
from chaoskit.load.schedule import Slot, slots
from tests.unit.load.loads import READ, WRITE, plan, stream


@st.composite
def plans(draw: st.DrawFn) -> LoadPlan:
    shares = draw(st.lists(st.integers(1, 9), min_size=1, max_size=5))
    return plan(
        *(
            stream(8080 + index, name=f"s{index}", share=share, operations=(READ, WRITE))
            for index, share in enumerate(shares)
        ),
        rate_per_s=draw(st.floats(0.1, 5000)),
        seed=draw(st.integers(0, 2**63)),
        arrivals=draw(st.sampled_from(["uniform", "poisson"])),
    )


def first(count: int, the_plan: LoadPlan) -> list[Slot]:
    return list(islice(slots(the_plan), count))


@given(plans())
def test_same_plan_gives_same_slots(the_plan: LoadPlan) -> None:
    assert first(200, the_plan) == first(200, the_plan)


@given(plans())
def test_numbers_are_dense_and_offsets_in_order(the_plan: LoadPlan) -> None:
    some = first(200, the_plan)
    assert [slot.number for slot in some] == list(range(200))
    offsets = [slot.offset_ns for slot in some]
    assert offsets == sorted(offsets)
    assert offsets[0] >= 0


@given(plans())
def test_streams_get_exactly_their_shares_in_each_round(the_plan: LoadPlan) -> None:
    total = sum(each.share for each in the_plan.streams)
    some = first(3 * total, the_plan)
    for begin in range(0, 3 * total, total):
        taken = Counter(slot.stream.name for slot in some[begin : begin + total])
        assert taken == {each.name: each.share for each in the_plan.streams}


@given(plans())
def test_writes_are_unique_and_reads_carry_nothing(the_plan: LoadPlan) -> None:
    some = first(200, the_plan)
    writes = [slot for slot in some if slot.operation.name == "write"]
    assert len({slot.key for slot in writes}) == len(writes)
    assert len({slot.value for slot in writes}) == len(writes)
    assert all(slot.key and slot.value for slot in writes)
    assert all(slot.key is None and slot.value is None for slot in some if slot.operation is READ)


@given(plans())
def test_uniform_slot_lies_in_the_first_half_of_its_cell(the_plan: LoadPlan) -> None:
    if the_plan.arrivals == "uniform":
        for slot in first(100, the_plan):
            position = slot.offset_ns * the_plan.rate_per_s / 1e9 - slot.number
            assert -1e-3 <= position <= 0.5 + 1e-3


@pytest.mark.parametrize("arrivals", ["uniform", "poisson"])
def test_long_run_rate_is_the_planned_one(arrivals: str) -> None:
    some = first(20_000, plan(stream(80), rate_per_s=100, arrivals=arrivals))
    assert some[-1].offset_ns / 1e9 == pytest.approx(200, rel=0.03)


def test_poisson_gaps_are_exponential() -> None:
    """Mean and deviation of exponential gaps are equal; uniform ones deviate far less."""
    offsets = [s.offset_ns for s in first(20_000, plan(stream(80), arrivals="poisson"))]
    gaps = [b - a for a, b in pairwise(offsets)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert deviation == pytest.approx(mean, rel=0.05)


def test_slots_do_not_keep_step_with_a_fault_of_one_second() -> None:
    """At 1 slot a second, the moments within the second cover half of it."""
    within = {
        slot.offset_ns // 50_000_000 % 20 for slot in first(500, plan(stream(80), rate_per_s=1))
    }
    assert within == set(range(10))


def test_another_seed_or_load_gives_other_slots() -> None:
    def values(**changes: object) -> list[str | None]:
        both = stream(80, operations=(WRITE,))
        return [slot.value for slot in first(50, plan(both, **changes))]

    assert len({tuple(values(seed=1)), tuple(values(seed=2))}) == 2
    assert not set(values(load_id="a")) & set(values(load_id="b"))


def test_operations_come_by_weight() -> None:
    heavy = Operation(name="read", method="GET", path="/", weight=3)
    some = first(8_000, plan(stream(80, operations=(heavy, WRITE))))
    reads = sum(slot.operation.name == "read" for slot in some)
    assert reads == pytest.approx(6_000, rel=0.03)


def test_key_is_given_where_the_path_asks_for_it() -> None:
    keyed = Operation(name="read", method="GET", path="/kv/{key}")
    some = first(3, plan(stream(80, operations=(keyed,))))
    assert [slot.key for slot in some] == ["load-1-0", "load-1-1", "load-1-2"]
    assert {slot.value for slot in some} == {None}
