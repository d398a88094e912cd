"""runs_untouched: the very pod that waited becomes Ready once what it lacked is there."""

from hypothesis import given
from hypothesis import strategies as st

from chaoskit.guarantees import runs_untouched
from chaoskit.guarantees.verdict import Outcome
from tests.corpus.objects import pod, replica_set
from tests.corpus.rollouts import NEW, three_ready_pods
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

AFTER_PUSH = runs_untouched(60, "web", after="push")
AFTER_HEAL = runs_untouched(60, "web", fault="registry_stopped")


def stuck(*, ready_s: float | None = 50) -> Story:
    """A new pod that waits for its image from 11 s on, which is pushed at 40 s."""
    story = three_ready_pods().step("set_image", "Deployment web", 10)
    story.watched(10.5, "ReplicaSet", replica_set("rs-2", image="app:v9"), "ADDED")
    story.watched(11, "Pod", pod("new-0", of=NEW, waiting="ErrImagePull"), "ADDED")
    story.step("push", "Deployment web", 39.9)
    if ready_s is not None:
        story.watched(ready_s, "Pod", pod("new-0", of=NEW, ready_since=ready_s))
    return story


def test_the_pod_that_waited_and_is_ready_in_time_holds() -> None:
    verdict = verdict_on(AFTER_PUSH, stuck(), end_s=60)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.summary == "new-0 is Ready 10.0 s after 'push'"
    healed = stuck().fault("registry_stopped", "registry", 9, 35)
    assert verdict_on(AFTER_HEAL, healed, end_s=60).figures["ready_after_s"] == 14.7


def test_nothing_to_judge_is_unknown() -> None:
    for story in (
        Story(),
        three_ready_pods(),
        three_ready_pods().step("push", "Deployment web", 39.9),
        stuck(ready_s=20),
        stuck().gap("Pod", 45, "uid-never-seen"),
    ):
        assert verdict_on(AFTER_PUSH, story, end_s=200).outcome is Outcome.UNKNOWN
    assert verdict_on(AFTER_HEAL, stuck(), end_s=200).outcome is Outcome.UNKNOWN


def test_a_pod_that_is_replaced_is_violated_though_another_is_ready() -> None:
    story = stuck(ready_s=None)
    story.watched(45, "Pod", pod("new-0", of=NEW, waiting="ErrImagePull", leaving=True))
    story.watched(46, "Pod", pod("new-1", of=NEW, ready_since=46), "ADDED")
    time_ns, text, objects = first(verdict_on(AFTER_PUSH, story, end_s=200))
    assert (time_ns, objects) == (at(45), ["new-0"])
    assert text == "new-0 was taken away after 5.0 s, before it was Ready"


def test_what_becomes_of_it_later_does_not_count() -> None:
    story = stuck().watched(55, "Pod", pod("new-0", of=NEW, leaving=True))
    assert verdict_on(AFTER_PUSH, story, end_s=200).outcome is Outcome.HELD


def test_a_pod_that_never_runs_is_violated_at_its_limit_unless_the_record_ends() -> None:
    time_ns, text, _ = first(verdict_on(AFTER_PUSH, stuck(ready_s=None), end_s=120))
    assert time_ns == at(100)
    assert text == "new-0 is not Ready after 60 s"
    early = verdict_on(AFTER_PUSH, stuck(ready_s=None), end_s=90)
    assert early.outcome is Outcome.UNKNOWN
    gone_late = stuck(ready_s=None).watched(110, "Pod", pod("new-0", of=NEW, leaving=True))
    assert first(verdict_on(AFTER_PUSH, gone_late))[0] == at(100)


@given(ready_s=st.floats(min_value=40.5, max_value=150))
def test_it_is_violated_exactly_when_it_is_late(ready_s: float) -> None:
    verdict = verdict_on(AFTER_PUSH, stuck(ready_s=ready_s), end_s=160)
    wanted = Outcome.HELD if at(ready_s) <= at(100) else Outcome.VIOLATED
    assert verdict.outcome is wanted
