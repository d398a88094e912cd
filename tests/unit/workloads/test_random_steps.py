"""Plans of random steps: the same from the same seed, and each step does something."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import UsageError
from chaoskit.workloads.random_steps import RandomStep, drawn
from tests.corpus.examples import examples

VERBS = {"set_image", "undo", "scale", "pause", "resume", "delete"}


@given(seed=st.integers(), count=st.integers(0, 60))
@examples(200)
def test_a_seed_draws_one_plan(seed: int, count: int) -> None:
    plan = drawn(random.Random(seed), count)
    assert len(plan) == count
    assert plan == drawn(random.Random(seed), count)
    assert plan[: count // 2] == drawn(random.Random(seed), count // 2), "a longer plan goes on"
    assert all(0.5 <= step.then_s <= 3.0 for step in plan)


@given(seed=st.integers(), count=st.integers(0, 60))
@examples(200)
def test_each_step_does_something_after_those_before_it(seed: int, count: int) -> None:
    version, paused, replicas, rolled = "v1", False, "", ["v1"]
    for step in drawn(random.Random(seed), count):
        match step.verb:
            case "set_image":
                assert step.argument in {"v1", "v2", "v3"} - {version}
                version = step.argument
            case "undo":
                assert not paused
                assert len(rolled) > 1
                version = rolled[-2]
            case "scale":
                assert 2 <= int(step.argument) <= 6
                assert step.argument != replicas
                replicas = step.argument
            case "pause" | "resume":
                assert paused == (step.verb == "resume")
                paused = not paused
            case "delete":
                assert int(step.argument) >= 0
        if not paused:
            rolled = [each for each in rolled if each != version] + [version]


def test_all_verbs_are_drawn_and_updates_most() -> None:
    plan = drawn(random.Random(1), 1000)
    counts = {verb: sum(step.verb == verb for step in plan) for verb in VERBS}
    assert min(counts.values()) > 50
    assert counts["set_image"] == max(counts.values())


def test_a_step_reads_as_what_it_does() -> None:
    assert str(RandomStep(verb="scale", argument="4", then_s=1.5)) == "scale 4"
    assert str(RandomStep(verb="undo")) == "undo"


@pytest.mark.parametrize(
    "count, versions, replicas",
    [(-1, ("v1", "v2"), (2, 6)), (3, ("v1",), (2, 6)), (3, ("v1", "v2"), (3, 3))],
)
def test_a_plan_that_cannot_be_drawn(
    count: int, versions: tuple[str, ...], replicas: tuple[int, int]
) -> None:
    with pytest.raises(UsageError, match="no plan can be drawn"):
        drawn(random.Random(0), count, versions=versions, replicas=replicas)
