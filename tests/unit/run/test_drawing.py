"""Plans drawn from chance: the same from the same seed, within their length, no two on one node."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import UsageError
from chaoskit.faults import ComponentStopped, CpuStressed, Latency, NicDown
from chaoskit.run.drawing import LASTS_S, Round, drawn_rounds

FAULTS = (
    NicDown("a"),
    NicDown("b"),
    CpuStressed("b"),
    Latency(("a",), ("s",), delay_ms=100),
    ComponentStopped("s", "kube-scheduler"),
)
SEEDS = st.integers(0, 1 << 32)


def rounds(seed: int, length_s: float = 600) -> list[Round]:
    return drawn_rounds(random.Random(seed), FAULTS, length_s=length_s, rest_s=40)


@given(seed=SEEDS)
def test_a_seed_fixes_the_plan(seed: int) -> None:
    assert rounds(seed) == rounds(seed)
    assert str(rounds(seed)[0]) == str(rounds(seed)[0])


@given(seed=SEEDS, length_s=st.floats(60, 3600))
def test_rounds_fit_and_rest(seed: int, length_s: float) -> None:
    drawn = rounds(seed, length_s)
    assert sum(each.lasts_s for each in drawn) <= max(length_s, drawn[0].lasts_s)
    for each in drawn:
        last_s = max(one.at_s + one.for_s for one in each.plan)
        assert each.lasts_s == pytest.approx(last_s + 40)
        assert all(LASTS_S[0] <= one.for_s <= LASTS_S[1] for one in each.plan)


@given(seed=SEEDS)
def test_every_second_round_has_two_that_overlap_on_different_nodes(seed: int) -> None:
    for number, each in enumerate(rounds(seed)):
        assert len(each.plan) == 1 + number % 2
        if len(each.plan) == 2:
            first, second = each.plan
            assert not first.fault.reach.nodes & second.fault.reach.nodes
            assert 0 < second.at_s < first.for_s


@given(seed=SEEDS)
def test_each_fault_comes_before_any_comes_again(seed: int) -> None:
    firsts = [each.plan[0].fault for each in rounds(seed, 1200)]
    assert set(firsts[: len(FAULTS)]) == set(FAULTS)


def test_what_cannot_be_drawn_is_refused() -> None:
    for faults, length_s in ((FAULTS, 30.0), ([NicDown("a")], 600.0), ([], 600.0)):
        with pytest.raises(UsageError, match="no rounds"):
            drawn_rounds(random.Random(1), faults, length_s=length_s, rest_s=40)
