"""termination_in_order: endpoint, TERM, grace, KILL, and the end of the object."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import RecordError, UsageError
from chaoskit.guarantees import termination_in_order
from chaoskit.guarantees.pods.termination_rules import pre_stop_wait_s
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.history.events import ContainerScan, Watched, WatchStarted
from chaoskit.history.reader import Damage, History
from tests.corpus.examples import examples
from tests.corpus.story import Story
from tests.corpus.terminations import (
    KINDS,
    endpoint_slice,
    running,
    service,
    serving,
    terminated,
)
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

SLEEP: dict[str, Any] = {"sleep": {"seconds": 3}}


def check(story: Story, **slack: float) -> Verdict:
    return verdict_on(termination_in_order("deployment/web", kind=None, **slack), story)


def test_a_pod_that_ends_in_order_holds() -> None:
    verdict = check(terminated(serving("web-0"), 10, pre_stop=SLEEP))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage == {
        "ordinary terminations": 1,
        "forced deletions": 0,
        "pods that never ran or had finished": 0,
        "endpoints judged": 1,
        "containers judged": 1,
        "preStop waits": 1,
    }
    assert verdict.figures == {"longest_termination_s": 5.0, "slowest_endpoint_s": 0.2}


def test_a_record_that_ends_with_the_pod_holds() -> None:
    verdict = check(terminated(serving("web-0", until_s=16), 10))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["preStop waits"] == 0


def test_a_scan_that_is_a_moment_behind_accuses_nobody() -> None:
    story = terminated(serving("web-0"), 10, container_s=5.12, object_s=5)
    assert check(story).outcome is Outcome.HELD


def test_an_endpoint_that_stays_ready_is_the_witness() -> None:
    story = terminated(serving("web-0"), 10, unready_s=3.5)
    text = "the endpoint of web-0 in web-slice was ready 3.5 s after its deletion"
    assert first(check(story)) == (at(12), text, ["web-0", "web-slice"])
    assert check(story, kubelet_slack_s=4).outcome is Outcome.HELD
    never = terminated(serving("web-0"), 10, unready_s=None).ended(60)
    assert first(check(never))[0] == at(12)


def test_an_endpoint_that_gets_ready_again_is_the_witness() -> None:
    story = terminated(serving("web-0"), 10)
    story.watched(15, "EndpointSlice", endpoint_slice({"web-0": True}))
    story.watched(16, "EndpointSlice", endpoint_slice({"web-0": True}), "DELETED")
    assert first(check(story))[0] == at(15)


def test_endpoints_of_services_that_publish_the_unready_are_left_out() -> None:
    for publishes, outcome in ((True, Outcome.HELD), (False, Outcome.VIOLATED)):
        story = serving("web-0")
        story.watched(1, "Service", service("all", publishes_unready=publishes), "ADDED")
        story.watched(1, "EndpointSlice", endpoint_slice({"web-0": True}, of="all"), "ADDED")
        verdict = check(terminated(story, 10).ended(60))
        assert verdict.outcome is outcome
        assert verdict.coverage["endpoints judged"] == 2 - publishes


def test_an_object_that_goes_before_its_container_is_the_witness() -> None:
    story = terminated(serving("web-0"), 10, container_s=8, object_s=5)
    text = "web-0 went 3.0 s before its container app had ended"
    verdict = check(story)
    assert first(verdict) == (at(15), text, ["web-0", "app-web-0"])
    assert verdict.evidence.count == 1
    alive = terminated(serving("web-0"), 10, container_s=None, object_s=5)
    assert first(check(alive.ended(120)))[0] == at(15)


def test_a_container_that_outlives_its_grace_is_the_witness() -> None:
    story = terminated(serving("web-0"), 10, grace_s=5, container_s=8, object_s=8.5, code=137)
    verdict = check(story)
    text = "container app of web-0 still ran 8.0 s after its deletion (grace 5 s)"
    assert first(verdict) == (at(17), text, ["web-0", "app-web-0"])
    assert check(story, kubelet_slack_s=4).outcome is Outcome.HELD
    sidecars = terminated(
        serving("web-0"),
        10,
        grace_s=5,
        container_s=8,
        object_s=8.5,
        code=137,
        init=[{"name": "proxy", "restartPolicy": "Always"}],
    )
    assert check(sidecars).outcome is Outcome.HELD
    # With a preStop hook the kubelet gives 2 s between TERM and KILL, however long that took.
    hooked = terminated(
        serving("web-0"), 10, grace_s=5, container_s=8, object_s=8.5, code=137, pre_stop=SLEEP
    )
    assert check(hooked).outcome is Outcome.HELD


def test_a_grace_of_one_second_is_two() -> None:
    for container_s, outcome in ((3.9, Outcome.HELD), (4.2, Outcome.VIOLATED)):
        story = terminated(
            serving("web-0"), 10, given_s=1, container_s=container_s, object_s=5, code=137
        )
        assert check(story).outcome is outcome


def test_an_object_that_stays_is_the_witness_at_its_limit() -> None:
    late = terminated(serving("web-0"), 10, grace_s=5, container_s=4, object_s=20)
    text = "web-0 went only 20.0 s after its deletion (grace 5 s)"
    assert first(check(late)) == (at(22), text, ["web-0"])
    assert check(late, clean_up_s=15).outcome is Outcome.HELD
    never = terminated(serving("web-0"), 10, grace_s=5, object_s=None).ended(50)
    assert first(check(never))[1] == "web-0 is still there 110.0 s after its deletion (grace 5 s)"


def test_an_object_held_by_a_finalizer_went_when_the_kubelet_let_it_go() -> None:
    story = terminated(serving("web-0"), 10, grace_s=5, object_s=None)
    held = running("web-0", grace_s=5, deleted_s=10, given_s=0)
    story.watched(15, "Pod", held).watched(90, "Pod", held, "DELETED")
    verdict = check(story)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["longest_termination_s"] == 5


def test_a_kill_before_the_grace_is_over_is_the_witness() -> None:
    story = terminated(serving("web-0"), 10, grace_s=10, container_s=4, code=137)
    text = (
        "container app of web-0 was killed (exit code 137) 6.0 s before its grace was over"
        " (grace 10 s)"
    )
    assert first(check(story)) == (at(14), text, ["web-0", "app-web-0"])
    in_time = terminated(serving("web-0"), 10, grace_s=10, container_s=10.05, object_s=11, code=137)
    assert check(in_time).outcome is Outcome.HELD
    memory = terminated(
        serving("web-0"), 10, grace_s=10, container_s=4, code=137, reason="OOMKilled"
    )
    assert check(memory).outcome is Outcome.HELD


def test_a_kill_is_dated_by_its_status_when_the_scan_saw_it_late() -> None:
    # The status says second 13 (cut off), so at the latest 14; the scan saw it gone at 19.
    story = terminated(serving("web-0"), 10, grace_s=10, container_s=9, object_s=12, code=137)
    for event in story.events:
        if isinstance(event, Watched) and event.kind == "Pod" and event.time_ns > at(18):
            ends = event.object["status"]["containerStatuses"][0]["state"]["terminated"]
            ends["finishedAt"] = running("x", ended=(13.7, 0))["status"]["containerStatuses"][0][
                "state"
            ]["terminated"]["finishedAt"]
    assert first(check(story))[0] == at(14)


def test_without_a_clock_pair_a_kill_is_dated_by_arrival() -> None:
    for container_s, outcome in ((8.8, Outcome.VIOLATED), (9.5, Outcome.HELD)):
        story = terminated(
            serving("web-0"), 10, grace_s=10, container_s=container_s, object_s=12, code=137
        )
        del story.events[0]
        assert check(story).outcome is outcome


def test_a_shorter_grace_given_later_counts() -> None:
    story = terminated(serving("web-0"), 10, grace_s=30, container_s=8, object_s=9, code=137)
    assert check(story).outcome is Outcome.VIOLATED
    story = serving("web-0").watched(0.5, "Pod", running("web-0"), "ADDED")
    story.container("n1", "uid-web-0", "app-web-0", 0.6, 18)
    story.watched(10, "Pod", running("web-0", deleted_s=10))
    story.watched(15, "Pod", running("web-0", deleted_s=15, given_s=3))
    story.watched(10.2, "EndpointSlice", endpoint_slice({"web-0": False}))
    last = running("web-0", deleted_s=15, given_s=0, ended=(18, 137))
    assert check(story.watched(19, "Pod", last, "DELETED")).outcome is Outcome.HELD


def test_a_pre_stop_wait_that_is_cut_short_is_the_witness() -> None:
    for hook in (SLEEP, {"exec": {"command": ["/specimen", "sleep", "3"]}}):
        story = terminated(serving("web-0"), 10, container_s=1.5, pre_stop=hook)
        text = "container app of web-0 ended 1.5 s after its deletion, in its preStop wait of 3 s"
        assert first(check(story)) == (at(11.5), text, ["web-0", "app-web-0"])
    longer_than_grace = terminated(
        serving("web-0"),
        10,
        grace_s=5,
        container_s=7,
        object_s=8,
        code=137,
        pre_stop={"sleep": {"seconds": 60}},
    )
    assert check(longer_than_grace).outcome is Outcome.HELD


def test_waits_are_read_where_a_hook_says_them() -> None:
    def spec(hook: dict[str, Any]) -> dict[str, Any]:
        return {"containers": [{"name": "x"}, {"name": "app", "lifecycle": {"preStop": hook}}]}

    for hook, wait_s in (
        ({"sleep": {"seconds": 4}}, 4),
        ({"exec": {"command": ["/bin/sleep", "7"]}}, 7),
        ({"exec": {"command": ["sh", "-c", "sleep 7"]}}, None),
        ({"exec": {"command": ["sleep"]}}, None),
        ({"httpGet": {"path": "/", "port": 80}}, None),
    ):
        assert pre_stop_wait_s(spec(hook), "app") == wait_s
        assert pre_stop_wait_s(spec(hook), "x") is None
    assert pre_stop_wait_s({}, "app") is None


def test_forced_deletions_are_counted_and_not_judged() -> None:
    good = terminated(serving("web-0"), 10)
    at_once = good.watched(1, "Pod", running("web-1"), "ADDED")
    at_once.container("n1", "uid-web-1", "app-web-1", 1, 60)
    at_once.watched(20, "Pod", running("web-1"), "DELETED")
    later = terminated(at_once, 30, "web-2", object_s=2, container_s=60)
    later.step("delete", "Pod web-2", 31.5, force=True)
    verdict = check(later)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["forced deletions"] == 2
    assert verdict.coverage["ordinary terminations"] == 1


def test_ordinary_steps_and_forced_ones_at_other_times_excuse_nothing() -> None:
    story = serving("web-0").step("delete", "Pod web-0", 9.9)
    terminated(story, 10, grace_s=10, container_s=4, code=137)
    story.step("delete", "Pod web-0", 60, force=True)  # of one that came later by that name
    verdict = check(story)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.coverage["ordinary terminations"] == 1


def test_a_deletion_that_was_seen_late_makes_no_wait_too_short() -> None:
    for asked_s, outcome in ((10, Outcome.HELD), (12, Outcome.VIOLATED)):
        story = serving("web-0")
        story.watched(0.5, "Pod", running("web-0", pre_stop=SLEEP), "ADDED")
        story.container("n1", "uid-web-0", "app-web-0", 0.6, 13.2)
        story.watched(12, "Pod", running("web-0", pre_stop=SLEEP, deleted_s=asked_s))
        story.watched(12.1, "EndpointSlice", endpoint_slice({"web-0": False}))
        last = running("web-0", pre_stop=SLEEP, deleted_s=asked_s, given_s=0, ended=(13.2, 0))
        assert check(story.watched(14, "Pod", last, "DELETED")).outcome is outcome


def test_a_pod_by_itself_is_judged_by_its_name() -> None:
    story = terminated(serving("web-0"), 10, grace_s=5, container_s=9, object_s=9.5)
    history = History.of_parts(events=story.events)
    assert termination_in_order("web-0", kind="Pod").check(history).outcome is Outcome.VIOLATED
    other = termination_in_order("web-1", kind="Pod").check(history)
    assert other.outcome is Outcome.UNKNOWN


def test_unknown_for_every_reason() -> None:
    good = terminated(serving("web-0"), 10)
    standing = serving("web-0").watched(1, "Pod", running("web-0"), "ADDED")
    unseen = terminated(serving("web-0"), 10, seen=False)
    silent = terminated(serving("web-0", until_s=0), 10)
    silent.scans("n2", 60)
    unwatched = [
        e for e in good.events if not (isinstance(e, WatchStarted) and e.kind == "EndpointSlice")
    ]
    gap = terminated(serving("web-0"), 10).gap("Pod", 12, "uid-web-0")
    cut = [e for e in good.events if e.time_ns <= at(12) and not isinstance(e, ContainerScan)]
    begun = serving("web-0").watched(0, "Pod", running("web-0", deleted_s=0), "LISTED")
    endpoint = terminated(serving("web-0"), 10, unready_s=None, container_s=0.5, object_s=1)
    open_end = [e for e in endpoint.events if not isinstance(e, ContainerScan)]
    creating = serving()
    for change in (None, 10):
        bare = running("web-0", deleted_s=change)
        bare["status"]["containerStatuses"] = []
        creating.watched(change or 1, "Pod", bare, "ADDED" if change is None else "MODIFIED")
    creating.watched(11, "Pod", running("web-0", deleted_s=10, given_s=0), "DELETED")
    lost = Damage(
        file="events-x.ckl", holds="events", kind="torn", since_ns=at(5), until_ns=None, detail=""
    )
    for history, reason in (
        (History.of_parts(), "no pod of web was deleted ordinarily"),
        (History.of_parts(events=standing.events), "no pod of web was deleted ordinarily"),
        (History.of_parts(events=creating.events), "no pod of web ran a container when"),
        (History.of_parts(events=unseen.events), "container app of web-0 was not seen"),
        (History.of_parts(events=silent.events), "n1 was never scanned"),
        (History.of_parts(events=unwatched), "EndpointSlices were not watched"),
        (History.of_parts(events=gap.events), "has a gap"),
        (History.of_parts(events=cut), "the record ends while web-0 is being deleted"),
        (History.of_parts(events=begun.events), "the deletion of web-0 began before the watch"),
        (History.of_parts(events=open_end), "endpoint of web-0 may still be ready"),
        (History.of_parts(events=good.events, damage=[lost]), "events may be missing"),
    ):
        verdict = termination_in_order("web").check(history)
        assert verdict.outcome is Outcome.UNKNOWN, reason
        assert reason in verdict.summary


def test_nobody_is_accused_after_a_gap() -> None:
    story = terminated(serving("web-0"), 10, grace_s=10, container_s=4, code=137)
    assert check(story.gap("Pod", 12, "uid-web-0")).outcome is Outcome.UNKNOWN


def test_malformed_objects_and_times_are_errors() -> None:
    story = terminated(serving("web-0"), 10)
    story.events.append(
        Watched(
            time_ns=at(70),
            kind="EndpointSlice",
            change="MODIFIED",
            uid="u",
            namespace="chaos",
            name="x",
            resource_version=9999,
            object={},
        )
    )
    with pytest.raises(RecordError, match="no metadata"):
        check(story)
    for wrong in ({"kubelet_slack_s": 0.0}, {"clean_up_s": -1.0}):
        with pytest.raises(UsageError, match="positive"):
            termination_in_order("web", kind=None, **wrong)


def test_all_kinds_needed_are_known_to_the_corpus() -> None:
    assert {"Pod", "EndpointSlice", "Service", "Node"} <= set(KINDS)


@examples(80)
@given(
    grace_s=st.integers(2, 30),
    used=st.floats(0, 1),
    start_s=st.floats(5, 30),
    wait_s=st.sampled_from((0, 1, 3)),
    planted=st.sampled_from(("nothing", "kill", "late", "early object", "endpoint")),
)
def test_sound_ends_hold_and_planted_offences_are_found(
    grace_s: int, used: float, start_s: float, wait_s: int, planted: str
) -> None:
    hook = {"sleep": {"seconds": wait_s}} if wait_s else None
    over = used > 0.9
    container_s = grace_s + 0.1 if over else max(min(wait_s, grace_s) + 0.1, used * grace_s)
    how: dict[str, Any] = {"code": 137 if container_s > grace_s else 0}
    object_s, unready_s = container_s + 1, 0.5
    if planted == "kill":
        grace_s += 3  # of which it gets all but the last 2.9 s or more
        how["code"] = 137
    elif planted == "late":
        container_s = grace_s + 4.3
        object_s = container_s + 1
    elif planted == "early object":
        object_s = container_s - 0.2
    elif planted == "endpoint":
        unready_s = 2.6
    story = terminated(
        serving("web-0"),
        start_s,
        grace_s=grace_s,
        container_s=container_s,
        object_s=object_s,
        unready_s=unready_s,
        pre_stop=hook,
        **how,
    )
    verdict = check(story.ended(120))
    if planted == "nothing":
        assert verdict.outcome is Outcome.HELD, (verdict.summary, verdict.evidence)
    else:
        assert first(verdict)[2][0] == "web-0"
