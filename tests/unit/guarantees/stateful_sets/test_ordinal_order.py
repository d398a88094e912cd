"""ordinals_in_order: start, scaling and update, by the rules of the StatefulSet controller."""

from functools import partial

import pytest

from chaoskit.errors import RecordError
from chaoskit.guarantees import ordinals_in_order
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import Watched, WatchStarted
from chaoskit.history.reader import Damage, History
from tests.corpus.stateful_set_controller import StatefulSetRun
from tests.corpus.stateful_sets import KINDS, kv, member, revision
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

check = partial(verdict_on, ordinals_in_order("StatefulSet kv"))


def standing(
    replicas: int = 3, *, parallel: bool = False, max_unavailable: int | str | None = None
) -> Story:
    """kv has stood for long, at revision kv-a; kv-b is the newest revision from second 10 on."""
    story = Story().clock()
    wanted = kv(replicas, parallel=parallel, max_unavailable=max_unavailable)
    story.watched(0, "StatefulSet", wanted, "LISTED")
    story.watched(0, "ControllerRevision", revision("kv-a", 1), "LISTED")
    for ordinal in range(replicas):
        story.watched(0, "Pod", member(ordinal, ready_since=-60), "LISTED")
    return story.watching(*KINDS, second=0.1)


def updating(story: Story) -> Story:
    return story.watched(10, "ControllerRevision", revision("kv-b", 2), "ADDED")


def test_start_scaling_and_update_in_order_hold_and_are_counted() -> None:
    run = StatefulSetRun().go(30)
    run.scale(5)
    run.go(30)
    run.scale(2)
    run.go(30)
    run.update("kv-b")
    verdict = check(run.go(30).story)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage == {
        "members started": 5,
        "members replaced": 2,
        "members scaled away": 3,
        "members updated": 2,
        "finished members removed": 0,
        "members taken by steps or faults": 0,
    }
    assert verdict.summary == "5 started, 2 replaced, 3 scaled away, 2 updated in order"


def test_a_member_made_before_a_lower_one_is_healthy_is_the_witness() -> None:
    story = Story().clock().watching(*KINDS)
    story.watched(1, "StatefulSet", kv(), "ADDED")
    story.watched(1, "ControllerRevision", revision("kv-a", 1), "ADDED")
    story.watched(2, "Pod", member(0), "ADDED")
    story.watched(3, "Pod", member(1), "ADDED")
    assert first(check(story)) == (
        at(3),
        "kv-1 was made while kv-0 was not Ready",
        ["kv-1", "kv-0"],
    )
    absent = standing(1).watched(5, "StatefulSet", kv(3)).watched(6, "Pod", member(2), "ADDED")
    assert first(check(absent))[1] == "kv-2 was made while kv-1 was absent"


def test_ready_is_not_yet_available() -> None:
    for second, outcome in ((14, Outcome.VIOLATED), (22, Outcome.HELD)):
        story = Story().clock().watching(*KINDS)
        story.watched(1, "StatefulSet", kv(min_ready_s=10), "ADDED")
        story.watched(1, "ControllerRevision", revision("kv-a", 1), "ADDED")
        story.watched(2, "Pod", member(0), "ADDED").watched(12, "Pod", member(0, ready_since=12))
        verdict = check(story.watched(second, "Pod", member(1), "ADDED"))
        assert verdict.outcome is outcome
        if outcome is Outcome.VIOLATED:
            assert first(verdict)[1] == "kv-1 was made while kv-0 was Ready but not yet available"


def test_ordinals_count_from_their_start() -> None:
    run = StatefulSetRun(start=5).go(30)
    run.set_strategy("RollingUpdate", partition=1)
    run.update("kv-b")
    verdict = check(run.go(30).story)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["members updated"] == 2
    story = standing().watched(5, "StatefulSet", kv(start=1))
    story.watched(6, "Pod", member(1, ready_since=-60, leaving=True))
    assert "update revision" in first(check(story))[1]
    story = standing().watched(5, "StatefulSet", kv(start=1)).watched(6, "Pod", member(4), "ADDED")
    assert first(check(story))[1] == "kv-4 was made though only ordinals 1 to 3 are wanted"


def test_scaling_waits_until_all_that_stay_are_healthy() -> None:
    story = standing(4).watched(5, "Pod", member(0)).watched(6, "StatefulSet", kv(2))
    story.watched(8, "Pod", member(3, ready_since=-60, leaving=True))
    text = "kv-3 was scaled away while kv-0 was not Ready"
    assert first(check(story)) == (at(8), text, ["kv-3", "kv-0"])


def test_scaling_waits_until_the_higher_one_is_gone() -> None:
    story = standing(4).watched(6, "StatefulSet", kv(2))
    story.watched(7, "Pod", member(3, ready_since=-60, leaving=True))
    story.watched(8, "Pod", member(2, ready_since=-60, leaving=True))
    text = "kv-2 was scaled away while kv-3 was not yet gone"
    assert first(check(story)) == (at(8), text, ["kv-2", "kv-3"])


def test_an_unhealthy_member_is_scaled_away_only_as_the_lowest_unhealthy_one() -> None:
    for unhealthy, outcome in (((3,), Outcome.HELD), ((2, 3), Outcome.VIOLATED)):
        story = standing(4)
        for ordinal in unhealthy:
            story.watched(3, "Pod", member(ordinal))
        story.watched(6, "StatefulSet", kv(2)).watched(7, "Pod", member(3, leaving=True))
        verdict = check(story)
        assert verdict.outcome is outcome
        if outcome is Outcome.VIOLATED:
            text = "kv-3 was scaled away, not healthy itself, while kv-2 was not Ready"
            assert first(verdict)[1] == text


def test_an_update_waits_for_what_is_scaled_away() -> None:
    story = updating(standing(4)).watched(11, "StatefulSet", kv(3))
    story.watched(11.1, "Pod", member(3, ready_since=-60, leaving=True))
    story.watched(13, "Pod", member(2, ready_since=-60, leaving=True))
    text = "kv-2 was taken away for an update while kv-3 was not yet gone"
    assert first(check(story)) == (at(13), text, ["kv-2", "kv-3"])


def test_an_update_takes_the_highest_outdated_member_first() -> None:
    for ordinal, outcome in ((2, Outcome.HELD), (1, Outcome.VIOLATED)):
        story = updating(standing())
        story.watched(13, "Pod", member(ordinal, ready_since=-60, leaving=True))
        verdict = check(story)
        assert verdict.outcome is outcome
        if outcome is Outcome.VIOLATED:
            text = "kv-1 was taken away while kv-2 still had the old revision"
            assert first(verdict) == (at(13), text, ["kv-1", "kv-2"])


def test_an_update_takes_nothing_below_the_partition_nor_under_on_delete() -> None:
    partition = kv(partition=2)
    story = updating(standing()).watched(11, "StatefulSet", partition)
    story.watched(13, "Pod", member(1, ready_since=-60, leaving=True))
    assert first(check(story))[1] == "kv-1 was taken away though partition 2 protects it"
    story = updating(standing()).watched(11, "StatefulSet", kv(strategy="OnDelete"))
    story.watched(13, "Pod", member(2, ready_since=-60, leaving=True))
    assert first(check(story))[1] == "kv-2 was taken away though its update strategy is OnDelete"


def test_a_member_at_the_update_revision_is_left_alone() -> None:
    story = standing().watched(13, "Pod", member(2, ready_since=-60, leaving=True))
    text = "kv-2 was taken away though it had the update revision kv-a"
    assert first(check(story)) == (at(13), text, ["kv-2"])


def test_an_unhealthy_outdated_member_is_stuck_under_ordered_ready_and_not_under_parallel() -> None:
    for parallel, outcome in ((False, Outcome.VIOLATED), (True, Outcome.HELD)):
        story = updating(standing(parallel=parallel)).watched(12, "Pod", member(2))
        story.watched(20, "Pod", member(2, leaving=True))
        verdict = check(story)
        assert verdict.outcome is outcome, verdict.summary
        if outcome is Outcome.VIOLATED:
            assert first(verdict)[1] == "kv-2 was taken away for an update while kv-2 was not Ready"


def test_parallel_updates_wait_for_the_members_above_only() -> None:
    for unhealthy, outcome in ((0, Outcome.HELD), (2, Outcome.VIOLATED)):
        story = updating(standing(parallel=True))
        story.watched(11, "Pod", member(2, ready_since=-60, leaving=True))
        story.watched(12, "Pod", member(2, ready_since=-60, leaving=True), "DELETED")
        story.watched(12.1, "Pod", member(2, revision="kv-b", uid="uid-new"), "ADDED")
        new = member(2, revision="kv-b", uid="uid-new", ready_since=13)
        story.watched(13, "Pod", new)
        story.watched(14, "Pod", {0: member(0), 2: {**new, "status": {}}}[unhealthy])
        story.watched(16, "Pod", member(1, ready_since=-60, leaving=True))
        verdict = check(story)
        assert verdict.outcome is outcome, verdict.summary


def test_max_unavailable_bounds_an_update_where_the_field_is_kept() -> None:
    for bound, outcome in ((2, Outcome.HELD), ("50%", Outcome.HELD), ("10%", Outcome.VIOLATED)):
        story = updating(standing(4, max_unavailable=bound))
        story.watched(12, "Pod", member(3, ready_since=-60, leaving=True))
        story.watched(12.1, "Pod", member(2, ready_since=-60, leaving=True))
        verdict = check(story)
        assert verdict.outcome is outcome, verdict.summary
        if outcome is Outcome.VIOLATED:
            text = "kv-2 was taken away, which leaves 2 unavailable (at most 1 may be)"
            assert first(verdict) == (at(12.1), text, ["kv-2", "kv-3"])


def test_a_set_whose_controller_saw_an_older_state_is_not_charged_for_a_second() -> None:
    for second, outcome in ((5.9, Outcome.HELD), (6.2, Outcome.VIOLATED)):
        story = standing(2).watched(3, "StatefulSet", kv(3)).watched(5, "Pod", member(0))
        assert check(story.watched(second, "Pod", member(2), "ADDED")).outcome is outcome
        story = standing().watched(3, "StatefulSet", kv(2)).watched(5, "StatefulSet", kv(3))
        story.watched(second, "Pod", member(2, ready_since=-60, leaving=True))
        assert check(story).outcome is outcome


def test_a_member_that_just_went_may_still_look_healthy_unless_the_set_took_it() -> None:
    for second, outcome in ((5.9, Outcome.HELD), (6.2, Outcome.VIOLATED)):
        story = standing(2).watched(3, "StatefulSet", kv(3)).step("delete", "Pod kv-0", 4.9)
        story.watched(5, "Pod", member(0, ready_since=-60), "DELETED")
        assert check(story.watched(second, "Pod", member(2), "ADDED")).outcome is outcome
        story = standing(2).watched(3, "StatefulSet", kv(3)).step("delete", "Pod kv-0", 4.9)
        story.watched(5, "Pod", member(0, ready_since=-60, leaving=True))
        assert check(story.watched(second, "Pod", member(2), "ADDED")).outcome is outcome
    story = updating(standing())
    story.watched(13, "Pod", member(2, ready_since=-60, leaving=True))
    story.watched(13.1, "Pod", member(2, ready_since=-60, leaving=True), "DELETED")
    story.watched(13.5, "Pod", member(1, ready_since=-60, leaving=True))
    text = "kv-1 was taken away for an update while kv-2 was absent"
    assert first(check(story)) == (at(13.5), text, ["kv-1", "kv-2"])


def test_pods_that_steps_evictions_and_faults_took_are_not_charged() -> None:
    story = standing().step("delete", "Pod kv-0", 5)
    story.watched(5.05, "Pod", member(0, ready_since=-60, leaving=True))
    story.step("drain", "Node n1", 7, took_s=3)
    story.watched(8, "Pod", member(1, ready_since=-60, leaving=True))
    story.watched(12, "Pod", member(2, ready_since=-60, leaving=True, disrupted=True))
    verdict = check(story)
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.coverage["members taken by steps or faults"] == 3
    fault = standing().fault("pod_delete", "Pod kv-0", 5, 8)
    fault.watched(5.05, "Pod", member(0, ready_since=-60, leaving=True))
    assert check(fault).outcome is Outcome.UNKNOWN
    late = standing().step("delete", "Pod kv-0", 5)
    late.watched(9, "Pod", member(0, ready_since=-60, leaving=True))
    assert check(late).outcome is Outcome.VIOLATED


def test_a_member_deleted_while_a_higher_one_is_unhealthy_comes_back() -> None:
    run = StatefulSetRun().go(30)
    run.disturb(1, for_s=20)
    run.delete(0)
    verdict = check(run.go(60).story)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["members replaced"] == 1


def test_an_offence_while_the_control_plane_is_disturbed_is_a_doubt() -> None:
    for target, outcome in (
        ("Component kube-controller-manager", Outcome.UNKNOWN),
        ("Node n2", Outcome.VIOLATED),
    ):
        story = standing(2)
        story.watched(0.5, "Node", {"metadata": {"uid": "n2", "name": "n2"}}, "ADDED")
        story.watched(3, "StatefulSet", kv(3)).watched(5, "Pod", member(0))
        story.fault("paused", target, 4, 9)
        verdict = check(story.watched(10, "Pod", member(2), "ADDED"))
        assert verdict.outcome is outcome


def test_a_deleted_set_orders_nothing_and_one_of_its_name_begins_anew() -> None:
    run = StatefulSetRun().go(30)
    run.remove()
    story = run.story
    story.watched(40, "StatefulSet", kv(uid="uid-again"), "ADDED")
    story.watched(41, "Pod", member(0, of="uid-again", uid="uid-0"), "ADDED")
    verdict = check(story)
    assert verdict.outcome is Outcome.HELD
    assert verdict.coverage["members started"] == 4
    story.watched(43, "Pod", member(1, of="uid-again", uid="uid-1"), "ADDED")
    assert first(check(story))[0] == at(43)


def test_a_set_that_is_leaving_and_pods_released_from_it_are_not_judged() -> None:
    story = standing().watched(5, "StatefulSet", kv(leaving=True))
    story.watched(6, "Pod", member(0, ready_since=-60, leaving=True))
    assert check(story).outcome is Outcome.UNKNOWN
    released = standing().watched(5, "Pod", member(1, ready_since=-60, owned=False))
    released.watched(6, "Pod", member(1, ready_since=-60, owned=False, leaving=True))
    assert check(released).outcome is Outcome.UNKNOWN


def test_finished_members_are_removed_in_order() -> None:
    run = StatefulSetRun().go(30)
    run.fail(1)
    verdict = check(run.go(30).story)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["finished members removed"] == 1
    story = standing().watched(3, "Pod", member(0)).watched(3, "Pod", member(1, phase="Failed"))
    story.watched(9, "Pod", member(1, phase="Failed"), "DELETED")
    text = "kv-1, which had finished, was removed while kv-0 was not Ready"
    assert first(check(story))[1] == text


def test_parallel_starts_and_scaling_prove_nothing() -> None:
    run = StatefulSetRun(parallel=True).go(30)
    run.scale(5)
    verdict = check(run.go(30).story)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "no update (it is Parallel)" in verdict.summary
    run.update("kv-b")
    assert check(run.go(40).story).outcome is Outcome.HELD


def test_unknown_for_empty_idle_unwatched_gappy_and_lost_records() -> None:
    good = StatefulSetRun().go(30).story
    gap = StatefulSetRun().go(30).story.gap("Pod", 20, "uid-never-seen")
    unwatched = [e for e in good.events if not isinstance(e, WatchStarted)]
    partly = [
        e
        for e in good.events
        if not (isinstance(e, WatchStarted) and e.kind == "ControllerRevision")
    ]
    lost = Damage(
        file="events-x.ckl", holds="events", kind="torn", since_ns=at(5), until_ns=None, detail=""
    )
    for history, reason in (
        (History.of_parts(), "not in the record"),
        (History.of_parts(events=standing().events), "no start, scaling or update"),
        (History.of_parts(events=gap.events), "has a gap"),
        (History.of_parts(events=unwatched), "Pods were not watched"),
        (History.of_parts(events=partly), "ControllerRevisions were not watched"),
        (History.of_parts(events=good.events, damage=[lost]), "events may be missing"),
    ):
        verdict = ordinals_in_order("kv").check(history)
        assert verdict.outcome is Outcome.UNKNOWN
        assert reason in verdict.summary


def test_nobody_is_accused_after_a_gap_nor_while_something_is_not_watched() -> None:
    story = StatefulSetRun(defect="starts_without_waiting").go(10).story
    for kind in ("StatefulSet", "ControllerRevision", "Pod"):
        partly = [e for e in story.events if not (isinstance(e, WatchStarted) and e.kind == kind)]
        verdict = ordinals_in_order("kv").check(History.of_parts(events=partly))
        assert verdict.outcome is Outcome.UNKNOWN
    assert check(story.gap("Pod", 1.5, "uid-never-seen")).outcome is Outcome.UNKNOWN


def test_what_came_before_all_was_watched_is_not_judged() -> None:
    story = Story().clock().watching("Pod")
    story.watched(1, "StatefulSet", kv(), "LISTED")
    story.watched(1, "ControllerRevision", revision("kv-a", 1), "LISTED")
    story.watched(2, "Pod", member(2), "ADDED")
    story.watching("StatefulSet", "ControllerRevision", second=3)
    story.watched(4, "Pod", member(0), "ADDED")
    assert check(story).outcome is Outcome.HELD


def test_start_scaling_down_and_update_are_each_enough() -> None:
    scaled = standing().watched(5, "StatefulSet", kv(2))
    scaled.watched(6, "Pod", member(2, ready_since=-60, leaving=True))
    updated = updating(standing()).watched(12, "Pod", member(2, ready_since=-60, leaving=True))
    started = standing().watched(5, "StatefulSet", kv(4)).watched(6, "Pod", member(3), "ADDED")
    for story in (scaled, updated, started):
        assert check(story).outcome is Outcome.HELD


def test_pods_of_the_set_without_an_ordinal_are_left_to_stable_identity() -> None:
    stray = member(1, uid="uid-stray")
    stray["metadata"]["name"] = "kv-one"
    story = StatefulSetRun().go(20).story.watched(30, "Pod", stray, "ADDED")
    assert check(story).outcome is Outcome.HELD


def test_malformed_objects_are_an_error() -> None:
    with pytest.raises(RecordError, match="neither a number"):
        check(standing(max_unavailable="many"))
    story = standing()
    story.events.append(
        Watched(
            time_ns=at(5),
            kind="Pod",
            change="ADDED",
            uid="u",
            namespace="chaos",
            name="kv-3",
            resource_version=9999,
            object={},
        )
    )
    with pytest.raises(RecordError, match="no metadata"):
        check(story)
