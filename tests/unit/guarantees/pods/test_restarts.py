"""restarts_back_off and no_container_restarted."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import RecordError, UsageError
from chaoskit.guarantees import no_container_restarted, restarts_back_off
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.pods.restart_schedule import BackOff
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.history.events import Watched, WatchStarted
from chaoskit.history.reader import Damage, History
from tests.corpus.examples import examples
from tests.corpus.objects import node
from tests.corpus.restarts import CrashingPod, cluster, crash_loop
from tests.corpus.story import Story, stamp
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

SCHEDULE = [0.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]


def check(story: Story, guarantee: Guarantee | None = None) -> Verdict:
    return verdict_on(guarantee or restarts_back_off("deployment/web"), story)


def test_the_schedule_is_the_kubelets() -> None:
    rule = BackOff(first_s=10, most_s=300, sync_slack_s=15)
    assert [rule.due_s(restart) for restart in range(1, 9)] == SCHEDULE
    assert [rule.at_most_s(wait_s) for wait_s in (0, 10, 300)] == [16, 31, 346]
    assert rule.at_most_s(None) == 346


def test_a_crash_loop_by_the_schedule_holds() -> None:
    verdict = check(crash_loop([wait_s + 0.8 for wait_s in SCHEDULE]))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage == {"restarts": 8, "restarts after a known wait": 7}
    assert verdict.figures["longest_wait_s"] in (300, 301)


def test_a_restart_that_comes_too_early_is_the_witness() -> None:
    # Ends at 3, 6, 18 (at the latest) and starts again at 4, 16, 28: the third 10 s after its end.
    story = crash_loop([1, 10, 10])
    text = (
        "container app of web-0 was restarted 10 s after its end (restart 3),"
        " where the back-off is 20 s"
    )
    assert first(check(story)) == (at(28), text, ["web-0", "app"])
    assert check(crash_loop([1, 10, 19])).outcome is Outcome.HELD
    assert check(story, restarts_back_off("web", first_s=1, most_s=60)).outcome is Outcome.HELD


def test_a_restart_that_comes_too_late_is_the_witness() -> None:
    story = crash_loop([1, 10, 50])
    text = (
        "container app of web-0 was restarted 50 s after its end (restart 3),"
        " where at most 46 s are due"
    )
    assert first(check(story)) == (at(68), text, ["web-0", "app"])
    assert check(story, restarts_back_off("web", sync_slack_s=20)).outcome is Outcome.HELD


def test_a_restart_that_never_comes_is_the_witness_at_its_limit() -> None:
    story = crash_loop([1, 10])
    crashing = CrashingPod(story, restarts=2).start(16).end(18).wait(19)
    assert crashing.restarts == 2
    assert check(story.ended(60)).outcome is Outcome.HELD
    text = "container app of web-0 was not restarted for 60 s, where at most 46 s are due"
    assert first(check(story.ended(78))) == (at(64), text, ["web-0", "app"])
    never = cluster()
    CrashingPod(never).start(1, "ADDED").end(3).wait(4)
    assert first(check(never.ended(60)))[0] == at(19)


@pytest.mark.parametrize(
    "pod_spec,code,missing",
    [
        ({"restartPolicy": "Always"}, 0, True),
        ({"restartPolicy": "OnFailure"}, 0, False),
        ({"restartPolicy": "OnFailure"}, 1, True),
        ({"restartPolicy": "Never"}, 1, False),
    ],
)
def test_only_what_the_restart_policy_asks_for_is_missed(
    pod_spec: dict[str, Any], code: int, missing: bool
) -> None:
    story = cluster()
    CrashingPod(story, pod_spec=pod_spec).start(1, "ADDED").end(3, code=code)
    verdict = check(story.ended(100))
    assert verdict.outcome is (Outcome.VIOLATED if missing else Outcome.UNKNOWN)


def test_a_completed_init_container_is_not_missed_and_a_sidecar_is() -> None:
    for spec, outcome in (({}, Outcome.UNKNOWN), ({"restartPolicy": "Always"}, Outcome.VIOLATED)):
        story = cluster()
        CrashingPod(story, spec=spec, init=True).start(1, "ADDED").end(3, code=0)
        assert check(story.ended(100)).outcome is outcome


def test_a_pod_that_goes_or_waits_for_something_else_is_not_missed() -> None:
    leaving = cluster()
    crashing = CrashingPod(leaving).start(1, "ADDED").end(3).wait(4)
    shown = crashing.shown({"waiting": {"reason": "CrashLoopBackOff"}}, "x", crashing.last)
    shown["metadata"]["deletionTimestamp"] = stamp(5)
    leaving.watched(5, "Pod", shown)
    pulling = cluster()
    CrashingPod(pulling).start(1, "ADDED").end(3).wait(4, "ImagePullBackOff")
    pulled = cluster()
    CrashingPod(pulled).start(1, "ADDED").end(3).wait(4, "ErrImagePull").wait(20)
    for story in (leaving, pulling, pulled):
        assert check(story.ended(100)).outcome is Outcome.UNKNOWN


def test_a_wait_for_a_pull_makes_no_restart_late() -> None:
    for reason, outcome in (
        ("ErrImagePull", Outcome.HELD),
        ("CrashLoopBackOff", Outcome.VIOLATED),
    ):
        story = cluster()
        crashing = CrashingPod(story).start(1, "ADDED").end(3).start(4).end(6).start(17).end(19)
        crashing.wait(20, reason).start(90)
        assert check(story).outcome is outcome


def test_ten_minutes_of_running_begin_the_count_anew() -> None:
    for run_s, outcome in ((650, Outcome.HELD), (500, Outcome.VIOLATED)):
        story = cluster()
        crashing = CrashingPod(story).start(1, "ADDED").end(3).start(4).end(6).start(17)
        second = 17.0 + run_s
        crashing.end(second).start(second + 1).end(second + 3).start(second + 14)
        verdict = check(story)
        assert verdict.outcome is outcome
        if outcome is Outcome.VIOLATED:
            assert "1 s after its end (restart 3), where the back-off is 20 s" in first(verdict)[1]


def test_around_ten_minutes_nothing_can_be_told() -> None:
    story = cluster()
    crashing = CrashingPod(story).start(1, "ADDED").end(3).start(4).end(6).start(17)
    crashing.end(17 + 595).start(17 + 596).end(620).start(621)
    verdict = check(story)
    assert verdict.outcome is Outcome.HELD
    assert verdict.coverage == {"restarts": 4, "restarts after a known wait": 1}


def test_another_image_begins_the_count_anew() -> None:
    for image, outcome in (("app:v2", Outcome.HELD), ("app:v1", Outcome.VIOLATED)):
        story = cluster()
        crashing = CrashingPod(story).start(1, "ADDED").end(3).start(4).end(6).start(17).end(19)
        crashing.change(20, image).start(21).end(23).start(34)
        assert check(story).outcome is outcome


def test_a_container_that_the_kubelet_kills_is_counted_from_the_end_before() -> None:
    # Killed by its liveness probe every 30 s: restarted at once, until 40 s are due; the kubelet
    # sees the end before (30 s ago), waits, and only then knows of the last one.
    probe = {"livenessProbe": {"httpGet": {"path": "/live", "port": 80}}}
    waits = [0.0, 0.0, 0.0, 0.0, 40.0]
    assert check(crash_loop(waits, run_s=30, spec=probe)).outcome is Outcome.HELD
    assert check(crash_loop(waits, run_s=30)).outcome is Outcome.VIOLATED
    # Even counted so, this one comes too early.
    verdict = check(crash_loop([*waits, 2.0], run_s=2, spec=probe))
    assert verdict.outcome is Outcome.VIOLATED


def test_restarts_from_before_the_watch_are_not_known() -> None:
    story = cluster()
    crashing = CrashingPod(story, restarts=4)
    crashing.start(1).end(3).start(8).end(10).start(12)
    verdict = check(story)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "known to have been restarted twice" in verdict.summary
    crashing.end(14).start(14 + 400)
    assert check(story).outcome is Outcome.VIOLATED


def test_ends_that_are_only_told_by_what_follows_count_alike() -> None:
    for third_s, outcome in ((38, Outcome.HELD), (28, Outcome.VIOLATED)):
        story = cluster()
        crashing = CrashingPod(story).start(1, "ADDED").end(3, told=False).start(4)
        crashing.end(6, told=False).wait(7).start(16).end(18, told=False).start(third_s)
        verdict = check(story)
        assert verdict.outcome is outcome
        assert verdict.coverage == {"restarts": 3, "restarts after a known wait": 2}
    quick = cluster()
    crashing = CrashingPod(quick).start(1, "ADDED").end(2, told=False)
    crashing.restarts += 1
    crashing.started_s = 2
    crashing.end(3)  # the second run is told when it has ended already, with the first before it
    assert check(quick.step("scale", "Deployment web", 4)).coverage["restarts"] == 1


def test_an_end_that_the_kubelet_made_up_is_no_end() -> None:
    story = cluster()
    crashing = CrashingPod(story).start(1, "ADDED").end(3).start(4).vanish(6)
    crashing.restarts += 1
    crashing.last = None
    crashing.start(7).end(9).start(10)
    verdict = check(story)
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.coverage["restarts after a known wait"] == 0


def test_a_run_that_was_never_told_makes_the_count_unknown() -> None:
    story = cluster()
    crashing = CrashingPod(story).start(1, "ADDED").end(3)
    crashing.restarts = 1
    crashing.start(50).end(52).start(53)
    verdict = check(story)
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.coverage == {"restarts": 1, "restarts after a known wait": 0}


def test_what_a_disturbance_explains_is_a_doubt() -> None:
    early = [1.0, 10.0, 10.0]
    for target, outcome in (
        ("Node n1", Outcome.UNKNOWN),
        ("Pod web-0", Outcome.UNKNOWN),
        ("Node n2", Outcome.VIOLATED),
    ):
        verdict = check(crash_loop(early).fault("kubelet_stop", target, 5, 7))
        assert verdict.outcome is outcome
    story = crash_loop(early).watched(10, "Node", node("n1", ready="Unknown"))
    assert check(story).outcome is Outcome.UNKNOWN


def test_containers_that_restart_all_are_not_judged() -> None:
    rules = {"restartPolicyRules": [{"action": "RestartAllContainers"}]}
    verdict = check(crash_loop([1, 10, 1], spec=rules))
    assert verdict.outcome is Outcome.UNKNOWN
    assert "restart rules" in verdict.summary


def test_unknown_for_empty_quiet_unwatched_gappy_and_lost_records() -> None:
    good = crash_loop(SCHEDULE[:4])
    quiet, once = crash_loop([]), crash_loop([0])
    gap = crash_loop(SCHEDULE[:4]).gap("Pod", 100, "uid-web-0")
    unwatched = [e for e in good.events if not (isinstance(e, WatchStarted) and e.kind == "Pod")]
    lost = Damage(
        file="events-x.ckl", holds="events", kind="torn", since_ns=at(5), until_ns=None, detail=""
    )
    for history, reason in (
        (History.of_parts(), "no container of web was restarted"),
        (History.of_parts(events=quiet.events), "no container of web was restarted"),
        (History.of_parts(events=once.events), "known to have been restarted twice"),
        (History.of_parts(events=gap.events), "has a gap"),
        (History.of_parts(events=unwatched), "Pods were not watched"),
        (History.of_parts(events=good.events, damage=[lost]), "events may be missing"),
    ):
        verdict = restarts_back_off("web").check(history)
        assert verdict.outcome is Outcome.UNKNOWN
        assert reason in verdict.summary


def test_nobody_is_accused_after_a_gap() -> None:
    story = crash_loop([1, 10, 10]).gap("Pod", 20, "uid-web-0")
    assert check(story).outcome is Outcome.UNKNOWN
    quiet = no_container_restarted("web")
    assert check(crash_loop([1]).gap("Pod", 3, "uid-web-0"), quiet).outcome is Outcome.UNKNOWN


def test_times_that_make_no_sense_are_refused() -> None:
    for wrong in ({"first_s": 0.0}, {"sync_slack_s": 0.0}, {"first_s": 20.0, "most_s": 10.0}):
        with pytest.raises(UsageError, match="must"):
            restarts_back_off("web", kind=None, **wrong)


def test_malformed_objects_are_an_error() -> None:
    story = crash_loop([1, 10])
    story.events.append(
        Watched(
            time_ns=at(70),
            kind="Pod",
            change="MODIFIED",
            uid="u",
            namespace="chaos",
            name="x",
            resource_version=9999,
            object={},
        )
    )
    for guarantee in (restarts_back_off("web"), no_container_restarted("web")):
        with pytest.raises(RecordError, match="no metadata"):
            check(story, guarantee)


def test_no_restart_holds_and_one_is_the_witness() -> None:
    assert check(crash_loop([]), no_container_restarted("web")).outcome is Outcome.HELD
    story = cluster()
    CrashingPod(story).start(1, "ADDED").end(3, code=137, reason="OOMKilled").start(4)
    verdict = check(story, no_container_restarted("web"))
    text = "container app of web-0 was restarted after exit code 137, OOMKilled (count up by 1)"
    assert first(verdict) == (at(4), text, ["web-0", "app"])
    assert verdict.coverage == {"containers": 1, "restarts in the fault": 0}


def test_restarts_before_the_watch_are_not_charged() -> None:
    story = cluster()
    crashing = CrashingPod(story, restarts=4).start(1)
    assert check(story, no_container_restarted("web")).outcome is Outcome.HELD
    crashing.end(3).start(4)
    assert first(check(story, no_container_restarted("web")))[0] == at(4)
    added = cluster()
    CrashingPod(added, restarts=2).start(1, "ADDED")
    text = "container app of web-0 was restarted (count up by 2)"
    assert first(check(added, no_container_restarted("web")))[1] == text


def test_restarts_in_the_fault_are_excused() -> None:
    outside = no_container_restarted("web", outside="kill")
    for ended_s, started_s, outcome in (
        (12, 13, Outcome.HELD),
        (19.9, 40, Outcome.HELD),  # it ended in the fault, and started long after it
        (9.97, 40, Outcome.HELD),  # its stamp is cut off: it may have ended in the fault
        (25, 26, Outcome.VIOLATED),
    ):
        story = cluster().fault("kill", "Pod web-0", 10, 20)
        CrashingPod(story).start(1, "ADDED").end(ended_s).start(started_s)
        verdict = check(story, outside)
        assert verdict.outcome is outcome
        assert verdict.coverage["restarts in the fault"] == (outcome is Outcome.HELD)
    unclocked = cluster().fault("kill", "Pod web-0", 10, 20)
    CrashingPod(unclocked).start(1, "ADDED").end(12).start(40)
    del unclocked.events[0]
    assert check(unclocked, outside).outcome is Outcome.VIOLATED


def test_no_restart_is_unknown_without_pods_fault_or_watch() -> None:
    quiet = crash_loop([])
    unproved = crash_loop([]).fault("kill", "Pod web-0", 10, 20, proved=False)
    unwatched = [e for e in quiet.events if not (isinstance(e, WatchStarted) and e.kind == "Pod")]
    for events, outside, reason in (
        (cluster().events, None, "no container of web is in the record"),
        (quiet.events, "kill", "the fault kill was never injected"),
        (unproved.events, "kill", "was never seen in effect"),
        (unwatched, None, "Pods were not watched"),
    ):
        guarantee = no_container_restarted("web", outside=outside)
        verdict = guarantee.check(History.of_parts(events=events))
        assert verdict.outcome is Outcome.UNKNOWN
        assert reason in verdict.summary


@examples(80)
@given(
    run_s=st.floats(0.1, 200),
    late_s=st.lists(st.floats(0, 10), min_size=3, max_size=8),
    start_s=st.floats(0.5, 2),
    planted=st.none() | st.sampled_from(("early", "late")),
)
def test_the_schedule_holds_and_a_planted_departure_is_found(
    run_s: float, late_s: list[float], start_s: float, planted: str | None
) -> None:
    count = len(late_s)
    if run_s > 100:
        count = min(count, 4)  # longer waits and runs together would last ten minutes
    waits = [due_s + more for due_s, more in zip(SCHEDULE, late_s, strict=False)][:count]
    if planted == "early":
        waits[-1] = SCHEDULE[count - 1] / 2
    elif planted == "late":
        waits[-1] = SCHEDULE[count - 1] * 1.5 + 47
    verdict = check(crash_loop(waits, run_s=run_s, start_s=start_s))
    if planted is None:
        assert verdict.outcome is Outcome.HELD, verdict.evidence
    else:
        _time_ns, text, objects = first(verdict)
        assert objects == ["web-0", "app"]
        assert f"(restart {count})" in text
