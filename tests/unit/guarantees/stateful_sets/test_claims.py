"""claims_stay: each member keeps its own claim, for as long as the set's policy says."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import RecordError, UsageError
from chaoskit.guarantees import claims_stay
from chaoskit.guarantees.stateful_sets.claim_walk import claim_ordinal
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import Watched, WatchStarted
from chaoskit.history.reader import Damage, History
from tests.corpus.examples import examples
from tests.corpus.stateful_sets import KINDS, Object, claim, kv, member
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

check = partial(verdict_on, claims_stay("kv"))

DATA = ("data",)


def wanted(
    replicas: int = 3, *, scaled: str = "Retain", deleted: str = "Retain", leaving: bool = False
) -> Object:
    return kv(replicas, claims=DATA, when_scaled=scaled, when_deleted=deleted, leaving=leaving)


def standing(*, scaled: str = "Retain", deleted: str = "Retain") -> Story:
    """kv with three members, each with its bound claim; the pods were listed before the set."""
    story = Story().clock()
    for ordinal in range(3):
        story.watched(0, "Pod", member(ordinal, ready_since=-60, claims=DATA), "LISTED")
        story.watched(0, "PersistentVolumeClaim", claim(ordinal), "LISTED")
    story.watched(0, "StatefulSet", wanted(scaled=scaled, deleted=deleted), "LISTED")
    return story.watching(*KINDS, second=0.1)


def replaced(story: Story, second: float, ordinal: int) -> Story:
    """A member goes, and one of its name comes."""
    story.watched(second, "Pod", member(ordinal, claims=DATA, leaving=True))
    story.watched(second + 1, "Pod", member(ordinal, claims=DATA, leaving=True), "DELETED")
    again = member(ordinal, claims=DATA, uid=f"uid-again-{second}")
    return story.watched(second + 2, "Pod", again, "ADDED")


def scaled_to(
    story: Story, second: float, replicas: int, *, scaled: str = "Retain", deleted: str = "Retain"
) -> Story:
    """The set is scaled down from three, and the surplus members go one after the other."""
    story.watched(second, "StatefulSet", wanted(replicas, scaled=scaled, deleted=deleted))
    for ordinal in reversed(range(replicas, 3)):
        second += 1
        story.watched(second, "Pod", member(ordinal, claims=DATA, leaving=True))
        story.watched(second, "Pod", member(ordinal, claims=DATA, leaving=True), "DELETED")
    return story


def set_deleted(story: Story, second: float, *, deleted: str = "Retain", members: int = 3) -> Story:
    """The set is deleted, then its pods go."""
    story.watched(second, "StatefulSet", wanted(deleted=deleted), "DELETED")
    for ordinal in range(members):
        gone = member(ordinal, claims=DATA, leaving=True)
        story.watched(second + 1, "Pod", gone).watched(second + 2, "Pod", gone, "DELETED")
    return story


def test_claims_stay_through_replacement_scaling_and_deletion() -> None:
    story = set_deleted(scaled_to(replaced(standing(), 5, 0), 10, 1), 20, members=0)
    verdict = check(story.ended(200))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage == {
        "claims": 3,
        "members replaced": 1,
        "members scaled away": 2,
        "deletions of the set": 1,
        "claims deleted as asked": 0,
    }


def test_a_claim_that_goes_is_the_witness() -> None:
    story = scaled_to(standing(), 5, 1)
    story.watched(12, "PersistentVolumeClaim", claim(2, leaving=True))
    story.watched(13, "PersistentVolumeClaim", claim(2, leaving=True), "DELETED")
    text = (
        "claim data-kv-2 was deleted, though it was to stay (whenScaled Retain, whenDeleted Retain)"
    )
    verdict = check(story)
    assert first(verdict) == (at(12), text, ["data-kv-2"])
    assert verdict.evidence.count == 1


def test_a_claim_made_without_the_selectors_labels_is_the_witness() -> None:
    selecting = {**wanted()["spec"], "selector": {"matchLabels": {"app": "kv"}}}
    for labels, outcome in (({"app": "kv", "x": "y"}, Outcome.HELD), ({}, Outcome.VIOLATED)):
        story = replaced(standing(), 5, 1)
        story.watched(7.5, "StatefulSet", {**wanted(4), "spec": selecting})
        verdict = check(story.watched(8, "PersistentVolumeClaim", claim(3, labels=labels), "ADDED"))
        assert verdict.outcome is outcome
    text = "claim data-kv-3 was made without the selector's label app=kv"
    assert first(verdict) == (at(8), text, ["data-kv-3"])
    premade = Story().clock().watching(*KINDS)
    premade.watched(1, "PersistentVolumeClaim", claim(0), "ADDED")
    premade.watched(2, "StatefulSet", {**wanted(), "spec": selecting}, "ADDED")
    premade.watched(3, "Pod", member(0, claims=DATA), "ADDED")
    assert check(replaced(premade, 5, 0)).outcome is Outcome.HELD


def test_a_claim_deleted_by_a_step_is_not_charged() -> None:
    for second, outcome in ((12, Outcome.HELD), (20, Outcome.VIOLATED)):
        story = replaced(standing(), 5, 1)
        story.step("delete", "PersistentVolumeClaim data-kv-1", 11.9)
        story.watched(second, "PersistentVolumeClaim", claim(1), "DELETED")
        assert check(story).outcome is outcome


def test_claims_of_members_scaled_away_go_where_that_is_asked() -> None:
    story = scaled_to(standing(scaled="Delete"), 5, 1, scaled="Delete")
    for ordinal in (2, 1):
        story.watched(10, "PersistentVolumeClaim", claim(ordinal, leaving=True))
        story.watched(10, "PersistentVolumeClaim", claim(ordinal, leaving=True), "DELETED")
    # It is scaled up again, to new claims.
    story.watched(20, "StatefulSet", wanted(2, scaled="Delete"))
    story.watched(20, "PersistentVolumeClaim", claim(1, uid="uid-new", volume=""), "ADDED")
    story.watched(21, "Pod", member(1, claims=DATA, uid="uid-kv-1-new"), "ADDED")
    story.watched(22, "PersistentVolumeClaim", claim(1, uid="uid-new", volume="pv-new"))
    verdict = check(story.ended(200))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["claims deleted as asked"] == 2
    kept = story.watched(210, "PersistentVolumeClaim", claim(0, leaving=True))
    assert first(check(kept))[2] == ["data-kv-0"]
    again = story.watched(220, "PersistentVolumeClaim", claim(1, uid="uid-new"), "DELETED")
    assert check(again).evidence.count == 2


def test_a_claim_on_its_way_out_may_go_though_its_member_is_wanted_again() -> None:
    story = scaled_to(standing(scaled="Delete"), 5, 2, scaled="Delete")
    story.watched(6.5, "StatefulSet", wanted(3, scaled="Delete"))
    story.watched(7, "PersistentVolumeClaim", claim(2), "DELETED")
    assert check(story.ended(100)).outcome is Outcome.HELD


def test_a_claim_that_stays_though_it_was_to_go_is_violated_at_its_limit() -> None:
    story = scaled_to(standing(scaled="Delete"), 5, 2, scaled="Delete")
    text = "claim data-kv-2 was to be deleted, and is still there after 60 s"
    assert first(check(story.ended(100))) == (at(66), text, ["data-kv-2"])
    story = scaled_to(standing(scaled="Delete"), 5, 2, scaled="Delete")
    early = check(story.ended(50))
    assert early.outcome is Outcome.UNKNOWN
    assert "before claim data-kv-2 had its time" in early.summary
    story = set_deleted(standing(deleted="Delete"), 5, deleted="Delete")
    assert check(story.ended(100)).evidence.count == 3


def test_a_claim_that_goes_too_late_is_violated_at_its_limit() -> None:
    for second, outcome in ((65, Outcome.HELD), (67, Outcome.VIOLATED)):
        story = scaled_to(standing(scaled="Delete"), 5, 2, scaled="Delete")
        story.watched(second, "PersistentVolumeClaim", claim(2), "DELETED")
        verdict = check(story.ended(100))
        assert verdict.outcome is outcome
    text = "claim data-kv-2 was to be deleted, and went only after 61 s"
    assert first(verdict) == (at(66), text, ["data-kv-2"])


def test_claims_of_a_deleted_set_go_where_that_is_asked() -> None:
    for deleted, outcome in (("Delete", Outcome.HELD), ("Retain", Outcome.VIOLATED)):
        story = set_deleted(standing(deleted=deleted), 5, deleted=deleted)
        for ordinal in range(3):
            story.watched(9, "PersistentVolumeClaim", claim(ordinal), "DELETED")
        verdict = check(story.ended(100))
        assert verdict.outcome is outcome
        assert verdict.coverage["deletions of the set"] == 1


def test_claims_may_go_while_the_set_is_deleted_in_the_foreground() -> None:
    story = standing(deleted="Delete")
    story.watched(5, "StatefulSet", wanted(deleted="Delete", leaving=True))
    story.watched(6, "PersistentVolumeClaim", claim(0), "DELETED")
    assert check(story).outcome is not Outcome.VIOLATED


def test_a_set_deleted_with_its_pods_orphaned_leaves_its_claims() -> None:
    orphaning = wanted(deleted="Delete", leaving=True)
    orphaning["metadata"]["finalizers"] = ["orphan"]
    story = standing(deleted="Delete").watched(5, "StatefulSet", orphaning)
    for ordinal in range(3):
        story.watched(6, "Pod", member(ordinal, claims=DATA, owned=False))
    story.watched(7, "StatefulSet", wanted(deleted="Delete", leaving=True), "DELETED")
    assert check(story.ended(200)).outcome is Outcome.HELD
    empty = scaled_to(standing(deleted="Delete"), 5, 0, deleted="Delete")
    empty.watched(20, "StatefulSet", orphaning)
    empty.watched(21, "StatefulSet", wanted(0, deleted="Delete", leaving=True), "DELETED")
    assert check(empty.ended(200)).outcome is Outcome.HELD
    # Not so without orphans: then they are to go.
    empty = scaled_to(standing(deleted="Delete"), 5, 0, deleted="Delete")
    empty.watched(21, "StatefulSet", wanted(0, deleted="Delete"), "DELETED")
    assert first(check(empty.ended(200)))[0] == at(81)


def test_claims_of_a_deleted_set_wait_for_its_pods() -> None:
    story = standing(deleted="Delete")
    story.watched(5, "StatefulSet", wanted(deleted="Delete"), "DELETED")
    assert check(story.ended(200)).outcome is Outcome.HELD


def test_a_claim_that_its_member_kept_is_no_longer_to_go() -> None:
    story = scaled_to(standing(scaled="Delete"), 5, 2, scaled="Delete")
    story.watched(7, "StatefulSet", wanted(3, scaled="Delete"))
    story.watched(8, "Pod", member(2, claims=DATA, uid="uid-again"), "ADDED")
    assert check(story.ended(200)).outcome is Outcome.HELD
    story.watched(210, "PersistentVolumeClaim", claim(2, leaving=True))
    assert first(check(story))[0] == at(210)


def test_a_member_must_mount_the_claim_of_its_ordinal() -> None:
    story = standing()
    wrong = member(1, claims=DATA, uid="uid-wrong")
    wrong["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] = "data-kv-2"
    story.watched(5, "Pod", member(1, claims=DATA), "DELETED").watched(6, "Pod", wrong, "ADDED")
    text = "kv-1 mounts data-kv-2 as data, not data-kv-1"
    assert first(check(story)) == (at(6), text, ["kv-1", "data-kv-1"])
    none = replaced(standing(), 3, 0).watched(9, "Pod", member(3), "ADDED")
    assert first(check(none))[1] == "kv-3 mounts None as data, not data-kv-3"


def test_a_claim_keeps_its_volume() -> None:
    story = replaced(standing(), 5, 1)
    story.watched(10, "PersistentVolumeClaim", claim(1, volume="pv-other"))
    text = "claim data-kv-1 is bound to pv-other, not pv-data-kv-1"
    assert first(check(story)) == (at(10), text, ["data-kv-1"])
    lost = replaced(standing(), 5, 1)
    for second in (10, 11):
        lost.watched(second, "PersistentVolumeClaim", claim(1, phase="Lost"))
    verdict = check(lost)
    assert first(verdict)[:2] == (at(10), "claim data-kv-1 has lost its volume pv-data-kv-1")
    assert verdict.evidence.count == 1


def test_a_claim_of_the_same_name_and_another_uid_is_violated() -> None:
    story = replaced(standing(), 5, 1)
    story.watched(10, "PersistentVolumeClaim", claim(1, uid="uid-second"), "ADDED")
    assert first(check(story))[2] == ["data-kv-1", "uid-data-kv-1", "uid-second"]


def test_claims_of_other_sets_and_namespaces_do_not_matter() -> None:
    story = replaced(standing(), 5, 1)
    foreign = claim(1, uid="uid-foreign")
    foreign["metadata"]["name"] = "data-other-1"
    story.watched(9, "PersistentVolumeClaim", foreign, "DELETED")
    assert check(story).outcome is Outcome.HELD
    assert claim_ordinal("data-kv-12", ["data"], "kv") == 12
    for name in ("data-kv-x", "data-kv-01", "log-kv-1", "kv-1", "data-kv-cache-1"):
        assert claim_ordinal(name, ["data"], "kv") is None


def test_unknown_for_empty_idle_unwatched_gappy_and_claimless_records() -> None:
    good = replaced(standing(), 5, 1)
    gap = replaced(standing(), 5, 1).gap("PersistentVolumeClaim", 8, "uid-data-kv-1")
    unwatched = [
        e
        for e in good.events
        if not (isinstance(e, WatchStarted) and e.kind == "PersistentVolumeClaim")
    ]
    unseen = [
        e for e in good.events if not (isinstance(e, Watched) and e.kind == "PersistentVolumeClaim")
    ]
    claimless = Story().watching(*KINDS).watched(1, "StatefulSet", kv(), "ADDED")
    lost = Damage(
        file="events-x.ckl", holds="events", kind="torn", since_ns=at(5), until_ns=None, detail=""
    )
    for history, reason in (
        (History.of_parts(), "not in the record"),
        (History.of_parts(events=standing().events), "no member of kv was replaced"),
        (History.of_parts(events=gap.events), "has a gap"),
        (History.of_parts(events=unwatched), "PersistentVolumeClaims were not watched"),
        (History.of_parts(events=unseen), "no claim of kv is in the record"),
        (History.of_parts(events=claimless.events), "has no claim templates"),
        (History.of_parts(events=good.events, damage=[lost]), "events may be missing"),
    ):
        verdict = claims_stay("kv").check(history)
        assert verdict.outcome is Outcome.UNKNOWN
        assert reason in verdict.summary


def test_malformed_objects_and_times_are_errors() -> None:
    story = standing()
    broken = claim(1)
    del broken["metadata"]
    story.events.append(
        Watched(
            time_ns=at(5),
            kind="PersistentVolumeClaim",
            change="MODIFIED",
            uid="u",
            namespace="chaos",
            name="data-kv-1",
            resource_version=9999,
            object=broken,
        )
    )
    with pytest.raises(RecordError, match="no metadata"):
        check(story)
    with pytest.raises(UsageError, match="positive"):
        claims_stay("kv", deleted_within_s=0)


@examples(60)
@given(
    acts=st.lists(st.tuples(st.sampled_from(("replace", "scale")), st.integers(0, 2)), max_size=6),
    scaled=st.sampled_from(("Retain", "Delete")),
    stolen=st.none() | st.integers(0, 2),
)
def test_claims_that_follow_the_policy_hold_and_a_stolen_one_is_named(
    acts: list[tuple[str, int]], scaled: str, stolen: int | None
) -> None:
    story, second, round_ = standing(scaled=scaled), 5.0, 0
    uids = {ordinal: (f"uid-kv-{ordinal}", f"uid-data-kv-{ordinal}") for ordinal in range(3)}

    def made(ordinal: int) -> None:
        uids[ordinal] = f"uid-kv-{ordinal}-{round_}", uids[ordinal][1]
        story.watched(second, "Pod", member(ordinal, claims=DATA, uid=uids[ordinal][0]), "ADDED")

    def gone(ordinal: int) -> None:
        old = member(ordinal, claims=DATA, uid=uids[ordinal][0], leaving=True)
        story.watched(second, "Pod", old).watched(second, "Pod", old, "DELETED")

    for act, number in [("replace", 0), *acts]:
        second, round_ = second + 5, round_ + 1
        if act == "replace":
            gone(number)
            made(number)
            continue
        story.watched(second, "StatefulSet", wanted(number, scaled=scaled))
        for ordinal in reversed(range(number, 3)):
            gone(ordinal)
            if scaled == "Delete":
                old = claim(ordinal, uid=uids[ordinal][1], volume=f"pv-{uids[ordinal][1]}")
                story.watched(second, "PersistentVolumeClaim", old, "DELETED")
        second += 5
        story.watched(second, "StatefulSet", wanted(3, scaled=scaled))
        for ordinal in range(number, 3):
            if scaled == "Delete":
                uids[ordinal] = "", f"uid-data-kv-{ordinal}-{round_}"
                new = claim(ordinal, uid=uids[ordinal][1], volume=f"pv-{uids[ordinal][1]}")
                story.watched(second, "PersistentVolumeClaim", new, "ADDED")
            made(ordinal)
    if stolen is not None:
        old = claim(stolen, uid=uids[stolen][1], volume=f"pv-{uids[stolen][1]}")
        story.watched(second + 5, "PersistentVolumeClaim", old, "DELETED")
    verdict = check(story.ended(second + 200))
    if stolen is None:
        assert verdict.outcome is Outcome.HELD, verdict.evidence
    else:
        time_ns, _text, objects = first(verdict)
        assert (time_ns, objects) == (at(second + 5), [f"data-kv-{stolen}"])
