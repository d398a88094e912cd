"""Where claims about rollouts begin and end, and what their verdicts say in full."""

import pytest

from chaoskit.guarantees import (
    no_needless_restart,
    progress_deadline_reported,
    revision_semantics,
    rollout_bounds,
    step_refused,
)
from chaoskit.guarantees.rollouts.revision_history import _listed
from chaoskit.guarantees.rollouts.revision_limit import _is_empty
from chaoskit.guarantees.rollouts.rollout_completion import _is_rolled_out
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import Watched
from tests.corpus.deployments import numbered, web
from tests.corpus.objects import Object, deployment, pod, replica_set
from tests.corpus.rollouts import KINDS, NEW, OLD, bad_rollout, good_rollout
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, in_full, verdict_on
from tests.unit.guarantees.rollouts.test_paused import HELD as PAUSED
from tests.unit.guarantees.rollouts.test_paused import paused
from tests.unit.guarantees.rollouts.test_recreate import check, recreated
from tests.unit.guarantees.rollouts.test_refusals import REFUSAL, REFUSED, at_rest, undo
from tests.unit.guarantees.rollouts.test_revisions import with_limit


def rolling(unavailable: int | str, *, replicas: int = 8, taken: int = 2) -> Story:
    """A bad rollout of 8 pods, of which so many go while it is tried."""
    story = Story().clock()
    obj = deployment(replicas=replicas, unavailable=unavailable, surge=0)
    story.watched(0, "Deployment", obj, "LISTED")
    story.watched(0, "ReplicaSet", replica_set("rs-1"), "LISTED")
    for number in range(replicas):
        story.watched(0, "Pod", pod(f"old-{number}", of=OLD, ready_since=-60), "LISTED")
    story.watching(*KINDS, second=0.1).step("set_image", "deployment/web", 10)
    bad = deployment(replicas=replicas, unavailable=unavailable, surge=0, image="app:none")
    story.watched(10.1, "Deployment", bad)
    story.watched(10.1, "ReplicaSet", replica_set("rs-2", image="app:none"), "ADDED")
    for number in range(taken):
        story.watched(11 + number, "Pod", pod(f"old-{number}", of=OLD), "DELETED")
    return story.ended(60)


@pytest.mark.parametrize(
    "unavailable, allowed", [("25%", 2), ("30%", 2), ("38%", 3), (1, 1), (0, 1), ("1%", 1)]
)
def test_as_many_pods_may_go_as_the_strategy_allows(unavailable: int | str, allowed: int) -> None:
    rule = no_needless_restart("web")
    assert verdict_on(rule, rolling(unavailable, taken=allowed)).outcome is Outcome.HELD
    time_ns, text, names = first(verdict_on(rule, rolling(unavailable, taken=allowed + 1)))
    assert (time_ns, names) == (at(11 + allowed), [f"old-{allowed}"])
    assert text == f"old-{allowed} was taken away (at most {allowed} may be)"


def without(story: Story, *fields: str) -> Story:
    for event in story.events:
        if isinstance(event, Watched) and event.kind == "Deployment":
            for field in fields:
                del event.object["spec"]["strategy"]["rollingUpdate"][field]
    return story


def test_a_strategy_that_says_nothing_allows_a_quarter() -> None:
    rule = no_needless_restart("web")
    for taken, outcome in ((2, Outcome.HELD), (3, Outcome.VIOLATED)):
        story = without(rolling(0, taken=taken), "maxUnavailable")
        assert verdict_on(rule, story).outcome is outcome
    for taken, outcome in ((0, Outcome.HELD), (1, Outcome.VIOLATED)):
        story = without(rolling(0, taken=taken), "maxSurge")
        assert verdict_on(rule, story).outcome is outcome


def test_pods_are_left_alone_until_the_next_step_after_the_undo() -> None:
    rule = no_needless_restart("web")
    for second, outcome in ((30, Outcome.VIOLATED), (49, Outcome.HELD)):
        story = bad_rollout().step("scale", "deployment/web", second)
        story.watched(50, "Pod", pod("old-1", of=OLD, leaving=True))
        assert verdict_on(rule, story).outcome is outcome


def test_labels_and_annotations_of_its_owner_are_changes() -> None:
    for key in ("labels", "annotations"):
        story = undo(at_rest(), 5, "failed", REFUSAL)
        changed = web(revision=2)
        changed["metadata"].setdefault(key, {})["team"] = "a"
        story.watched(5.2, "Deployment", changed)
        assert first(verdict_on(REFUSED, story, end_s=10))[0] == at(5.2)
    story = undo(at_rest(), 5, "failed", REFUSAL)
    story.watched(5.2, "Deployment", web(revision=7))  # the controller's own annotation
    assert verdict_on(REFUSED, story, end_s=10).outcome is Outcome.HELD


def test_a_pause_that_nobody_ends_lasts_to_the_end_of_the_record() -> None:
    story = paused()
    story.events = [each for each in story.events if getattr(each, "name", "") != "resume"]
    late = story.watched(30, "ReplicaSet", numbered("rs-2", 2, image="app:v2"), "ADDED")
    assert first(verdict_on(PAUSED, late, end_s=40))[0] == at(30)


def test_a_pause_in_full() -> None:
    story = paused().watched(9, "Pod", pod("web-9"), "ADDED")
    assert in_full(verdict_on(PAUSED, story, end_s=30)) == [
        "nothing_rolls_while_paused 1: nothing of web rolls while it is paused",
        "HELD: 1 changes of its template in 1 pauses",
        "pauses: 1",
        "template changes while paused: 1",
        "pods_made_or_gone_while_paused = 1",
    ]
    assert in_full(verdict_on(PAUSED, paused(edited=False), end_s=30)) == [
        "nothing_rolls_while_paused 1: nothing of web rolls while it is paused",
        (
            "UNKNOWN: cannot tell: its template did not change while it was paused; 0"
            " changes of its template in 1 pauses"
        ),
        "pauses: 1",
        "template changes while paused: 0",
        "pods_made_or_gone_while_paused = 0",
    ]
    made = paused().watched(8, "ReplicaSet", numbered("rs-2", 2, image="app:v2"), "ADDED")
    assert in_full(verdict_on(PAUSED, made, end_s=30)) == [
        "nothing_rolls_while_paused 1: nothing of web rolls while it is paused",
        ("VIOLATED: 1 changes of its template in 1 pauses; ReplicaSet rs-2 was made while paused"),
        "first, worst, last of 1 at 8 s: ReplicaSet rs-2 was made while paused [rs-2]",
        "pauses: 1",
        "template changes while paused: 1",
        "pods_made_or_gone_while_paused = 0",
    ]


def test_a_pod_that_is_listed_again_was_not_created_again() -> None:
    story = recreated()
    running = pod("new-0", of=("ReplicaSet", "rs-2"), node="n2", container_id="c-new-0")
    story.watched(20, "Pod", running, "ADDED")
    assert check(story).coverage["pods created"] == 1


def test_what_a_history_lists_is_short_where_it_is_a_run() -> None:
    assert _listed([1, 2, 3, 4]) == "{1,2,3,4}"
    assert _listed([3, 4, 5, 6, 7]) == "{3,…,7}"
    assert _listed([3, 4, 5, 6, 8]) == "{3,4,5,6,8}"
    assert _listed([]) == "{}"


def test_bounds_that_the_deployment_does_not_name_are_those_of_kubernetes() -> None:
    """A quarter of three: one pod more, rounded up, and none fewer."""
    story = without(good_rollout(), "maxSurge", "maxUnavailable")
    assert verdict_on(rollout_bounds("web"), story).outcome is Outcome.HELD
    story.watched(90, "Pod", pod("new-9", of=NEW), "ADDED")
    story.watched(91, "Pod", pod("new-8", of=NEW), "ADDED")
    time_ns, text, _ = first(verdict_on(rollout_bounds("web"), story, end_s=99))
    assert (time_ns, text) == (at(91), "5 pods where at most 4 may be")


@pytest.mark.parametrize(
    "kind, status, replicas, complete",
    [
        ("StatefulSet", {}, 0, True),
        ("StatefulSet", {}, 1, False),
        ("StatefulSet", {"readyReplicas": 1, "updatedReplicas": 1}, 1, True),
        ("StatefulSet", {"readyReplicas": 1}, 1, False),
        (
            "StatefulSet",
            {"readyReplicas": 1, "updatedReplicas": 1, "currentRevision": "a"},
            1,
            False,
        ),
        ("DaemonSet", {}, 0, True),
        ("DaemonSet", {"desiredNumberScheduled": 2, "numberAvailable": 2}, 0, False),
        (
            "DaemonSet",
            {"desiredNumberScheduled": 2, "numberAvailable": 2, "updatedNumberScheduled": 2},
            0,
            True,
        ),
    ],
)
def test_a_workload_is_rolled_out_when_its_status_says_so(
    kind: str, status: Object, replicas: int, complete: bool
) -> None:
    obj: Object = {"metadata": {}, "spec": {"replicas": replicas}, "status": status}
    assert _is_rolled_out(kind, obj) is complete
    obj["metadata"]["generation"] = 2
    assert _is_rolled_out(kind, obj) is False


def test_a_replica_set_is_empty_when_its_last_pod_is_gone() -> None:
    rs = numbered("rs-1", 1)
    assert _is_empty(rs)
    for changed in ({"replicas": 1}, {"observedGeneration": 0}):
        assert not _is_empty({**rs, "status": rs["status"] | changed})
    assert not _is_empty({**rs, "spec": {"replicas": 1}})


def test_what_was_reported_before_everything_was_watched_is_not_judged() -> None:
    exceeded = web(complete=False, progress=("ProgressDeadlineExceeded", 0.6))
    story = Story().watched(0, "Deployment", web(complete=False, progress=("x", 0)), "LISTED")
    story.watched(0.6, "Deployment", exceeded).watching("Deployment", second=1)
    assert in_full(verdict_on(progress_deadline_reported("web"), story, end_s=5)) == [
        "progress_deadline_reported 2: web reports that its rollout stands still",
        "UNKNOWN: cannot tell: no rollout stood still until its progress deadline",
        "deadlines reported: 0",
    ]


def test_further_changes_of_its_status_put_the_end_of_old_sets_off_no_longer() -> None:
    story = with_limit(1, deleted=(1,))
    for second in (44, 46):
        done = web(image="app:v4", revision=4, generation=14, history_limit=1)
        story.watched(second, "Deployment", done)
    time_ns, text, _ = first(verdict_on(revision_semantics("web"), story, end_s=100))
    assert time_ns == at(47.5)
    assert text == "2 old ReplicaSets are left where 1 are kept; to go: rs-2"


def test_a_reason_over_several_lines_is_told_whole() -> None:
    rule = step_refused("web", "undo", "no\nrevision")
    story = undo(at_rest(), 5, "failed", "there is no\nrevision 1")
    assert verdict_on(rule, story, end_s=10).summary == "there is no\nrevision 1"
