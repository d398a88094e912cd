"""undo_restores: undo goes to the revision before, or to the one it names."""

import pytest

from chaoskit.errors import RecordError
from chaoskit.guarantees import undo_restores
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.history.events import StepMark, WatchStarted
from chaoskit.history.reader import Damage, History
from tests.corpus.deployment_run import UNDOES_TO_THE_OLDEST, DeploymentRun
from tests.corpus.deployments import numbered, web
from tests.corpus.objects import pod
from tests.corpus.rollouts import KINDS
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on


def check(story: Story, *, to_revision: int | None = None, end_s: float = 60.0) -> Verdict:
    return verdict_on(undo_restores("deployment/web", to_revision=to_revision), story, end_s=end_s)


def mark(story: Story, second: float, to: str, *, end: str | None = "done") -> Story:
    """An undo that takes 0.1 s; `to` is the detail of its marks."""
    for moment, what in ((second, "started"), (second + 0.1, end)):
        if what is not None:
            story.events.append(
                StepMark(
                    time_ns=at(moment),
                    step_id=f"undo-{second}",
                    name="undo",
                    target="Deployment web",
                    mark=what,  # type: ignore[arg-type]
                    detail=to,
                )
            )
    return story


def at_third() -> Story:
    """web at revision 3, complete, with one ReplicaSet and the pod new-0 for each revision."""
    story = Story()
    story.watched(0, "Deployment", web(image="app:v3", revision=3), "LISTED")
    for number in (1, 2, 3):
        old = numbered(f"rs-{number}", number, image=f"app:v{number}")
        story.watched(0, "ReplicaSet", old, "LISTED")
    story.watched(0, "Pod", pod("p3", of=("ReplicaSet", "rs-3"), ready_since=-60), "LISTED")
    return story.watching(*KINDS, second=0.1)


def undone(
    image: str, *, to: str = "to the revision before", complete: bool = True, second: float = 10.0
) -> Story:
    """web is undone, to that image, and is complete 2 s later."""
    story = mark(at_third(), second, to)
    changed = web(image=image, revision=3, generation=4, complete=False)
    story.watched(second + 0.05, "Deployment", changed)
    number = image.removeprefix("app:v")
    story.watched(second + 0.2, "Pod", pod("p4", of=("ReplicaSet", f"rs-{number}")), "ADDED")
    leaving = pod("p3", of=("ReplicaSet", "rs-3"), leaving=True)
    story.watched(second + 1, "Pod", leaving)
    if complete:
        story.watched(second + 2, "Deployment", web(image=image, revision=4))
    return story


@pytest.mark.parametrize(
    "image,to,to_revision",
    [
        ("app:v2", "to the revision before", None),
        ("app:v2", "", None),
        ("app:v1", "to 1", None),
        ("app:v1", "to 1", 1),
    ],
)
def test_undo_to_the_right_revision_holds(image: str, to: str, to_revision: int | None) -> None:
    verdict = check(undone(image, to=to), to_revision=to_revision)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["undos"] == verdict.coverage["undos whose rollout is complete"] == 1


@pytest.mark.parametrize(
    "image,to,text",
    [
        ("app:v1", "to the revision before", "rs-1 (revision 1), not of rs-2 (revision 2)"),
        ("app:v2", "to 1", "rs-2 (revision 2), not of rs-1 (revision 1)"),
        ("app:v9", "to 1", "no ReplicaSet on record, not of rs-1 (revision 1)"),
    ],
)
def test_undo_to_another_template_is_the_witness(image: str, to: str, text: str) -> None:
    time_ns, words, objects = first(check(undone(image, to=to)))
    assert (time_ns, words) == (at(10.05), f"undo gave web the template of {text}")
    assert objects == ["web", text.split(" ")[-3]]


def overtaken_by_the_watch(image: str, *, until_s: float = 10.12) -> Story:
    """web got app:v9 by the step before, which is seen only after the undo to 2 has begun."""
    story = at_third()
    story.step("set_image", "Deployment web", 9.9, took_s=0.05)
    mark(story, 10, "to 2")
    changed = web(image="app:v9", revision=3, generation=4, complete=False)
    story.watched(10.01, "Deployment", changed)
    undone_to = web(image=image, revision=3, generation=5, complete=False)
    story.watched(until_s, "Deployment", undone_to)
    story.watched(until_s + 1, "Pod", pod("p3", of=("ReplicaSet", "rs-3"), leaving=True))
    return story.watched(until_s + 2, "Deployment", web(image=image, revision=5))


def test_a_change_of_the_step_before_that_is_seen_late_is_not_the_undos() -> None:
    assert check(overtaken_by_the_watch("app:v2")).outcome is Outcome.HELD


def test_a_wrong_undo_after_such_a_change_is_still_the_witness() -> None:
    time_ns, words, _ = first(check(overtaken_by_the_watch("app:v1")))
    assert time_ns == at(10.12)
    assert "the template of rs-1 (revision 1), not of rs-2 (revision 2)" in words


def test_what_is_put_right_later_than_a_watch_can_be_late_does_not_excuse() -> None:
    assert first(check(overtaken_by_the_watch("app:v2", until_s=13)))[0] == at(10.01)


def test_undo_to_the_template_that_it_has_changes_nothing() -> None:
    story = mark(at_third(), 10, "to 3")
    assert check(story).outcome is Outcome.HELD
    wrong = mark(at_third(), 10, "to 2")
    assert first(check(wrong)) == (
        at(10.1),
        "undo gave web the template of rs-3 (revision 3), not of rs-2 (revision 2)",
        ["web", "rs-2"],
    )


@pytest.mark.parametrize("image,right", [("app:v1", True), ("app:v2", True), ("app:v9", False)])
def test_whatever_was_the_revision_before_while_it_was_read_is_right(
    image: str, right: bool
) -> None:
    story = mark(at_third(), 10, "to the revision before")
    # The second highest number passed from rs-2 to rs-1 after the undo began.
    story.watched(10.03, "ReplicaSet", numbered("rs-1", 2, former="1"))
    story.watched(10.04, "ReplicaSet", numbered("rs-2", 1, image="app:v2"))
    changed = web(image=image, generation=4, complete=False)
    story.watched(10.05, "Deployment", changed)
    story.watched(10.06, "Pod", pod("p3", of=("ReplicaSet", "rs-3"), leaving=True))
    story.watched(12, "Deployment", web(image=image, revision=4))
    assert check(story).outcome is (Outcome.HELD if right else Outcome.VIOLATED)


def test_a_pod_of_another_template_after_completion_is_the_witness() -> None:
    story = undone("app:v2")
    story.events = [e for e in story.events if getattr(e, "name", "") != "p3"]
    story.watched(9, "Pod", pod("p3", of=("ReplicaSet", "rs-3"), ready_since=-60))
    assert first(check(story)) == (
        at(13),
        "p3 of another template is left after the undo is complete",
        ["p3"],
    )
    gone = pod("p3", of=("ReplicaSet", "rs-3"), leaving=True)
    assert check(story.watched(12.5, "Pod", gone)).outcome is Outcome.HELD


def test_an_undo_that_is_overtaken_is_judged_by_its_template_only() -> None:
    story = undone("app:v2", complete=False).step("set_image", "Deployment web", 11)
    verdict = check(story)
    assert verdict.outcome is Outcome.HELD
    assert verdict.coverage["undos whose rollout is complete"] == 0
    wrong = undone("app:v1", complete=False).step("set_image", "Deployment web", 11)
    assert check(wrong).outcome is Outcome.VIOLATED
    at_once = mark(at_third(), 10, "to 2").step("set_image", "Deployment web", 10.5)
    assert check(at_once).outcome is Outcome.HELD  # whether it changed anything cannot be told


def test_a_deployment_that_is_deleted_is_not_complete() -> None:
    story = undone("app:v2", complete=False)
    story.watched(12, "Deployment", web(image="app:v2", revision=4), "DELETED")
    verdict = check(story)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "the record ends before the rollout of an undo is complete" in verdict.summary


def test_only_the_undos_to_the_named_revision_are_judged() -> None:
    story = undone("app:v1", to="to the revision before")
    assert check(story, to_revision=1).outcome is Outcome.UNKNOWN
    assert check(story).outcome is Outcome.VIOLATED


def test_unknown_and_why() -> None:
    refused = mark(at_third(), 10, "to 7", end="failed")
    unwatched = Story()
    unwatched.events = [e for e in undone("app:v2").events if not isinstance(e, WatchStarted)]
    for story, reason in (
        (Story(), "deployment web is not in the record"),
        (at_third(), "no finished undo to the revision before is on record"),
        (refused, "no finished undo to the revision before is on record"),
        (undone("app:v2", to="to 9"), "revision 9, to which an undo goes, is not on record"),
        (
            undone("app:v2", complete=False),
            "the record ends before the rollout of an undo is complete",
        ),
        (mark(Story(), 10, "to 1"), "deployment web was not there when it was undone"),
        (unwatched, "Pods were not watched"),
        (undone("app:v2").gap("ReplicaSet", 5, "uid-rs-2"), "has a gap (410 Gone)"),
    ):
        verdict = check(story)
        assert verdict.outcome is Outcome.UNKNOWN, verdict.summary
        assert reason in verdict.summary
    lost = Damage(
        file="events-x.ckl", holds="events", kind="torn", since_ns=at(5), until_ns=None, detail=""
    )
    torn = History.of_parts(events=undone("app:v2").events, damage=[lost])
    assert undo_restores("web").check(torn).outcome is Outcome.UNKNOWN


def test_a_gap_before_a_wrong_template_excuses_it() -> None:
    assert check(undone("app:v1").gap("ReplicaSet", 5, "x")).outcome is Outcome.UNKNOWN


def test_an_undo_that_only_ends_is_an_error() -> None:
    story = at_third()
    story.events.append(
        StepMark(time_ns=at(9), step_id="x", name="undo", target="web", mark="done")
    )
    with pytest.raises(RecordError, match="never started"):
        check(story)


def simulated(defect: str | None = None) -> DeploymentRun:
    run = DeploymentRun(defect=defect)
    for number in (1, 2, 3):
        run.set_image(f"app:v{number}")
        run.wait_complete()
        run.wait(2)
    for to_revision in (None, None, 1):
        run.undo(to_revision)
        run.wait_complete()
        run.wait(2)
    return run


def test_simulated_undos_hold() -> None:
    verdict = undo_restores("web").check(simulated().history())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["undos"] == 3


def test_a_simulated_client_that_undoes_to_the_oldest_is_caught() -> None:
    run = simulated(UNDOES_TO_THE_OLDEST)
    _, text, objects = first(undo_restores("web").check(run.history()))
    assert "(revision 1), not of" in text
    assert objects[0] == "web"


def test_a_simulated_controller_that_leaves_a_pod_is_caught() -> None:
    run = simulated("leaves_an_old_pod")
    assert run.controller.offence is not None
    verdict = undo_restores("web").check(run.history())
    assert run.controller.offence[1] in first(verdict)[2]
