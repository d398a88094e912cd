"""min_ready_respected: a pod serves when it is Ready, and counts as available later."""

from chaoskit.guarantees import min_ready_respected
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.requests import RequestRow
from tests.corpus.deployments import numbered
from tests.corpus.objects import Object, deployment, pod
from tests.corpus.requests import load_marks, steady
from tests.corpus.rollouts import KINDS
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

RESPECTED = min_ready_respected("deployment/web", served_within_s=3)
NEW = ("ReplicaSet", "rs-1")


def counted(available: int) -> Object:
    made = numbered("rs-1", 1, replicas=2)
    made["status"]["availableReplicas"] = available
    return made


def one_pod(*, min_ready_s: int = 10, available_after_s: float = 10.0) -> Story:
    """The pod web-1 is Ready at 5 s and reported as available so long after."""
    story = Story().clock().watching(*KINDS)
    story.watched(1, "Deployment", deployment(min_ready_s=min_ready_s), "ADDED")
    story.watched(1, "ReplicaSet", counted(0), "ADDED")
    story.watched(2, "Pod", pod("web-1", of=NEW), "ADDED")
    story.watched(5, "Pod", pod("web-1", of=NEW, ready_since=5))
    return story.watched(5 + available_after_s, "ReplicaSet", counted(1))


def answers(from_s: float = 5.2) -> list[RequestRow]:
    """Requests for 20 s, of which web-1 answers those from that second on."""
    return [
        row if row.planned_ns >= at(from_s) else row._replace(pod_uid="uid-other")
        for row in steady(seconds=20, rate_per_s=20)
    ]


def with_load(story: Story, rows: list[RequestRow]) -> Story:
    story.events += load_marks(rows)
    return story


def test_a_pod_that_serves_at_once_and_counts_ten_seconds_later_holds() -> None:
    rows = answers()
    verdict = verdict_on(RESPECTED, with_load(one_pod(), rows), rows)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert 0.1 < verdict.figures["served_after_s"] < 0.4
    assert verdict.coverage["rises of available pods"] == 1


def test_one_second_of_slack_and_not_more() -> None:
    rows = answers()
    early = verdict_on(RESPECTED, with_load(one_pod(available_after_s=9.1), rows), rows)
    assert early.outcome is Outcome.HELD
    verdict = verdict_on(RESPECTED, with_load(one_pod(available_after_s=8.5), rows), rows)
    assert first(verdict) == (
        at(13.5), "rs-1 counts 1 available pods, where 0 have been Ready for 10 s", ["rs-1"],
    )  # fmt: skip


def test_a_pod_that_nobody_asks_is_the_witness() -> None:
    rows = answers(from_s=9)
    verdict = verdict_on(RESPECTED, with_load(one_pod(), rows), rows)
    assert first(verdict) == (
        at(8), "web-1 had no answer within 3 s of being Ready", ["web-1"],
    )  # fmt: skip


def test_a_count_that_has_not_seen_a_pod_go_yet_is_not_charged() -> None:
    story = one_pod()
    story.watched(16, "Pod", pod("web-2", of=NEW), "ADDED")
    story.watched(17, "Pod", pod("web-2", of=NEW, ready_since=3))
    story.watched(17.1, "Pod", pod("web-1", of=NEW, ready_since=5, leaving=True))
    story.watched(17.2, "ReplicaSet", counted(2))
    rows = answers()
    verdict = verdict_on(RESPECTED, with_load(story, rows), rows)
    assert verdict.outcome is Outcome.HELD, verdict.summary


def test_without_load_or_min_ready_or_watches_nothing_is_proved() -> None:
    rows = answers()
    for story in (
        Story(),
        one_pod(),
        with_load(one_pod(min_ready_s=0), rows),
        with_load(one_pod(), rows).gap("Pod", 9, "uid-web-1"),
    ):
        has_load = any(type(event).__name__ == "LoadMark" for event in story.events)
        verdict = verdict_on(RESPECTED, story, rows if has_load else ())
        assert verdict.outcome is Outcome.UNKNOWN, verdict.summary
