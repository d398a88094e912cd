"""only_new_pods_after_completion: nothing old is left, and none answers."""

from collections.abc import Sequence

import pytest

from chaoskit.errors import RecordError
from chaoskit.guarantees import only_new_pods_after_completion
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.history.events import WatchStarted
from chaoskit.history.reader import Damage, History
from chaoskit.history.requests import RequestRow
from tests.corpus.deployment_run import DeploymentRun
from tests.corpus.deployments import web
from tests.corpus.objects import Object, deployment, pod, replica_set
from tests.corpus.requests import load_marks, steady
from tests.corpus.rollouts import KINDS, NEW, OLD, bad_rollout, good_rollout, three_ready_pods
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

#: good_rollout is complete at this second.
COMPLETE_S = 24.0


def check(
    story: Story,
    rows: Sequence[RequestRow] = (),
    *,
    end_s: float = 60.0,
    connection: str | None = "new",
) -> Verdict:
    guarantee = only_new_pods_after_completion("deployment/web", settle_s=1, connection=connection)
    return verdict_on(guarantee, story, rows, end_s=end_s)


def answers(
    uid: str, start_s: float, end_s: float, *, connection: str = "new", load: str = "load-1"
) -> list[RequestRow]:
    rows = steady(
        start_s=start_s,
        seconds=end_s - start_s,
        rate_per_s=10,
        connection=connection,
        stream=f"{connection} via n1",
        load=load,
    )
    return [row._replace(pod_uid=uid, pod=uid.removeprefix("uid-")) for row in rows]


def loaded(story: Story, rows: list[RequestRow]) -> Story:
    story.events += load_marks(rows)
    return story


def test_the_good_rollout_holds() -> None:
    verdict = check(good_rollout())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage == {"complete rollouts": 1}


def test_old_answers_before_completion_and_new_ones_after_it_hold() -> None:
    rows = [
        *answers("uid-old-0", 5, COMPLETE_S + 0.9),
        *answers("uid-new-0", COMPLETE_S + 0.9, 40),
    ]
    verdict = check(loaded(good_rollout(), rows), rows)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["answers after completion"] == 150
    assert verdict.figures["answers_of_old_pods"] == 0


def test_an_answer_of_an_old_pod_after_completion_is_the_witness() -> None:
    rows = answers("uid-old-2", 20, 27)
    verdict = check(loaded(good_rollout(), rows), rows)
    sent_ns = at(25.0) + 100_000
    time_ns, text, objects = first(verdict)
    assert time_ns == sent_ns
    assert text == (
        "an old pod answered 1.00 s after completion:"
        " slot 50: read on stream new via n1: ok, answered by old-2"
    )
    assert objects == []
    assert verdict.evidence.count == 20
    assert verdict.evidence.last is not None
    assert verdict.evidence.last.time_ns == at(26.9) + 100_000
    assert verdict.figures["answers_of_old_pods"] == 20


def test_kept_connections_may_end_on_old_pods_unless_they_are_chosen_too() -> None:
    rows = answers("uid-old-2", 20, 27, connection="kept")
    story = loaded(good_rollout(), rows)
    assert check(story, rows).outcome is Outcome.HELD
    assert check(story, rows, connection=None).outcome is Outcome.VIOLATED


def test_failed_answers_and_those_of_other_workloads_do_not_count() -> None:
    rows = [row._replace(outcome="fail") for row in answers("uid-old-2", 20, 27)]
    assert check(loaded(good_rollout(), rows), rows).outcome is Outcome.HELD
    rows = answers("uid-of-another", 20, 40)
    verdict = check(loaded(good_rollout(), rows), rows)
    assert verdict.outcome is Outcome.HELD
    assert verdict.coverage["answers after completion"] == 0


def test_an_old_pod_that_is_left_is_the_witness() -> None:
    story = good_rollout()
    left = pod("old-3", of=OLD, ready_since=-60)
    story.events = [e for e in story.events if getattr(e, "name", "") != "old-2"]
    held = list(story.events)
    story.watched(COMPLETE_S + 0.5, "Pod", left, "ADDED")
    verdict = check(story)
    assert first(verdict) == (
        at(COMPLETE_S + 1),
        "old-3 of rs-1 is there 1.00 s after completion",
        ["old-3"],
    )
    leaving = pod("old-3", of=OLD, leaving=True)
    assert check(story.watched(COMPLETE_S + 0.8, "Pod", leaving)).outcome is Outcome.HELD
    story.events = held
    story.watched(40, "Pod", pod("old-4", of=OLD), "ADDED")
    assert first(check(story))[1] == "old-4 of rs-1 is there 16.00 s after completion"


def test_it_ends_when_the_template_changes_again() -> None:
    story = good_rollout()
    story.watched(40, "Deployment", deployment(revision=3, complete=False))
    story.watched(41, "Pod", pod("old-5", of=OLD), "ADDED")
    rows = answers("uid-old-2", 41, 48)
    assert check(loaded(story, rows), rows).outcome is Outcome.HELD
    story.watched(50, "Deployment", deployment(revision=3))
    verdict = check(story)
    assert first(verdict)[0] == at(51)  # new-0 to new-2 are the old ones now
    for number in range(3):
        story.watched(50.5, "Pod", pod(f"new-{number}", of=NEW, leaving=True))
    verdict = check(story)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["complete rollouts"] == 2


def test_after_undo_the_restored_pods_are_the_new_ones() -> None:
    rows = answers("uid-old-0", 40, 60)
    verdict = check(loaded(bad_rollout(), rows), rows)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["answers after completion"] == 120


def test_nothing_is_rolled_out_while_there_is_no_set_of_the_template() -> None:
    story = three_ready_pods()
    story.watched(10, "Deployment", web(replicas=0, generation=2))
    for number in range(3):
        story.watched(10, "Pod", pod(f"old-{number}", of=OLD, leaving=True))
    paused = web(image="app:v2", replicas=0, generation=3, paused=True)
    story.watched(20, "Deployment", paused)
    story.watched(30, "Pod", pod("old-9", of=OLD), "ADDED")  # scaled up while it is paused
    assert check(story).outcome is Outcome.UNKNOWN


def test_pods_of_an_earlier_deployment_of_that_name_are_not_judged() -> None:
    story = good_rollout()
    story.watched(40, "Deployment", deployment(image="app:v2", revision=2), "DELETED")
    second = deployment(image="app:v3")
    second["metadata"]["uid"] = "uid-second"
    story.watched(41, "Deployment", second, "ADDED")
    owner = {"kind": "Deployment", "name": "web", "uid": "uid-second", "controller": True}
    fresh = replica_set("rs-3", image="app:v3")
    fresh["metadata"]["ownerReferences"] = [owner]
    story.watched(41.1, "ReplicaSet", fresh, "ADDED")
    complete = deployment(image="app:v3")
    complete["metadata"]["uid"] = "uid-second"
    story.watched(41.5, "Deployment", complete)
    rows = answers("uid-new-0", 45, 59)
    verdict = check(loaded(story, rows), rows)
    assert verdict.outcome is Outcome.HELD
    assert verdict.coverage["complete rollouts"] == 1


def test_a_rollout_that_was_complete_before_the_watch_is_not_judged() -> None:
    story = Story()
    story.watched(0, "ReplicaSet", replica_set("rs-1"), "LISTED")
    story.watched(0, "ReplicaSet", replica_set("rs-2", image="app:v2"), "LISTED")
    story.watched(0, "Pod", pod("old-0", of=OLD), "LISTED")
    story.watched(0, "Deployment", deployment(image="app:v2", revision=2), "LISTED")
    assert check(story.watching(*KINDS, second=0.1)).outcome is Outcome.UNKNOWN


def test_pods_that_were_listed_before_their_deployment_are_its_own() -> None:
    story = Story().watched(0, "ReplicaSet", replica_set("rs-1"), "LISTED")
    story.watched(0, "Pod", pod("old-0", of=OLD, ready_since=-60), "LISTED")
    story.watched(0, "Deployment", deployment(replicas=1), "LISTED")
    story.watching(*KINDS, second=0.1)

    def rolled(*, complete: bool) -> Object:
        return deployment(image="app:v2", revision=2, replicas=1, complete=complete)

    story.watched(10, "Deployment", rolled(complete=False))
    story.watched(10.1, "ReplicaSet", replica_set("rs-2", image="app:v2"), "ADDED")
    story.watched(11, "Pod", pod("new-0", of=NEW), "ADDED")
    story.watched(12, "Pod", pod("old-0", of=OLD, leaving=True), "DELETED")
    story.watched(13, "Deployment", rolled(complete=True))
    rows = answers("uid-old-0", 10, 20)
    verdict = check(loaded(story, rows), rows)
    assert first(verdict)[0] == at(14) + 100_000


def test_unknown_and_why() -> None:
    unwatched = Story()
    unwatched.events = [e for e in good_rollout().events if not isinstance(e, WatchStarted)]
    for story, reason in (
        (Story(), "deployment web is not in the record"),
        (three_ready_pods(), "no rollout that took old pods away was complete on record"),
        (bad_rollout(undo=False), "no rollout that took old pods away was complete on record"),
        (unwatched, "Pods were not watched"),
        (good_rollout().gap("Pod", 5, "uid-old-0"), "the watch of Pods has a gap (410 Gone)"),
    ):
        verdict = check(story)
        assert verdict.outcome is Outcome.UNKNOWN, verdict.summary
        assert reason in verdict.summary


def test_requests_that_may_be_missing_make_it_unknown() -> None:
    rows = answers("uid-new-0", 5, 40)
    lost = Damage(
        file="requests-x.ckl",
        holds="requests",
        kind="lost",
        since_ns=at(30),
        until_ns=at(31),
        detail="",
    )
    story = loaded(good_rollout(), rows)
    guarantee = only_new_pods_after_completion("web")
    torn = guarantee.check(History.of_parts(events=story.events, requests=rows, damage=[lost]))
    assert torn.outcome is Outcome.UNKNOWN
    assert "requests may be missing" in torn.summary
    fewer = good_rollout()
    fewer.events += load_marks(rows, planned=len(rows) + 5)
    assert "has 350 requests for 355 planned slots" in check(fewer, rows).summary


def test_a_gap_before_an_old_answer_excuses_it() -> None:
    rows = answers("uid-old-2", 20, 27)
    story = loaded(good_rollout().gap("ReplicaSet", 15, "uid-x"), rows)
    assert check(story, rows).outcome is Outcome.UNKNOWN


def test_an_object_without_metadata_is_an_error() -> None:
    story = good_rollout().watched(30, "Pod", pod("x", of=NEW), "ADDED")
    story.events[-1].object.pop("metadata")  # type: ignore[union-attr]
    with pytest.raises(RecordError, match="has no metadata"):
        check(story)


def test_a_simulated_controller_that_leaves_a_pod_is_caught() -> None:
    for defect in (None, "leaves_an_old_pod"):
        run = DeploymentRun(defect=defect)
        run.wait_complete()
        run.set_image("app:v2")
        run.wait_complete()
        run.wait(3)
        verdict = only_new_pods_after_completion("web").check(run.history())
        if defect is None:
            assert verdict.outcome is Outcome.HELD, verdict.summary
        else:
            assert run.controller.offence is not None
            assert first(verdict)[2] == [run.controller.offence[1]]
