"""Where claims about rollouts begin and end, and what their verdicts say in full."""

import pytest

from chaoskit.guarantees import (
    change_causes,
    no_needless_restart,
    no_overlap_when_recreated,
    progress_deadline_reported,
    revision_numbers,
    rollout_bounds,
    rollout_completes_within,
    rollout_stalled,
    step_skipped,
    template_restored,
    undo_restores,
)
from chaoskit.guarantees.rollouts.revision_history import _listed
from chaoskit.guarantees.rollouts.revision_limit import _is_empty
from chaoskit.guarantees.rollouts.rollout_completion import _is_rolled_out
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import Watched
from tests.corpus.deployment_run import DeploymentRun
from tests.corpus.deployments import numbered, web
from tests.corpus.objects import Object, deployment, pod, replica_set
from tests.corpus.rollouts import KINDS, NEW, OLD, bad_rollout, good_rollout, three_ready_pods
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, in_full, verdict_on
from tests.unit.guarantees.rollouts.test_paused import HELD as PAUSED
from tests.unit.guarantees.rollouts.test_paused import paused
from tests.unit.guarantees.rollouts.test_recreate import before, check, come, go, recreated
from tests.unit.guarantees.rollouts.test_refusals import REFUSAL, REFUSED, SKIPPED, at_rest, undo
from tests.unit.guarantees.rollouts.test_revision_history import updated


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


def test_bad_rollouts_in_full() -> None:
    assert in_full(verdict_on(rollout_stalled("web"), bad_rollout())) == [
        "rollout_stalled 1: the bad rollout of web stalls",
        "HELD: new-0 shows ErrImagePull after 2.9 s",
        "changes of new pods: 3",
        "reason_after_s = 2.9",
        "stalled_s = 32",
    ]
    assert in_full(verdict_on(template_restored("web"), bad_rollout())) == [
        "template_restored 1: undo restores the template of web",
        "HELD: restored as revision 3",
        "replica sets of the template: 1",
        "revision_before = 2",
        "revision_after = 3",
    ]
    assert in_full(verdict_on(no_needless_restart("web"), bad_rollout())) == [
        "no_needless_restart 1: pods of web that were Ready are left alone",
        "HELD: 3 of 3 Ready pods were left alone",
        "pods Ready before the step: 3",
        "pods_taken_away = 0",
    ]


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


def test_steps_that_come_to_nothing_in_full() -> None:
    long = f"Traceback\n  {REFUSAL}  \nmore"
    assert in_full(verdict_on(REFUSED, undo(at_rest(), 5, "failed", long), end_s=10)) == [
        "step_changes_nothing 1: undo of web is refused and changes nothing",
        ("HELD: StepRefused: Deployment chaos/web: unable to find specified revision 1 in history"),
        "steps undo: 1",
    ]
    assert in_full(verdict_on(SKIPPED, undo(at_rest(), 5, "done", "to 1"), end_s=10)) == [
        "step_changes_nothing 1: undo of web is skipped and changes nothing",
        "HELD: undo of web is skipped and changes nothing",
        "steps undo: 1",
    ]
    assert in_full(verdict_on(step_skipped("web", "pause"), at_rest(), end_s=10)) == [
        "step_changes_nothing 1: pause of web is skipped and changes nothing",
        "UNKNOWN: cannot tell: no step pause of web has ended on record",
        "steps pause: 0",
    ]
    assert in_full(verdict_on(REFUSED, at_rest(), end_s=10)) == [
        "step_changes_nothing 1: undo of web is refused and changes nothing",
        "UNKNOWN: cannot tell: no step undo of web has ended on record",
        "steps undo: 0",
    ]


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


def test_recreation_in_full() -> None:
    assert in_full(verdict_on(no_overlap_when_recreated("web"), recreated())) == [
        "no_overlap_when_recreated 1: no two revisions of web at once",
        "HELD: 1 pods created in 1 rollouts",
        "containers seen on nodes: 0",
        "containers that outlived a lost or forced pod: 0",
        "rollouts: 1",
        "pods created: 1",
    ]
    assert in_full(verdict_on(no_overlap_when_recreated("web"), go(come(before(), 12), 13))) == [
        "no_overlap_when_recreated 1: no two revisions of web at once",
        (
            "VIOLATED: 1 pods created in 1 rollouts; new-0 of rs-2 created while 2 of rs-1"
            " had not ended: old-0, old-1"
        ),
        (
            "first, worst, last of 1 at 12 s: new-0 of rs-2 created while 2 of rs-1 had"
            " not ended: old-0, old-1 [new-0, old-0, old-1]"
        ),
        "containers seen on nodes: 0",
        "containers that outlived a lost or forced pod: 0",
        "rollouts: 1",
        "pods created: 1",
    ]


def test_what_a_history_lists_is_short_where_it_is_a_run() -> None:
    assert _listed([1, 2, 3, 4]) == "{1,2,3,4}"
    assert _listed([3, 4, 5, 6, 7]) == "{3,…,7}"
    assert _listed([3, 4, 5, 6, 8]) == "{3,4,5,6,8}"
    assert _listed([]) == "{}"


def test_histories_in_full() -> None:
    assert in_full(verdict_on(revision_numbers("web", [1], [1, 2]), updated(), end_s=9)) == [
        "revision_numbers 1: history of web is {1} → {1,2}",
        "HELD: {1} → {1,2}",
        "changes of its spec: 2",
    ]
    assert in_full(verdict_on(revision_numbers("web", [1], [2]), updated(), end_s=9)) == [
        "revision_numbers 1: history of web is {1} → {2}",
        "VIOLATED: {1} → {1,2}; after change 2 of 2 the history is {1,2}, not {2}",
        ("first, worst, last of 1 at 5 s: after change 2 of 2 the history is {1,2}, not {2} [web]"),
        "changes of its spec: 2",
    ]
    causes = change_causes("web", {1: None, 2: "to v2"})
    assert in_full(verdict_on(causes, updated(), end_s=9)) == [
        "change_causes 1: history of web says why",
        "HELD: 1: <none>, 2: to v2",
        "revisions: 2",
    ]
    other = change_causes("web", {2: "to v3", 3: None})
    assert in_full(verdict_on(other, updated(), end_s=9)) == [
        "change_causes 1: history of web says why",
        "VIOLATED: 1: <none>, 2: to v2; there is an unexpected revision 1",
        "first, worst of 3 at 9 s: there is an unexpected revision 1 [web]",
        "last of 3 at 9 s: there is no revision 3 [web]",
        "revisions: 2",
    ]


def test_rollouts_in_full() -> None:
    assert in_full(verdict_on(rollout_bounds("web"), good_rollout())) == [
        "rollout_bounds 4: rollout of web keeps its bounds",
        (
            "HELD: at most 4 pods, at least 3 available after each it took away (3"
            " needed), over 12 changes"
        ),
        "pod changes judged: 12",
        "revisions with pods: 2",
        "highest_pods = 4",
        "highest_pods_of_any_cause = 4",
        "pods_taken_by_steps = 0",
        "pods_taken_by_scaling = 0",
        "pods_unready_by_themselves = 0",
        "lowest_available_pods_of_any_cause = 3",
        "lowest_available_pods = 3",
    ]
    assert in_full(verdict_on(rollout_completes_within(30, "web"), good_rollout(), end_s=60)) == [
        "rollout_completes_within 1: web is rolled out within 30 s of set_image",
        "HELD: complete 14.0 s after set_image at the latest",
        "steps: 1",
        "rollouts judged: 1",
        "rollout_s = 14",
    ]
    assert in_full(verdict_on(rollout_completes_within(5, "web"), good_rollout(), end_s=60)) == [
        "rollout_completes_within 1: web is rolled out within 5 s of set_image",
        (
            "VIOLATED: complete 14.0 s after set_image at the latest; web complete only"
            " 14.0 s after set_image"
        ),
        "first, worst, last of 1 at 24 s: web complete only 14.0 s after set_image [web]",
        "steps: 1",
        "rollouts judged: 1",
        "rollout_s = 14",
    ]
    assert in_full(
        verdict_on(rollout_completes_within(9, "web"), bad_rollout(undo=False), end_s=60)
    ) == [
        "rollout_completes_within 1: web is rolled out within 9 s of set_image",
        (
            "VIOLATED: web is not complete 9 s after set_image: 2 of 3 pods updated, 2"
            " available, 3 in all"
        ),
        (
            "first, worst, last of 1 at 19 s: web is not complete 9 s after set_image: 2"
            " of 3 pods updated, 2 available, 3 in all [web]"
        ),
        "steps: 1",
        "rollouts judged: 1",
    ]
    assert in_full(
        verdict_on(rollout_completes_within(9, "web"), three_ready_pods(), end_s=60)
    ) == [
        "rollout_completes_within 1: web is rolled out within 9 s of set_image",
        "UNKNOWN: cannot tell: no step set_image changed web without being overtaken",
        "steps: 0",
        "rollouts judged: 0",
    ]


def test_unknown_in_full() -> None:
    assert in_full(verdict_on(progress_deadline_reported("web"), Story())) == [
        "progress_deadline_reported 2: web reports that its rollout stands still",
        ("UNKNOWN: cannot tell: Deployments were not watched; deployment web is not in the record"),
    ]
    assert in_full(verdict_on(undo_restores("web"), Story())) == [
        "undo_restores 2: undo of web restores the revision before",
        (
            "UNKNOWN: cannot tell: Deployments were not watched; ReplicaSets were not"
            " watched; Pods were not watched; deployment web is not in the record; 0"
            " undone, 0 of them complete"
        ),
        "undos: 0",
        "undos whose rollout is complete: 0",
    ]


def run_undone() -> DeploymentRun:
    run = DeploymentRun()
    run.wait_complete()
    run.set_image("app:v2")
    run.wait_complete()
    run.undo(None)
    run.wait_complete()
    return run


def test_an_undo_in_full() -> None:
    assert in_full(undo_restores("web").check(run_undone().history())) == [
        "undo_restores 2: undo of web restores the revision before",
        "HELD: 1 undone, 1 of them complete",
        "undos: 1",
        "undos whose rollout is complete: 1",
    ]


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
