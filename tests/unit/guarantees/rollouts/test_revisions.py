"""revision_semantics: who gets which number, and which old ReplicaSets are kept."""

import pytest

from chaoskit.errors import RecordError
from chaoskit.guarantees import revision_semantics
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.history.events import WatchStarted
from chaoskit.history.reader import Damage, History
from tests.corpus.deployment_run import DeploymentRun
from tests.corpus.deployments import numbered, web
from tests.corpus.rollouts import KINDS
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on


def check(story: Story, *, end_s: float = 100.0, settle_s: float = 5.0) -> Verdict:
    return verdict_on(revision_semantics("deployment/web", settle_s=settle_s), story, end_s=end_s)


def at_first() -> Story:
    """web at revision 1, complete, with the ReplicaSet rs-1."""
    story = Story()
    story.watched(0, "Deployment", web(), "LISTED")
    story.watched(0, "ReplicaSet", numbered("rs-1", 1, replicas=3), "LISTED")
    return story.watching(*KINDS, second=0.1)


def set_image(story: Story, second: float, number: int, *, name: str | None = None) -> Story:
    """Another image at that second; its new ReplicaSet gets that number."""
    image = f"app:v{number}"
    generation = 10 + number
    changed = web(image=image, revision=number - 1, generation=generation, complete=False)
    changed["status"]["observedGeneration"] = generation - 1
    story.watched(second, "Deployment", changed)
    made = numbered(name or f"rs-{number}", number, image=image, replicas=3)
    story.watched(second + 0.1, "ReplicaSet", made, "ADDED")
    return story.watched(second + 2, "Deployment", web(image=image, revision=number))


def undo(story: Story, second: float, *, number: int = 3, former: str = "1") -> Story:
    """Back to the image of rs-1, which gets that number."""
    story.watched(second, "Deployment", web(revision=2, generation=20, complete=False))
    again = numbered("rs-1", number, former=former)
    return story.watched(second + 0.1, "ReplicaSet", again)


def test_new_templates_get_the_next_numbers() -> None:
    verdict = check(set_image(set_image(at_first(), 10, 2), 20, 3))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["numbers given"] == 2
    assert verdict.figures["highest_revision"] == 3


def test_a_skipped_number_is_the_witness() -> None:
    story = set_image(at_first(), 10, 2)
    story.watched(20, "Deployment", web(image="app:v3", revision=2, generation=3, complete=False))
    story.watched(20.1, "ReplicaSet", numbered("rs-3", 4, image="app:v3"), "ADDED")
    assert first(check(story)) == (
        at(20.1),
        "rs-3 got revision 4, where the highest other is 2",
        ["rs-3"],
    )


def test_a_number_that_is_put_right_at_once_is_no_violation() -> None:
    story = at_first()
    story.watched(20, "Deployment", web(image="app:v2", generation=2, complete=False))
    story.watched(20.1, "ReplicaSet", numbered("rs-2", 1, image="app:v2"), "ADDED")
    wrong = list(story.events)
    story.watched(20.9, "ReplicaSet", numbered("rs-2", 2, image="app:v2", former="1"))
    assert check(story).outcome is Outcome.HELD
    story.events = wrong
    assert first(check(story))[:2] == (
        at(20.1),
        "rs-2 got revision 1, where the highest other is 1",
    )


def test_undo_reuses_the_old_set_under_the_highest_number() -> None:
    story = undo(set_image(at_first(), 10, 2), 20)
    assert check(story).outcome is Outcome.HELD
    story.watched(30, "Deployment", web(image="app:v2", revision=3, generation=30, complete=False))
    again = numbered("rs-2", 4, image="app:v2", former="2")
    assert check(story.watched(30.1, "ReplicaSet", again)).outcome is Outcome.HELD


@pytest.mark.parametrize(
    "number,former,text",
    [
        (4, "1", "rs-1 got revision 4, where the highest other is 2"),
        (
            3,
            "",
            "rs-1 got revision 3, but its revision-history '' does not end with 1,"
            " which it was before",
        ),
        (
            3,
            "1,7",
            "rs-1 got revision 3, but its revision-history '1,7' does not end with 1,"
            " which it was before",
        ),
    ],
)
def test_undo_with_a_wrong_number_or_history_is_the_witness(
    number: int, former: str, text: str
) -> None:
    story = undo(set_image(at_first(), 10, 2), 20, number=number, former=former)
    assert first(check(story)) == (at(20.1), text, ["rs-1"])


def test_a_number_that_goes_back_is_the_witness() -> None:
    story = undo(set_image(at_first(), 10, 2), 20)
    story.watched(30, "Deployment", web(image="app:v2", revision=3, generation=30, complete=False))
    story.watched(30.1, "ReplicaSet", numbered("rs-2", 1, image="app:v2", former="2"))
    assert first(check(story)) == (
        at(30.1),
        "the revision of rs-2 went back from 2 to 1",
        ["rs-2"],
    )


def test_a_twin_of_an_old_set_is_the_witness() -> None:
    story = set_image(at_first(), 10, 2)
    story.watched(20, "Deployment", web(revision=2, generation=20, complete=False))
    story.watched(20.1, "ReplicaSet", numbered("rs-1b", 3), "ADDED")
    assert first(check(story)) == (
        at(20.1),
        "rs-1b was created though rs-1 has its template",
        ["rs-1b", "rs-1"],
    )


@pytest.mark.parametrize("what", ["scale", "pause", "strategy", "labels"])
def test_a_change_that_is_not_of_the_template_gives_no_number(what: str) -> None:
    story = set_image(at_first(), 10, 2)
    changed = web(image="app:v2", revision=2, generation=3)
    if what == "scale":
        changed = web(image="app:v2", revision=2, generation=3, replicas=5)
    elif what == "pause":
        changed["spec"]["paused"] = True
    elif what == "strategy":
        changed["spec"]["strategy"] = {"type": "Recreate"}
    else:
        changed["metadata"]["labels"] = {"team": "a"}
    story.watched(20, "Deployment", changed)
    assert check(story).outcome is Outcome.HELD
    story.watched(20.2, "ReplicaSet", numbered("rs-2", 3, image="app:v2", former="2"))
    assert first(check(story)) == (
        at(20.2),
        "rs-2 got revision 3 though the template did not change",
        ["rs-2"],
    )


def test_the_template_that_was_there_before_the_watch_has_its_number_already() -> None:
    story = at_first().watched(20, "Deployment", web(generation=2, replicas=5))
    story.watched(20.2, "ReplicaSet", numbered("rs-1", 2, former="1"))
    text = "rs-1 got revision 2 though the template did not change"
    assert first(check(story)) == (at(20.2), text, ["rs-1"])


def test_several_edits_while_paused_are_one_revision() -> None:
    story = at_first()
    for number in (2, 3, 4):
        edited = web(image=f"app:v{number}", generation=number, complete=False)
        story.watched(10 + number, "Deployment", edited)
    story.watched(20, "ReplicaSet", numbered("rs-4", 2, image="app:v4"), "ADDED")
    assert check(story).outcome is Outcome.HELD
    story.watched(21, "ReplicaSet", numbered("rs-3", 3, image="app:v3"), "ADDED")
    assert first(check(story))[1] == ("rs-3 got revision 3 though the template did not change")


def test_a_deployment_without_its_number_is_the_witness() -> None:
    story = at_first()
    story.watched(10, "Deployment", web(image="app:v2", generation=2, complete=False))
    story.watched(10.1, "ReplicaSet", numbered("rs-2", 2, image="app:v2"), "ADDED")
    story.watched(12, "Deployment", web(image="app:v2", revision=1, generation=2))
    assert first(check(story)) == (
        at(17),
        "web is annotated with revision 1, its ReplicaSet rs-2 with 2",
        ["web", "rs-2"],
    )
    story.watched(16, "Deployment", web(image="app:v2", revision=2, generation=2))
    assert check(story).outcome is Outcome.HELD
    assert check(story, end_s=16.5).outcome is Outcome.HELD


def with_limit(limit: int, *, deleted: tuple[int, ...] = ()) -> Story:
    """web goes through the revisions 1 to 4; the old sets `deleted` go at 41 s."""
    story = at_first()
    for number in (2, 3, 4):
        set_image(story, number * 10, number)
        for old in range(1, number):
            empty = numbered(f"rs-{old}", old, image=f"app:v{old}")
            story.watched(number * 10 + 1, "ReplicaSet", empty)
    done = web(image="app:v4", revision=4, generation=14, history_limit=limit)
    story.watched(42.5, "Deployment", done)
    for old in deleted:
        gone = numbered(f"rs-{old}", old, image=f"app:v{old}")
        story.watched(43, "ReplicaSet", gone, "DELETED")
    return story


def test_as_many_old_sets_are_kept_as_the_limit_says() -> None:
    for limit, deleted in ((3, ()), (2, (1,)), (1, (1, 2)), (0, (1, 2, 3)), (2**31 - 1, ())):
        verdict = check(with_limit(limit, deleted=deleted))
        assert verdict.outcome is Outcome.HELD, verdict.summary
        assert verdict.coverage["old sets deleted"] == len(deleted)


def test_too_many_old_sets_are_the_witness() -> None:
    assert first(check(with_limit(1, deleted=(1,)))) == (
        at(47.5),
        "2 old ReplicaSets are left where 1 are kept; to go: rs-2",
        ["rs-2"],
    )
    assert check(with_limit(1, deleted=(1,)), end_s=47).outcome is Outcome.HELD


def test_an_old_set_deleted_too_soon_or_out_of_turn_is_the_witness() -> None:
    assert first(check(with_limit(3, deleted=(1,)))) == (
        at(43),
        "rs-1 (revision 1) was deleted though of 3 old ReplicaSets 3 are kept",
        ["rs-1"],
    )
    assert first(check(with_limit(2, deleted=(3,)))) == (
        at(43),
        "rs-3 (revision 3) was deleted before rs-1 (revision 1)",
        ["rs-3", "rs-1"],
    )


def test_an_old_set_that_is_not_empty_is_passed_over() -> None:
    story = with_limit(2)
    story.watched(42.6, "ReplicaSet", numbered("rs-1", 1, replicas=1))
    story.watched(43, "ReplicaSet", numbered("rs-2", 2, image="app:v2"), "DELETED")
    assert check(story).outcome is Outcome.HELD


def test_sets_that_steps_or_the_end_of_the_deployment_delete_are_not_charged() -> None:
    story = with_limit(3, deleted=(2,)).step("delete", "ReplicaSet rs-2", 42.9)
    assert check(story).outcome is Outcome.HELD
    story = with_limit(3)
    leaving = web(image="app:v4", revision=4)
    leaving["metadata"]["deletionTimestamp"] = "2023-11-14T22:13:20Z"
    story.watched(50, "Deployment", leaving)
    story.watched(51, "ReplicaSet", numbered("rs-2", 2, image="app:v2"), "DELETED")
    assert check(story).outcome is Outcome.HELD


def test_a_limit_that_was_raised_a_moment_ago_may_not_be_known_yet() -> None:
    for second, outcome in ((43.5, Outcome.HELD), (44.5, Outcome.VIOLATED)):
        story = with_limit(2)
        raised = web(image="app:v4", revision=4, generation=15, history_limit=3)
        story.watched(43, "Deployment", raised)
        gone = numbered("rs-1", 1)
        assert check(story.watched(second, "ReplicaSet", gone, "DELETED")).outcome is outcome


def test_the_current_set_made_anew_gets_its_number_anew() -> None:
    story = set_image(at_first(), 10, 2)
    story.watched(20, "ReplicaSet", numbered("rs-2", 2, image="app:v2"), "DELETED")
    story.watched(20.5, "ReplicaSet", numbered("rs-2b", 3, image="app:v2"), "ADDED")
    assert check(story).outcome is Outcome.HELD  # the one that went may still have been seen
    story.events.pop()
    story.watched(20.5, "ReplicaSet", numbered("rs-2b", 2, image="app:v2"), "ADDED")
    assert check(story).outcome is Outcome.HELD


def test_an_adopted_set_keeps_its_number() -> None:
    story = at_first()
    free = numbered("rs-9", 9, image="app:v9")
    owners = free["metadata"].pop("ownerReferences")
    story.watched(5, "ReplicaSet", free, "ADDED")
    adopted = numbered("rs-9", 9, image="app:v9")
    adopted["metadata"]["ownerReferences"] = owners
    story.watched(6, "ReplicaSet", adopted)
    story.watched(20, "Deployment", web(image="app:v2", generation=2, complete=False))
    story.watched(20.1, "ReplicaSet", numbered("rs-2", 10, image="app:v2"), "ADDED")
    verdict = check(story)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["numbers given"] == 1


def test_a_second_deployment_of_that_name_begins_with_1() -> None:
    story = set_image(at_first(), 10, 2)
    story.watched(20, "Deployment", web(image="app:v2", revision=2), "DELETED")
    fresh = web(image="app:v2", revision=0, complete=False)
    fresh["metadata"]["uid"] = "uid-second"
    story.watched(21, "Deployment", fresh, "ADDED")
    first = numbered("rs-z", 1, image="app:v2")
    first["metadata"]["ownerReferences"][0]["uid"] = "uid-second"
    assert check(story.watched(21.1, "ReplicaSet", first, "ADDED")).outcome is Outcome.HELD


def test_unknown_and_why() -> None:
    good = set_image(at_first(), 10, 2)
    unwatched = Story()
    unwatched.events = [e for e in good.events if not isinstance(e, WatchStarted)]
    for story, reason in (
        (Story(), "deployment web is not in the record"),
        (at_first(), "no ReplicaSet got a revision number on record"),
        (unwatched, "ReplicaSets were not watched"),
        (set_image(at_first(), 10, 2).gap("ReplicaSet", 15, "uid-rs-1"), "has a gap (410 Gone)"),
    ):
        verdict = check(story)
        assert verdict.outcome is Outcome.UNKNOWN
        assert reason in verdict.summary
    lost = Damage(
        file="events-x.ckl", holds="events", kind="torn", since_ns=at(5), until_ns=None, detail=""
    )
    torn = History.of_parts(events=good.events, damage=[lost])
    assert revision_semantics("web").check(torn).outcome is Outcome.UNKNOWN


def test_a_gap_before_a_wrong_number_excuses_it() -> None:
    story = undo(set_image(at_first(), 10, 2), 20, number=7).gap("ReplicaSet", 15, "uid-rs-9")
    assert check(story).outcome is Outcome.UNKNOWN


def test_an_object_without_metadata_is_an_error() -> None:
    story = at_first()
    story.events[0].object.pop("metadata")  # type: ignore[union-attr]
    with pytest.raises(RecordError, match="has no metadata"):
        check(story)


def simulated(defect: str | None = None, *, history_limit: int = 10) -> DeploymentRun:
    """Three images, a scale, and back to the first of them."""
    run = DeploymentRun(history_limit=history_limit, defect=defect)
    for number in (1, 2, 3):
        run.set_image(f"app:v{number}")
        run.wait_complete()
        run.wait(6)
    run.scale(4)
    run.wait_complete()
    run.undo()
    run.wait_complete()
    run.wait(6)
    return run


@pytest.mark.parametrize("history_limit", [0, 1, 2, 10])
def test_a_simulated_controller_holds(history_limit: int) -> None:
    run = simulated(history_limit=history_limit)
    verdict = revision_semantics("web").check(run.history())
    assert verdict.outcome is Outcome.HELD, verdict.summary


@pytest.mark.parametrize(
    "defect,history_limit,words",
    [
        ("skips_a_number", 10, "where the highest other is 1"),
        ("numbers_a_scale", 10, "though the template did not change"),
        ("forgets_the_number_before", 10, "does not end with 2, which it was before"),
        ("makes_a_twin_set", 10, "has its template"),
        ("keeps_too_many_sets", 1, "2 old ReplicaSets are left where 1 are kept"),
        ("drops_sets_too_soon", 1, "was deleted though of 1 old ReplicaSets 1 are kept"),
        ("drops_the_newest_set", 1, "was deleted before"),
    ],
)
def test_a_simulated_controller_with_a_defect_is_caught(
    defect: str, history_limit: int, words: str
) -> None:
    run = simulated(defect, history_limit=history_limit)
    time_ns, text, objects = first(revision_semantics("web").check(run.history()))
    assert words in text
    assert run.controller.offence is not None
    offended_ns, name = run.controller.offence
    assert name in objects
    if defect == "keeps_too_many_sets":
        assert time_ns >= offended_ns
    else:
        assert time_ns == offended_ns
