"""ordinals_in_order on generated runs: the sound are never accused, each planted swap is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.guarantees.verdict import Outcome
from tests.corpus.examples import examples
from tests.corpus.stateful_set_controller import DEFECTS, StatefulSetRun
from tests.corpus.verdicts import first
from tests.unit.guarantees.stateful_sets.test_ordinal_order import check


def operated(
    seed: int, *, parallel: bool, min_ready_s: int, max_unavailable: int | None
) -> StatefulSetRun:
    """A sound controller under an operator who does anything at any time."""
    run = StatefulSetRun(
        seed=seed, parallel=parallel, min_ready_s=min_ready_s, max_unavailable=max_unavailable
    )
    dice = run.random
    names = ("kv-a", "kv-b", "kv-c")
    for _act in range(12):
        run.go(dice.choice((0.5, 2, 5, 15)))
        ordinal = dice.randrange(6)
        act = dice.randrange(8)
        if act == 0:
            run.scale(dice.randrange(6))
        elif act == 1:
            run.update(dice.choice(names))
        elif act == 2:
            partition = dice.randrange(4)
            run.set_strategy("RollingUpdate", partition=partition)
        elif act == 3:
            run.set_strategy("OnDelete")
        elif act == 4:
            run.delete(ordinal, force=dice.random() < 0.5)
        elif act == 5:
            run.evict(ordinal)
        elif act == 6:
            run.disturb(ordinal, for_s=dice.choice((1, 10)))
        else:
            run.fail(ordinal)
    run.go(20)
    if dice.random() < 0.3:
        run.remove()
    return run


@examples(150)
@given(
    seed=st.integers(0, 1_000_000),
    parallel=st.booleans(),
    min_ready_s=st.sampled_from((0, 3)),
    max_unavailable=st.sampled_from((None, None, 1, 2)),
)
def test_whatever_the_operator_does_a_sound_controller_is_never_accused(
    seed: int, parallel: bool, min_ready_s: int, max_unavailable: int | None
) -> None:
    run = operated(
        seed, parallel=parallel, min_ready_s=min_ready_s, max_unavailable=max_unavailable
    )
    assert check(run.story).outcome is not Outcome.VIOLATED, check(run.story).evidence


@examples(60)
@given(seed=st.integers(0, 10_000), defect=st.sampled_from(DEFECTS), replicas=st.integers(3, 6))
def test_a_planted_swap_is_always_found_with_the_right_pod(
    seed: int, defect: str, replicas: int
) -> None:
    run = StatefulSetRun(seed=seed, defect=defect, replicas=replicas).go(40)
    run.scale(1)
    run.go(40)
    run.scale(replicas)
    run.go(40)
    run.set_strategy("RollingUpdate", partition=2)
    run.update("kv-b")
    run.go(40)
    run.delete(0)
    run.go(30)
    run.set_strategy("RollingUpdate")
    run.go(60)
    assert run.offence is not None
    time_ns, _text, objects = first(check(run.story))
    assert (time_ns, objects[0]) == run.offence


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_of_a_controller_is_found_with_its_first_offence(defect: str) -> None:
    run = StatefulSetRun(defect=defect, replicas=4).go(30)
    run.scale(2)
    run.go(30)
    run.scale(4)
    run.go(30)
    run.set_strategy("RollingUpdate", partition=2)
    run.update("kv-b")
    run.go(30)
    run.delete(0)
    run.go(30)
    if defect != "leaks_the_new_revision":
        run.set_strategy("RollingUpdate")
        run.go(40)
    assert run.offence is not None
    time_ns, _text, objects = first(check(run.story))
    assert (time_ns, objects[0]) == run.offence
