"""failures_attributed and error_classes_within."""

from typing import Literal

import pytest

from chaoskit.errors import RecordError, UsageError
from chaoskit.guarantees import error_classes_within, failures_attributed
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import Calibration, LoadMark, StepMark
from chaoskit.history.reader import Damage
from tests.corpus.attribution import asked, failing, web, web_pod, whole
from tests.corpus.requests import delayed
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import verdict_on

CUT = ("nic_down", "n2", 8, 12)


def lost(holds: Literal["events", "requests"], since_s: float) -> Damage:
    return Damage(
        file="x.ckl", holds=holds, kind="lost", since_ns=at(since_s), until_ns=at(29), detail="lost"
    )


def test_failures_with_a_cause_hold() -> None:
    rows = failing(failing(asked(), 10, 11, "timeout/connect", took_s=2), 20, 21, "status 503")
    verdict = verdict_on(failures_attributed(), whole(web().fault(*CUT), rows), rows)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage == {"requests": 600, "failed": 40, "attributed": 40}
    assert verdict.figures == {"cause_fault_in_effect": 20, "cause_application_answered": 20}
    assert verdict.summary == (
        "40 of 600 requests not ok: 20 fault_in_effect, 20 application_answered"
    )


def test_no_failure_holds_where_one_would_have_been_explained() -> None:
    rows = asked()
    verdict = verdict_on(failures_attributed(), whole(web(), rows), rows)
    assert verdict.outcome is Outcome.HELD
    assert verdict.summary == "0 of 600 requests not ok"


def test_riddles_violate_with_the_first_the_last_and_the_most_frequent() -> None:
    rows = failing(asked(), 3, error="timeout/wait")
    rows = failing(rows, 20, 20.5, error="reset/wait")
    rows = failing(failing(rows, 10, error="timeout/connect"), 25, error="closed/wait")
    verdict = verdict_on(failures_attributed(), whole(web().fault(*CUT), rows), rows)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.count == 12
    assert verdict.evidence.first is not None
    assert verdict.evidence.first.time_ns == at(3)
    assert verdict.evidence.first.text == (
        "timeout/wait on stream new via n1 of load load-1 to one of 3 (web-1 (revision 5d4f),"
        " web-2 (revision 5d4f), web-3 (revision 5d4f)), in no named part of the run: unattributed"
    )
    assert verdict.evidence.first.objects == ["new via n1"]
    assert verdict.evidence.worst is not None
    assert verdict.evidence.worst.time_ns == at(20)
    assert "reset/wait" in verdict.evidence.worst.text
    assert verdict.evidence.last is not None
    assert verdict.evidence.last.time_ns == at(25)
    assert verdict.figures["cause_unattributed"] == 12
    assert verdict.coverage["attributed"] == 1


def test_a_budget_allows_some_riddles() -> None:
    rows = failing(asked(), 20, 20.5, error="reset/wait")
    story = whole(web(), rows)
    held = verdict_on(failures_attributed(unattributed_at_most=10), story, rows)
    assert held.outcome is Outcome.HELD
    assert held.title.endswith("but for at most 10")
    assert verdict_on(failures_attributed(unattributed_at_most=9), story, rows).outcome is (
        Outcome.VIOLATED
    )


def test_a_fault_explains_until_it_has_settled() -> None:
    rows = failing(asked(), 16, error="timeout/wait")
    story = whole(web().fault(*CUT), rows)
    assert verdict_on(failures_attributed(), story, rows).outcome is Outcome.HELD
    assert verdict_on(failures_attributed(settle_s=3), story, rows).outcome is Outcome.VIOLATED


def no_watch_of(kind: str) -> Story:
    story = web()
    story.events = [e for e in story.events if getattr(e, "kind", "") != kind]
    return story


def late_watch() -> Story:
    story = web()
    story.events = [e for e in story.events if e.time_ns != at(-1)]
    return story.watching("Pod", "EndpointSlice", "Node", second=1)


def died() -> Story:
    story = web()
    mark = LoadMark(time_ns=at(29), load_id="load-1", mark="died", rate_per_s=20, streams=[])
    story.events.append(mark)
    return story


@pytest.mark.parametrize(
    "story, reason",
    [
        (no_watch_of("Pod"), "Pods were not watched"),
        (no_watch_of("EndpointSlice"), "EndpointSlices were not watched"),
        (no_watch_of("Node"), "Nodes were not watched"),
        (late_watch(), "Pods were not watched from the first request on"),
        (web().gap("Pod", 3, "uid-web-2"), "the watch of Pods has a gap (410 Gone)"),
        (web().gap("EndpointSlice", 3, "*"), "the watch of EndpointSlices has a gap"),
    ],
)
def test_what_was_not_watched_may_hold_the_cause(story: Story, reason: str) -> None:
    for rows in (asked(), failing(asked(), 20, error="reset/wait")):
        verdict = verdict_on(failures_attributed(), story, rows)
        assert verdict.outcome is Outcome.UNKNOWN
        assert reason in verdict.summary
        assert verdict.evidence.count == 0


def test_a_riddle_before_the_gap_stays_one() -> None:
    rows = failing(failing(asked(), 3, error="reset/wait"), 20, error="reset/wait")
    story = web().gap("Pod", 15, "uid-web-2")
    verdict = verdict_on(failures_attributed(), story, rows)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.count == 1
    assert verdict.evidence.last is not None
    assert verdict.evidence.last.time_ns == at(3)
    allowed = verdict_on(failures_attributed(unattributed_at_most=1), story, rows)
    assert allowed.outcome is Outcome.UNKNOWN
    assert "2 failures have no cause in what is left of the record" in allowed.summary


def test_unknown_without_requests_with_lost_parts_or_a_dead_load() -> None:
    rows = asked()
    empty = verdict_on(failures_attributed(), web(), [])
    assert empty.outcome is Outcome.UNKNOWN
    assert "there were no requests" in empty.summary
    for damage in (lost("events", 5), lost("requests", 5)):
        verdict = verdict_on(failures_attributed(), web(), rows, damage)
        assert verdict.outcome is Outcome.UNKNOWN
        assert "may be missing" in verdict.summary
    verdict = verdict_on(failures_attributed(), died(), rows)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "load load-1 died" in verdict.summary


def test_a_record_that_contradicts_itself_is_an_error() -> None:
    story = web()
    story.events.append(
        StepMark(time_ns=at(4), step_id="s", name="undo", target="Deployment web", mark="done")
    )
    with pytest.raises(RecordError, match="never started"):
        verdict_on(failures_attributed(), story, asked())
    story = web()
    story.events.append(
        Calibration(time_ns=at(0), kept_per_s=-1, new_per_s=100, lag_limit_ms=5, cores=2)
    )
    with pytest.raises(RecordError, match="calibration"):
        verdict_on(failures_attributed(), story, asked())


def test_nonsense_is_refused() -> None:
    with pytest.raises(UsageError, match="below 0"):
        failures_attributed(unattributed_at_most=-1)
    with pytest.raises(UsageError, match="below 0"):
        failures_attributed(settle_s=-1)
    for patterns in ([], ["503"], ["status 5 xx"], ["Refused"], ["refused/connect", ""], ["*/*"]):
        with pytest.raises(UsageError):
            error_classes_within(patterns)
    with pytest.raises(UsageError):
        error_classes_within(["unsent"], outside="a", during="b")


def test_only_allowed_classes_hold_and_are_counted() -> None:
    rows = failing(asked(), 9, 10, "timeout/connect", took_s=2)
    rows = failing(failing(rows, 10, 10.5, "status 503"), 20, 20.2, "in_flight_limit")
    story = whole(web(), rows)
    for allowed in (
        ["timeout/connect", "status 503", "in_flight_limit"],
        ["timeout/*", "status 5xx", "in_flight_*"],
    ):
        verdict = verdict_on(error_classes_within(allowed), story, rows)
        assert verdict.outcome is Outcome.HELD, verdict.summary
        assert verdict.coverage == {
            "requests": 600,
            "not ok": 34,
            "not ok: in_flight_limit": 4,
            "not ok: status 503": 10,
            "not ok: timeout/connect": 20,
        }
    assert verdict_on(error_classes_within("timeout/*"), story, rows).outcome is Outcome.VIOLATED


def test_another_class_violates_with_the_first_and_the_last() -> None:
    rows = failing(asked(), 9, 10, "timeout/connect")
    rows = failing(failing(rows, 12, 12.2, "reset/wait"), 20, error="status 404")
    verdict = verdict_on(error_classes_within(["timeout/connect"]), whole(web(), rows), rows)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.count == 5
    assert verdict.evidence.first is not None
    assert verdict.evidence.first.time_ns == at(12)
    assert verdict.evidence.first.text == ("slot 240: read on stream new via n1: fail (reset wait)")
    assert verdict.evidence.first.objects == ["new via n1"]
    assert verdict.evidence.last is not None
    assert verdict.evidence.last.time_ns == at(20)
    assert verdict.evidence.last.text.endswith("fail (status), answered by web-2")


def test_classes_are_judged_where_and_on_what_was_asked_for() -> None:
    rows = failing(failing(asked(), 9, 10, "timeout/connect"), 20, error="reset/wait")
    story = whole(web().fault(*CUT), rows)
    for guarantee, outcome in (
        (error_classes_within(["timeout/*"], during="nic_down"), Outcome.HELD),
        (error_classes_within(["reset/*"], during="nic_down"), Outcome.VIOLATED),
        (error_classes_within(["reset/*"], outside="nic_down"), Outcome.HELD),
        (error_classes_within(["timeout/*"], outside="nic_down"), Outcome.VIOLATED),
        (error_classes_within(["unsent"], outside="nic_down", settle_s=10), Outcome.HELD),
        (error_classes_within(["unsent"], connection="kept"), Outcome.UNKNOWN),
        (error_classes_within(["unsent"], stream="new via n1"), Outcome.VIOLATED),
        (error_classes_within(["unsent"], operation="write"), Outcome.UNKNOWN),
        (error_classes_within(["unsent"], during="loss"), Outcome.UNKNOWN),
    ):
        assert verdict_on(guarantee, story, rows).outcome is outcome, guarantee
    title = verdict_on(error_classes_within(["timeout/*"], during="nic_down"), story, rows).title
    assert title == "requests fail with timeout/* only during nic_down"


def test_classes_of_suspect_seconds_accuse_nobody() -> None:
    rows = delayed(failing(asked(), 9, 10, "timeout/connect"), 9, 10, 0.3)
    story = whole(web(), rows)
    verdict = verdict_on(error_classes_within(["reset/*"]), story, rows)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "20 requests failed while the driver itself was late by up to 300 ms" in verdict.summary
    assert verdict_on(error_classes_within(["timeout/*"]), story, rows).outcome is Outcome.HELD


def test_classes_are_unknown_without_requests_proof_or_all_of_the_record() -> None:
    rows = failing(asked(), 9, 10, "timeout/connect")
    unproved = web().fault(*CUT, proved=False)
    allowed, strange = (
        error_classes_within([name], during="nic_down") for name in ("timeout/*", "reset/*")
    )
    assert verdict_on(allowed, unproved, rows).outcome is Outcome.UNKNOWN
    assert verdict_on(allowed, web().fault(*CUT), []).outcome is Outcome.UNKNOWN
    for damage in (lost("requests", 9), lost("events", 9)):
        assert verdict_on(allowed, web().fault(*CUT), rows, damage).outcome is Outcome.UNKNOWN
    unsure = verdict_on(strange, web().fault(*CUT), rows, lost("events", 9))
    assert unsure.outcome is Outcome.UNKNOWN
    sure = verdict_on(error_classes_within(["reset/*"]), web(), rows, lost("requests", 20))
    assert sure.outcome is Outcome.VIOLATED
    dead = verdict_on(error_classes_within(["timeout/*"]), died(), rows)
    assert dead.outcome is Outcome.UNKNOWN


def test_a_pod_seen_only_in_another_namespace_explains_nothing() -> None:
    """The run's own namespace is judged: a pod of the same uid elsewhere is not looked at."""
    story = web()
    foreign = web_pod("web-2", leaving=True)
    foreign["metadata"]["namespace"] = "other"
    foreign["metadata"]["uid"] = "uid-other"
    story.watched(9, "Pod", foreign)
    rows = failing(asked(), 10, error="reset/wait")
    assert verdict_on(failures_attributed(), whole(story, rows), rows).outcome is Outcome.VIOLATED
