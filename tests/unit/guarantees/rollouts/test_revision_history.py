"""revision_numbers and change_causes: what the history lists after each change, and why."""

from hypothesis import given, settings
from hypothesis import strategies as st

from chaoskit.guarantees import change_causes, revision_numbers
from chaoskit.guarantees.verdict import Outcome
from tests.corpus.deployment_controller import number_of
from tests.corpus.deployment_run import DeploymentRun
from tests.corpus.deployments import numbered, web
from tests.corpus.objects import Object
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

R7 = ([1], [1, 2], [1, 2, 3], [1, 3, 4], [1, 4, 5], [4, 5, 6])


def undone_thrice() -> DeploymentRun:
    """v1, v2, v3; undo; undo; undo to 1."""
    run = DeploymentRun()
    run.wait_complete()
    for image in ("app:v2", "app:v3"):
        run.set_image(image)
        run.wait_complete()
    for to_revision in (None, None, 1):
        run.undo(to_revision)
        run.wait_complete()
    return run


def caused(obj: Object, cause: str | None) -> Object:
    if cause is not None:
        notes = obj["metadata"].setdefault("annotations", {})
        notes["kubernetes.io/change-cause"] = cause
    return obj


def updated(cause: str | None = "to v2", own: str | None = "to v2") -> Story:
    """web from revision 1 to 2; `cause` stands at its ReplicaSet, `own` at itself."""
    story = Story()
    story.watched(0, "Deployment", web(), "LISTED")
    story.watched(0, "ReplicaSet", numbered("rs-1", 1), "LISTED")
    story.watching("Deployment", "ReplicaSet", second=0.1)
    story.watched(5, "Deployment", caused(web(image="app:v2", revision=2), own))
    rs = caused(numbered("rs-2", 2, image="app:v2"), cause)
    return story.watched(5.1, "ReplicaSet", rs, "ADDED")


def test_the_history_of_row_r7_holds_as_a_whole_and_in_its_last_part() -> None:
    history = undone_thrice().history()
    for expected in (R7, R7[2:], R7[-1:]):
        verdict = revision_numbers("web", *expected).check(history)
        assert verdict.outcome is Outcome.HELD, verdict.summary


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    limit=st.integers(0, 3),
    images=st.lists(st.sampled_from(["app:v1", "app:v2", "app:v3", "app:v4"]), max_size=6),
)
def test_the_last_history_is_that_of_the_sets_that_are_left(
    seed: int, limit: int, images: list[str]
) -> None:
    run = DeploymentRun(seed=seed, history_limit=limit)
    run.wait_complete()
    for image in images:
        run.set_image(image)
        run.wait_complete()
    run.wait(5)
    left = sorted(number_of(one) for one in run.cluster.sets.values())
    assert revision_numbers("web", left).check(run.history()).outcome is Outcome.HELD
    wrong = revision_numbers("web", [*left, left[-1] + 1])
    assert wrong.check(run.history()).outcome is Outcome.VIOLATED


def test_another_number_is_the_witness_at_the_change_that_brought_it() -> None:
    wrong = (*R7[:3], [1, 2, 3, 4], *R7[4:])
    verdict = revision_numbers("web", *wrong).check(undone_thrice().history())
    time_ns, text, objects = first(verdict)
    assert text == "after change 4 of 6 the history is {1,3,4}, not {1,2,3,4}"
    assert objects == ["web"]
    assert time_ns > at(0)
    assert verdict.evidence.count == 1


def test_fewer_changes_than_expected_are_no_proof() -> None:
    verdict = verdict_on(revision_numbers("web", [1], [1, 2], [1, 2, 3]), updated())
    assert verdict.outcome is Outcome.VIOLATED  # the two that are there are others
    verdict = verdict_on(revision_numbers("web", [7], [1], [1, 2]), updated())
    assert verdict.outcome is Outcome.UNKNOWN
    assert "changed 2 times, 3 were expected" in verdict.summary


def test_a_status_and_a_late_event_are_no_change() -> None:
    """The new ReplicaSet arrives before the status; a step counts by what it changes."""
    story = updated().watched(6, "Deployment", web(image="app:v2", revision=2, complete=False))
    assert verdict_on(revision_numbers("web", [1], [1, 2]), story).outcome is Outcome.HELD


def test_deleted_and_created_again_begins_with_1() -> None:
    story = updated()
    story.watched(10, "Deployment", web(image="app:v2", revision=2), "DELETED")
    again, rs = web(), numbered("rs-3", 1)
    again["metadata"]["uid"] = rs["metadata"]["ownerReferences"][0]["uid"] = "uid-again"
    story.watched(12, "Deployment", again, "ADDED").watched(12.1, "ReplicaSet", rs, "ADDED")
    assert verdict_on(revision_numbers("web", [1, 2], [], [1]), story).outcome is Outcome.HELD


def test_an_empty_record_and_a_gap_are_unknown() -> None:
    for story in (Story(), updated().gap("ReplicaSet", 6, "uid-rs-2")):
        for guarantee in (revision_numbers("web", [1, 2]), change_causes("web", {2: "to v2"})):
            assert verdict_on(guarantee, story).outcome is Outcome.UNKNOWN


def test_causes_hold_and_none_means_none() -> None:
    assert verdict_on(change_causes("web", {1: None, 2: "to v2"}), updated()).outcome is (
        Outcome.HELD
    )


def test_a_wrong_cause_a_missing_and_an_unexpected_revision_are_witnesses() -> None:
    verdict = verdict_on(change_causes("web", {1: "to v1", 2: "to v2"}), updated())
    assert first(verdict)[1] == "revision 1 has cause None, not 'to v1'"
    verdict = verdict_on(change_causes("web", {1: None, 2: "to v2", 3: None}), updated())
    assert first(verdict)[1] == "there is no revision 3"
    verdict = verdict_on(change_causes("web", {2: "to v2"}), updated())
    assert first(verdict)[1] == "there is an unexpected revision 1"


def test_the_deployments_own_cause_is_that_of_its_newest_revision() -> None:
    verdict = verdict_on(change_causes("web", {1: None, 2: "to v2"}), updated(own="to v3"))
    assert first(verdict)[1] == "the Deployment says 'to v3', its newest revision 'to v2'"
