"""progress_deadline_reported: a rollout that stands still says so, in time and rightly."""

import pytest

from chaoskit.errors import RecordError
from chaoskit.guarantees import progress_deadline_reported
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.history.events import WatchStarted
from chaoskit.history.reader import Damage, History
from tests.corpus.deployment_controller import EARLY_S, LATE_S
from tests.corpus.deployment_run import DeploymentRun
from tests.corpus.deployments import web
from tests.corpus.objects import Object
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

EXCEEDED = "ProgressDeadlineExceeded"


def check(story: Story, *, end_s: float = 60.0, slack_s: float = 5.0) -> Verdict:
    guarantee = progress_deadline_reported("deployment/web", slack_s=slack_s)
    return verdict_on(guarantee, story, end_s=end_s)


def rolling(second: float, reason: str, **fields: object) -> Object:
    """web on its way to v2, with that reason since that second."""
    return web(
        image="app:v2",
        revision=2,
        complete=False,
        progress=(reason, second),
        **fields,  # type: ignore[arg-type]
    )


def stalled() -> Story:
    """web, complete, gets v2 at 10 s; its last progress is at 12.4 s."""
    story = Story().watching("Deployment")
    story.watched(0, "Deployment", web(progress=("NewReplicaSetAvailable", -60)), "LISTED")
    story.events.append(story.events.pop(0))
    story.watching("Deployment", second=0.1)
    story.watched(10.1, "Deployment", rolling(10.1, "NewReplicaSetCreated"))
    return story.watched(12.4, "Deployment", rolling(12.4, "ReplicaSetUpdated"))


def reported(second: float) -> Story:
    return stalled().watched(second, "Deployment", rolling(second, EXCEEDED))


@pytest.mark.parametrize("second", [32.0, 33.5, 37.9])
def test_a_report_within_the_slack_holds(second: float) -> None:
    verdict = check(reported(second))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["deadlines reported"] == 1
    assert verdict.figures["reported_after_s"] == int(second) - 12


def test_a_report_before_the_deadline_is_the_witness() -> None:
    assert first(check(reported(31.9))) == (
        at(31.9),
        f"{EXCEEDED} 19 s after the last progress, where 20 s are given",
        ["web"],
    )


@pytest.mark.parametrize(
    "deadline_s,outcome", [(20, Outcome.HELD), (10, Outcome.VIOLATED), (30, Outcome.VIOLATED)]
)
def test_the_deadline_that_was_promised_counts_whatever_the_deployment_has(
    deadline_s: int, outcome: Outcome
) -> None:
    guarantee = progress_deadline_reported("deployment/web", deadline_s=deadline_s)
    verdict = verdict_on(guarantee, reported(33), end_s=60)
    assert verdict.outcome is outcome, verdict.summary


def test_a_late_report_is_the_witness() -> None:
    assert first(check(reported(39.4))) == (
        at(39.4),
        f"{EXCEEDED} 27 s after the last progress, where 20 s are given",
        ["web"],
    )
    assert check(reported(39.4), slack_s=10).outcome is Outcome.HELD


def test_a_missing_report_is_dated_when_it_was_due_and_accused_once() -> None:
    story = stalled()
    verdict = check(story)
    assert first(verdict) == (
        at(37.4),
        f"no progress for 25.0 s and no {EXCEEDED}",
        ["web"],
    )
    late = check(story.watched(45, "Deployment", rolling(45, EXCEEDED)))
    assert first(late)[0] == at(45)
    both = stalled().watched(40, "Deployment", rolling(12.4, "ReplicaSetUpdated", replicas=4))
    both.watched(45, "Deployment", rolling(45, EXCEEDED))
    assert check(both).evidence.count == 1


def test_progress_begins_the_wait_anew() -> None:
    story = stalled()
    story.watched(30, "Deployment", rolling(30, "ReplicaSetUpdated"))
    assert check(story, end_s=54).outcome is Outcome.UNKNOWN
    story.watched(51, "Deployment", rolling(51, EXCEEDED))
    assert check(story).outcome is Outcome.HELD


def test_a_rollout_in_time_is_never_due() -> None:
    story = stalled()
    story.watched(20, "Deployment", web(revision=2, progress=("NewReplicaSetAvailable", 20)))
    verdict = check(story, end_s=500)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "no rollout stood still until its progress deadline" in verdict.summary
    story.watched(45, "Deployment", rolling(45, EXCEEDED))
    assert first(check(story))[1] == f"{EXCEEDED} after the rollout was complete"


def test_a_paused_rollout_is_never_due() -> None:
    story = stalled()
    story.watched(15, "Deployment", rolling(12.4, "ReplicaSetUpdated", paused=True))
    story.watched(15.1, "Deployment", rolling(15.1, "DeploymentPaused", paused=True))
    assert check(story, end_s=500).outcome is Outcome.UNKNOWN
    wrong = list(story.events)
    story.watched(60, "Deployment", rolling(60, EXCEEDED, paused=True))
    assert first(check(story, end_s=90))[1] == f"{EXCEEDED} while it is paused"
    story.events = wrong
    story.watched(60, "Deployment", rolling(15.1, "DeploymentPaused"))
    assert check(story, end_s=500).outcome is Outcome.UNKNOWN
    story.watched(60.1, "Deployment", rolling(60.1, "DeploymentResumed"))
    assert check(story, end_s=85).outcome is Outcome.UNKNOWN
    assert first(check(story, end_s=90))[0] == at(85.1)


def test_without_a_deadline_nothing_is_due_and_nothing_may_be_reported() -> None:
    story = Story().watching("Deployment")
    story.watched(10, "Deployment", rolling(10, "ReplicaSetUpdated", deadline_s=2**31 - 1))
    assert check(story, end_s=5000).outcome is Outcome.UNKNOWN
    story.watched(40, "Deployment", rolling(40, EXCEEDED, deadline_s=2**31 - 1))
    assert first(check(story))[1] == f"{EXCEEDED} without a deadline to wait for"


def test_a_deadline_that_is_shortened_is_due_only_after_that() -> None:
    story = Story().watching("Deployment")
    story.watched(10, "Deployment", rolling(10, "ReplicaSetUpdated", deadline_s=600))
    story.watched(100, "Deployment", rolling(10, "ReplicaSetUpdated", deadline_s=20))
    assert first(check(story, end_s=200))[0] == at(105)
    story.watched(101, "Deployment", rolling(101, EXCEEDED, deadline_s=20))
    assert check(story, end_s=200).outcome is Outcome.HELD


def test_what_was_reported_before_the_watch_is_not_judged() -> None:
    story = Story()
    story.watched(0, "Deployment", rolling(-5, EXCEEDED), "LISTED")
    story.watching("Deployment", second=0.1)
    assert check(story).outcome is Outcome.UNKNOWN


def test_a_deployment_that_is_deleted_is_not_due() -> None:
    story = stalled()
    leaving = rolling(12.4, "ReplicaSetUpdated")
    leaving["metadata"]["deletionTimestamp"] = "2023-11-14T22:13:20Z"
    story.watched(20, "Deployment", leaving).watched(21, "Deployment", leaving, "DELETED")
    assert check(story).outcome is Outcome.UNKNOWN


def test_unknown_when_absent_or_not_watched() -> None:
    assert "is not in the record" in check(Story()).summary
    unwatched = Story()
    unwatched.events = [e for e in reported(33).events if not isinstance(e, WatchStarted)]
    assert "Deployments were not watched" in check(unwatched).summary
    gappy = check(reported(33).gap("Deployment", 20, "uid-web"))
    lost = Damage(
        file="events-x.ckl", holds="events", kind="torn", since_ns=at(5), until_ns=None, detail=""
    )
    torn = progress_deadline_reported("web").check(
        History.of_parts(events=reported(33).events, damage=[lost])
    )
    assert gappy.outcome is torn.outcome is Outcome.UNKNOWN
    assert check(stalled().gap("Deployment", 20, "uid-web")).outcome is Outcome.UNKNOWN


def test_a_condition_without_a_time_is_an_error() -> None:
    story = reported(33)
    broken = rolling(33, EXCEEDED)
    del broken["status"]["conditions"][0]["lastUpdateTime"]
    story.events.pop()
    with pytest.raises(RecordError, match="condition Progressing without a time"):
        check(story.watched(33, "Deployment", broken))


def simulated(defect: str | None = None) -> DeploymentRun:
    run = DeploymentRun(deadline_s=20, broken=("app:none",), defect=defect)
    run.wait_complete()
    run.set_image("app:none")
    return run


def test_a_simulated_controller_holds() -> None:
    run = simulated()
    run.wait(40)
    verdict = progress_deadline_reported("web").check(run.history())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert 20 <= verdict.figures["reported_after_s"] <= 23


@pytest.mark.parametrize(
    "defect,words",
    [
        ("reports_too_early", "after the last progress, where 20 s are given"),
        ("reports_too_late", "after the last progress, where 20 s are given"),
        ("reports_never", f"no progress for 25.0 s and no {EXCEEDED}"),
        ("reports_while_paused", f"{EXCEEDED} while it is paused"),
    ],
)
def test_a_simulated_controller_with_a_defect_is_caught(defect: str, words: str) -> None:
    run = simulated(defect)
    if defect == "reports_while_paused":
        run.wait(2)
        run.pause()
        run.wait(EARLY_S + 1)
        run.scale(4)
    run.wait(20 + LATE_S + 5)
    _, text, objects = first(progress_deadline_reported("web").check(run.history()))
    assert text.endswith(words)
    assert objects == ["web"]
