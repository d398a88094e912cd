"""members_do_not_wait: members that come and go at once."""

from hypothesis import given, settings
from hypothesis import strategies as st

from chaoskit.guarantees import members_do_not_wait
from chaoskit.guarantees.verdict import Outcome
from tests.corpus.stateful_set_controller import StatefulSetRun
from tests.corpus.story import Story
from tests.corpus.verdicts import first, verdict_on

START = members_do_not_wait("kv", at="start")
SCALING = members_do_not_wait("kv", at="scaling down")
DELETION = members_do_not_wait("kv", at="deletion of the set")


def lived(*, parallel: bool, seed: int = 0, replicas: int = 3) -> Story:
    """Started, scaled down to one and up again, one member deleted by hand; the set deleted."""
    run = StatefulSetRun(parallel=parallel, seed=seed, replicas=replicas).go(30)
    run.scale(1)
    run.go(30)
    run.scale(replicas)
    run.go(30)
    run.delete(0)
    run.go(20)
    run.remove()
    run.go(10)
    return run.story


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1_000), replicas=st.integers(3, 6))
def test_a_parallel_set_does_not_wait(seed: int, replicas: int) -> None:
    story = lived(parallel=True, seed=seed, replicas=replicas)
    for rule in (START, SCALING, DELETION):
        verdict = verdict_on(rule, story)
        assert verdict.outcome is Outcome.HELD, verdict.summary


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1_000), replicas=st.integers(3, 6))
def test_an_ordered_set_waits_except_at_its_end(seed: int, replicas: int) -> None:
    story = lived(parallel=False, seed=seed, replicas=replicas)
    assert verdict_on(START, story).evidence.count == 2
    assert verdict_on(SCALING, story).evidence.count == 1
    assert verdict_on(DELETION, story).outcome is Outcome.HELD


def test_the_second_that_waited_is_the_witness() -> None:
    verdict = verdict_on(SCALING, lived(parallel=False))
    assert first(verdict)[1:] == ("each of kv-2, kv-1 waited for the one before", ["kv-1"])


def test_one_member_alone_shows_nothing() -> None:
    run = StatefulSetRun(parallel=True, replicas=1).go(10)
    run.delete(0)
    story = run.go(10).story
    for told in (story, Story()):
        for rule in (START, SCALING, DELETION):
            assert verdict_on(rule, told).outcome is Outcome.UNKNOWN
