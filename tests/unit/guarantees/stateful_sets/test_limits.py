"""Where claims about StatefulSets begin and end, and what their verdicts say in full."""

import pytest

from chaoskit.guarantees import (
    acknowledged_writes_survive,
    halted,
    members_do_not_wait,
    members_run,
    name_stays_taken,
    one_process_per_identity,
    only_members_touched,
    stable_identity,
)
from chaoskit.guarantees.stateful_sets.members import Wanted
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.reader import Damage
from tests.corpus.stateful_sets import KINDS, Object, claim, kv, member
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import LOST_REQUESTS, first, in_full, verdict_on
from tests.corpus.writes import writes
from tests.unit.guarantees.stateful_sets import test_claims, test_identity, test_writes
from tests.unit.guarantees.stateful_sets.test_duplicates import ENDS, TAKEN, answers, away, replaced
from tests.unit.guarantees.stateful_sets.test_halted import HALTED, broken, updated
from tests.unit.guarantees.stateful_sets.test_no_order import DELETION, SCALING, START, lived
from tests.unit.guarantees.stateful_sets.test_stable_identity import with_member
from tests.unit.guarantees.stateful_sets.test_touched import scaled


def test_a_second_process_in_full() -> None:
    assert in_full(verdict_on(ENDS, replaced(), answers())) == [
        "duplicate_ends_within 1: a second process of kv ends 20 s after node_paused",
        (
            "HELD: two processes of kv-1 for 33.95 to 34.05 s, 5.65 s of it after the"
            " heal; both heard for 2.0 s"
        ),
        "forced deletions: 1",
        "answers of the old one to its node: 4",
        "answers of the new one: 569",
        "together_s = 33.95",
        "together_at_most_s = 34.05",
        "after_heal_s = 5.65",
        "old_ended_at_most_s = 6",
        "heard_together_s = 2",
    ]
    figures = verdict_on(ENDS, replaced(), answers()).figures
    assert (figures["after_heal_s"], figures["old_ended_at_most_s"]) == (5.65, 6.0)


def test_lost_requests_may_hold_an_answer_of_the_old_process() -> None:
    before_the_fault = verdict_on(ENDS, replaced(), answers(), LOST_REQUESTS)
    assert before_the_fault.outcome is Outcome.HELD
    lost = Damage(
        file="x.ckl", holds="requests", kind="lost", since_ns=at(40), until_ns=at(41), detail="torn"
    )
    verdict = verdict_on(ENDS, replaced(), answers(), lost)
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.summary.startswith("cannot tell: requests may be missing: x.ckl: torn; ")


def test_a_name_under_a_fault_that_nobody_heals_stays_taken_to_the_end() -> None:
    story = away(deleted_s=85)
    story.events = [
        each
        for each in story.events
        if getattr(each, "mark", "") not in ("heal_requested", "healed")
    ]
    assert first(verdict_on(TAKEN, story.ended(90)))[:2] == (at(85), "kv-1 went before the heal")
    assert in_full(verdict_on(TAKEN, away().ended(90))) == [
        "name_stays_taken 1: members of kv on n2 stay, Terminating, during nic_down",
        "HELD: kv-1 was Terminating for 20.0 s",
        "members that were told to end: 1",
        "terminating_s = 20",
    ]
    enough, more = (
        name_stays_taken("kv", "n2", fault="nic_down", at_least_s=least) for least in (20, 20.001)
    )
    assert verdict_on(enough, away().ended(90)).outcome is Outcome.HELD
    assert verdict_on(more, away().ended(90)).outcome is Outcome.UNKNOWN


def test_a_phase_of_just_the_length_that_was_asked_for_is_long_enough() -> None:
    assert in_full(verdict_on(HALTED, broken().phase("stuck", 10, 15))) == [
        "halted 1: kv halts in the phase stuck",
        "HELD: 5.0 s long with 2 of 4 members Ready",
        "halted_s = 5",
    ]
    longer = halted("kv", phase="stuck", at_least_s=5.001)
    assert verdict_on(longer, broken().phase("stuck", 10, 15)).outcome is Outcome.UNKNOWN


def test_a_set_halts_in_the_midst_of_an_update() -> None:
    told = kv(3, ready=3, current="kv-old")
    told["status"]["updatedReplicas"] = 1
    story = broken().watched(9, "StatefulSet", told).phase("stuck", 10, 16)
    assert verdict_on(HALTED, story).summary == "6.0 s long with 1 of 3 members updated"


CANARY = members_run("kv", {0: "v1", 1: "v1", 2: "v2"}, phase="canary")
WRONG = members_run("kv", {0: "v1", 1: "v2", 2: "v2"}, phase="canary")


def test_what_members_run_in_full() -> None:
    assert in_full(verdict_on(CANARY, updated())) == [
        "members_run 1: kv-0 v1, kv-1 v1, kv-2 v2 at the end of the phase canary",
        "HELD: kv-0 v1, kv-1 v1, kv-2 v2 at the end of the phase canary",
        "members: 3",
    ]
    assert in_full(verdict_on(WRONG, updated())) == [
        "members_run 1: kv-0 v1, kv-1 v2, kv-2 v2 at the end of the phase canary",
        "VIOLATED: kv-1 was of image chaoskit/specimen:v1 at the end of the phase canary",
        (
            "first, worst, last of 1 at 20 s: kv-1 was of image chaoskit/specimen:v1 at"
            " the end of the phase canary [kv-1]"
        ),
        "members: 3",
    ]


def calm() -> Story:
    story = Story().watching(*KINDS).watched(1, "StatefulSet", kv(1), "ADDED")
    return story.watched(2, "Pod", member(0), "ADDED").ended(9)


def test_members_that_are_touched_in_full() -> None:
    assert in_full(verdict_on(only_members_touched("kv", [3, 2]), scaled())) == [
        "only_members_touched 1: of kv only members 2, 3 lose their pod",
        "HELD: lost their pod: 2 (1), 3 (1)",
        "pods that ended: 2",
    ]
    assert in_full(verdict_on(only_members_touched("kv", []), scaled())) == [
        "only_members_touched 1: of kv only members none lose their pod",
        "VIOLATED: lost their pod: 2 (1), 3 (1); kv-3 lost its pod uid-kv-3-110",
        "first, worst of 2 at 41.62 s: kv-3 lost its pod uid-kv-3-110 [kv-3]",
        "last of 2 at 44.14 s: kv-2 lost its pod uid-kv-2-108 [kv-2]",
        "pods that ended: 2",
    ]
    assert in_full(verdict_on(only_members_touched("kv", []), calm())) == [
        "only_members_touched 1: of kv only members none lose their pod",
        "HELD: lost their pod: none",
        "pods that ended: 0",
    ]


def test_claims_in_full() -> None:
    twice = test_claims.standing()
    twice.watched(5, "PersistentVolumeClaim", claim(1, uid="uid-second"), "ADDED")
    text = "claim data-kv-1 has a new uid though the one before it was never deleted"
    assert first(test_claims.check(twice.ended(90)))[:2] == (at(5), text)
    assert in_full(test_claims.check(test_claims.standing().ended(90))) == [
        "claims_stay 2: members of kv keep their claims",
        (
            "UNKNOWN: cannot tell: no member of kv was replaced or scaled away, nor was"
            " the set deleted; 3 claims through 0 replacements, 0 members scaled away, 0"
            " deletions of the set"
        ),
        "claims: 3",
        "members replaced: 0",
        "members scaled away: 0",
        "deletions of the set: 0",
        "claims deleted as asked: 0",
    ]


@pytest.mark.parametrize("old_gone_s, outcome", [(90.9, Outcome.HELD), (93, Outcome.VIOLATED)])
def test_a_forced_deletion_allows_the_pods_own_grace_and_two_seconds(
    old_gone_s: float, outcome: Outcome
) -> None:
    story = test_identity.members()
    for event in story.events:
        if getattr(event, "name", "") == "kv-1":
            event.object["spec"]["terminationGracePeriodSeconds"] = 60  # type: ignore[union-attr]
    story.step("delete", "pod/kv-1", 29, force=True)
    test_identity.replaced(story, 30, old_gone_s=old_gone_s)
    verdict = test_identity.check(story)
    assert verdict.outcome is outcome, verdict.summary


def twins() -> Story:
    return test_identity.replaced(test_identity.members(), 30, old_gone_s=33)


def test_one_process_per_identity_in_full() -> None:
    assert in_full(verdict_on(one_process_per_identity("kv"), twins())) == [
        "one_process_per_identity 2: one process per identity of kv",
        (
            "VIOLATED: 3 processes of 2 members; two at once for 2.95 to 3.05 s; two"
            " processes of kv-1 for 2.95 s: uid-kv-1 on n2 and uid-new on n1"
        ),
        (
            "first, worst, last of 1 at 30 s: two processes of kv-1 for 2.95 s: uid-kv-1"
            " on n2 and uid-new on n1 [kv-1, uid-kv-1, uid-new]"
        ),
        "processes seen on nodes: 3",
        "members with more than one uid: 1",
        "duplicate_at_least_s = 2.95",
        "duplicate_at_most_s = 3.05",
    ]


def test_a_set_is_wanted_with_the_defaults_of_kubernetes() -> None:
    bare: Object = {"metadata": {}, "spec": {"updateStrategy": {"rollingUpdate": {}}}}
    assert Wanted.of(bare, {}) == Wanted(
        ordinals=range(1),
        parallel=False,
        on_delete=False,
        partition=0,
        max_unavailable=None,
        min_ready_s=0,
        current_revision=None,
        update_revision=None,
        leaving=False,
    )
    full = kv(3, start=2, parallel=True, partition=1, max_unavailable="34%", min_ready_s=5)
    wanted = Wanted.of(full, {"kv-a": 1, "kv-b": 2})
    assert (wanted.ordinals, wanted.parallel, wanted.max_unavailable) == (range(2, 5), True, 1)
    assert (wanted.current_revision, wanted.update_revision) == ("kv-a", "kv-b")
    assert [wanted.revision_of(ordinal) for ordinal in (2, 3)] == ["kv-a", "kv-b"]


def test_a_third_uid_is_judged_by_the_second() -> None:
    story = with_member(member(0, uid="uid-second"))
    story.watched(4, "Pod", member(0, uid="uid-third"), "ADDED")
    evidence = verdict_on(stable_identity("kv"), story).evidence
    assert evidence.count == 2
    assert evidence.last is not None
    assert evidence.last.text == "kv-0 is uid-third while uid-second was not yet gone"
    assert evidence.last.objects == ["kv-0", "uid-second", "uid-third"]


def test_waiting_in_full() -> None:
    assert in_full(verdict_on(START, lived(parallel=True))) == [
        "members_do_not_wait 1: members of kv do not wait at start",
        "HELD: members of kv do not wait at start",
        "occasions: 2",
        "members: 6",
    ]
    assert in_full(verdict_on(START, lived(parallel=False))) == [
        "members_do_not_wait 1: members of kv do not wait at start",
        "VIOLATED: each of kv-0, kv-1, kv-2 waited for the one before",
        ("first, worst of 2 at 4.54 s: each of kv-0, kv-1, kv-2 waited for the one before [kv-1]"),
        "last of 2 at 64.66 s: each of kv-1, kv-2, kv-0 waited for the one before [kv-2]",
        "occasions: 2",
        "members: 6",
    ]
    assert in_full(verdict_on(SCALING, lived(parallel=False))) == [
        "members_do_not_wait 1: members of kv do not wait at scaling down",
        "VIOLATED: each of kv-2, kv-1 waited for the one before",
        ("first, worst, last of 1 at 34.11 s: each of kv-2, kv-1 waited for the one before [kv-1]"),
        "occasions: 1",
        "members: 2",
    ]
    assert in_full(verdict_on(DELETION, lived(parallel=False))) == [
        "members_do_not_wait 1: members of kv do not wait at deletion of the set",
        "HELD: members of kv do not wait at deletion of the set",
        "occasions: 1",
        "members: 3",
    ]


def come_together(*, first_ready_s: float) -> Story:
    """Three members: kv-1 is made at 3 and kv-2 at 9; kv-0, made at 2, is Ready at its time."""
    story = Story().watching(*KINDS).watched(1, "StatefulSet", kv(3), "ADDED")
    story.watched(2, "Pod", member(0), "ADDED")
    ready = member(0, ready_since=first_ready_s)
    if first_ready_s < 3:
        story.watched(first_ready_s, "Pod", ready)
    story.watched(3, "Pod", member(1), "ADDED")
    if first_ready_s > 3:
        story.watched(first_ready_s, "Pod", ready)
    return story.watched(9, "Pod", member(2), "ADDED").ended(20)


def test_one_that_came_beside_the_first_shows_that_nobody_waits() -> None:
    rule = members_do_not_wait("kv", at="start")
    assert verdict_on(rule, come_together(first_ready_s=5)).outcome is Outcome.HELD
    assert verdict_on(rule, come_together(first_ready_s=2.5)).outcome is Outcome.VIOLATED


def test_a_write_that_failed_and_came_again_may_be_there() -> None:
    """The same key and value: once refused, once acknowledged or of unknown outcome."""
    for again in ("ok", "unknown"):
        rows = writes("fail", again, "ok")
        rows[1] = rows[1]._replace(key=rows[0].key, value=rows[0].value)
        assert test_writes.check(rows, test_writes.held(0, 2)).outcome is Outcome.HELD


def test_writes_in_full() -> None:
    assert in_full(test_writes.check(writes("ok", "fail"), test_writes.held(0))) == [
        "acknowledged_writes_survive 2: acknowledged writes to kv survive",
        "HELD: 1 acknowledged writes to 1 members",
        "acknowledged writes: 1",
        "members: 1",
        "entries_of_superseded_processes = 0",
        "lost_writes = 0",
    ]
    assert in_full(test_writes.check(writes("ok", "ok"), test_writes.held(0))) == [
        "acknowledged_writes_survive 2: acknowledged writes to kv survive",
        (
            "VIOLATED: 2 acknowledged writes to 1 members; kv-0 lost the acknowledged"
            " write k1=kv-0-v1 (slot 1)"
        ),
        (
            "first, worst, last of 1 at 2 s: kv-0 lost the acknowledged write k1=kv-0-v1"
            " (slot 1) [kv-0]"
        ),
        "acknowledged writes: 2",
        "members: 1",
        "entries_of_superseded_processes = 0",
        "lost_writes = 1",
    ]


def test_a_set_whose_name_has_a_dash_has_members_of_its_own() -> None:
    story = Story().store(100, "my-kv-0", ("k0", "my-kv-0-v0", 1))
    rows = writes("ok", member="my-kv-0")
    assert verdict_on(acknowledged_writes_survive("my-kv"), story, rows).outcome is Outcome.HELD
    assert verdict_on(acknowledged_writes_survive("my"), story, rows).outcome is Outcome.UNKNOWN
