"""Verdicts on rollouts, word by word: what people read is part of the claim."""

from chaoskit.guarantees import (
    change_causes,
    no_needless_restart,
    no_overlap_when_recreated,
    progress_deadline_reported,
    revision_numbers,
    rollout_blocked,
    rollout_bounds,
    rollout_completes_within,
    rollout_stalled,
    step_skipped,
    template_restored,
    undo_restores,
)
from chaoskit.guarantees.rollouts.rollout_completion import _described
from tests.corpus.deployment_run import DeploymentRun
from tests.corpus.rollouts import bad_rollout, good_rollout, three_ready_pods
from tests.corpus.story import Story
from tests.corpus.verdicts import in_full, verdict_on
from tests.unit.guarantees.rollouts.test_blocked import BLOCKED, rolled
from tests.unit.guarantees.rollouts.test_frozen import HELD as FROZEN
from tests.unit.guarantees.rollouts.test_frozen import away
from tests.unit.guarantees.rollouts.test_recreate import before, come, go, recreated
from tests.unit.guarantees.rollouts.test_refusals import REFUSAL, REFUSED, SKIPPED, at_rest, undo
from tests.unit.guarantees.rollouts.test_revision_history import updated


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


def test_rollouts_that_do_not_end_in_full() -> None:
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


def test_a_blocked_rollout_in_full() -> None:
    assert in_full(BLOCKED.check(rolled("app:none").history())) == [
        "rollout_blocked 1: the bad rollout of web is blocked by 1 pod(s)",
        "HELD: 1 new pod(s) in 20.1 s",
        "new pods: 1",
        "blocked_s = 20.061",
    ]
    assert in_full(rollout_blocked("web", pods=0).check(rolled("app:none").history())) == [
        "rollout_blocked 1: the bad rollout of web is blocked by 0 pod(s)",
        "VIOLATED: 1 new pod(s) in 20.1 s; web-none-16-18 is pod 1 of the bad version",
        (
            "first, worst, last of 1 at 2.579 s: web-none-16-18 is pod 1 of the bad"
            " version [web-none-16-18]"
        ),
        "new pods: 1",
        "blocked_s = 20.061",
    ]
    assert in_full(BLOCKED.check(rolled("app:v2").history())) == [
        "rollout_blocked 1: the bad rollout of web is blocked by 1 pod(s)",
        "VIOLATED: 3 new pod(s) in 20.1 s; web-v1-1 leaves 2 old pods of 3",
        "first of 15 at 3.81767 s: web-v1-1 leaves 2 old pods of 3 [web-v1-1]",
        "worst of 15 at 7.12063 s: web-v1-1 leaves 0 old pods of 3 [web-v1-1]",
        "last of 15 at 7.12963 s: the bad rollout completed [web]",
        "new pods: 3",
        "blocked_s = 20.061",
    ]


def test_a_frozen_rollout_in_full() -> None:
    again = away().fault("component_stopped", "kube-scheduler on server-0", 30, 40)
    assert in_full(verdict_on(FROZEN, again, end_s=50)) == [
        "rollout_frozen 1: the rollout of web stands still in component_stopped",
        "HELD: no pod got a node for 6.9 s",
        "windows: 2",
        "windows with a rollout under way: 2",
        "frozen_s = 6.9",
    ]


def test_what_is_not_rolled_out_is_described() -> None:
    assert _described("DaemonSet", {}) == "0 of 0 pods updated, 0 available"
    assert _described("StatefulSet", {"spec": {}}) == ("0 of 1 pods updated, 0 ready, 0 in all")


def test_an_undo_to_a_revision_in_full() -> None:
    assert in_full(verdict_on(undo_restores("web", to_revision=7), three_ready_pods())) == [
        "undo_restores 2: undo of web restores revision 7",
        (
            "UNKNOWN: cannot tell: no finished undo to revision 7 is on record; 0 undone,"
            " 0 of them complete"
        ),
        "undos: 0",
        "undos whose rollout is complete: 0",
    ]
