"""The rules of attribution: each with its evidence, its twin without, and for how long."""

from collections.abc import Callable

import pytest

from chaoskit.guarantees.attribution import UNATTRIBUTED, attribution
from chaoskit.guarantees.attribution.rules import RULES
from chaoskit.history.folder import RunInfo
from chaoskit.history.reader import History
from tests.corpus.attribution import asked, endpoint_slice, failing, web, web_pod
from tests.corpus.driver import health
from tests.corpus.mishaps import emptied, evicted, hanging, joined, leaving, restarted, unready
from tests.corpus.objects import node
from tests.corpus.requests import delayed, load_marks
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.unit.guarantees.attribution.attributed import causes_of, only

Told = Callable[[Story], object]

#: What happens, how a request planned at second 10 fails, and what it is put down to.
CASES: dict[str, tuple[Told, str, str, str, str]] = {
    "no port": (
        lambda story: story,
        "no_port/connect",
        "driver_out_of_resources",
        "driver",
        "ran out of ports",
    ),
    "entry node cut": (
        lambda story: story.fault("nic_down", "n1", 8, 12),
        "timeout/connect",
        "fault_in_effect",
        "network",
        "nic_down on n1",
    ),
    "a pod's node cut": (
        lambda story: story.fault("nic_down", "node n2", 7.9, 12),
        "timeout/wait",
        "fault_in_effect",
        "pod",
        "nic_down on node n2",
    ),
    "a pod frozen": (
        lambda story: story.fault("freeze", "Pod chaos/web-3", 8, 12),
        "timeout/wait",
        "fault_in_effect",
        "pod",
        "freeze on Pod chaos/web-3",
    ),
    "settling": (
        lambda story: story.fault("nic_down", "n2", 2, 5.5),
        "timeout/wait",
        "fault_in_effect",
        "pod",
        "nic_down on n2",
    ),
    "deleted": (leaving, "reset/wait", "pod_terminating", "pod", "web-2 (revision 5d4f) was being"),
    "evicted": (evicted, "refused/connect", "pod_terminating", "pod", "had ended (Evicted)"),
    "forcibly deleted": (
        lambda story: story.watched(7, "Pod", web_pod("web-2"), "DELETED"),
        "reset/wait",
        "pod_terminating",
        "pod",
        "web-2 (revision 5d4f) was being deleted",
    ),
    "no memory": (
        lambda story: restarted(story, "OOMKilled"),
        "reset/wait",
        "oom_killed",
        "pod",
        "container app of pod web-2 (revision 5d4f) was killed (OOMKilled)",
    ),
    "crashed": (
        lambda story: restarted(story, "Error"),
        "closed/wait",
        "container_restarted",
        "pod",
        "container app of pod web-2 (revision 5d4f) ended (Error, exit code 137)",
    ),
    "unready later": (unready, "timeout/wait", "pod_not_ready", "pod", "web-2 (revision 5d4f) was"),
    "starved": (
        lambda story: story.starving("uid-web-2", 11, 2.6),
        "timeout/wait",
        "pod_starved",
        "pod",
        "pod web-2 (revision 5d4f) was ready to run and waited 2.6 s for a processor",
    ),
    "new endpoint": (
        joined,
        "refused/connect",
        "endpoint_programmed_late",
        "endpoints",
        "Service web had got an endpoint less than 2 s before",
    ),
    "no endpoint": (
        emptied,
        "refused/connect",
        "no_ready_endpoint",
        "endpoints",
        "Service web had no ready endpoint",
    ),
    "answered 503": (
        lambda story: story,
        "status 503",
        "application_answered",
        "application",
        "pod web-3 (revision 5d4f) answered with status 503",
    ),
    "node lost": (
        lambda story: story.watched(40, "Node", node("n3", ready="Unknown")),
        "timeout/connect",
        "node_not_ready",
        "pod",
        "node n3 was not ready",
    ),
    "entry node lost": (
        lambda story: story.watched(40, "Node", node("n1", ready="Unknown")),
        "timeout/connect",
        "node_not_ready",
        "network",
        "node n1 was not ready",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_failure_is_put_down_to_what_the_record_shows(name: str) -> None:
    tell, error, cause, layer, text = CASES[name]
    story = web()
    tell(story)
    told = only(causes_of(story, failing(asked(), 10, error=error)))
    assert told[:2] == (cause, layer)
    assert text in told[2]


@pytest.mark.parametrize("name", CASES)
def test_the_same_failure_a_while_before_is_not(name: str) -> None:
    """Two seconds into the story nothing has happened yet; statuses and ports tell by themselves.

    A lost node may have been silent for 50 s before it was called so.
    """
    tell, error, cause, *_ = CASES[name]
    story = web()
    tell(story)
    if cause in ("driver_out_of_resources", "application_answered", "node_not_ready"):
        story, error = web(), "reset/wait"
    when_s = 1 if name == "settling" else 2
    assert only(causes_of(story, failing(asked(), when_s, error=error)))[0] == UNATTRIBUTED


@pytest.mark.parametrize("name", CASES)
def test_the_same_failure_a_while_after_is_not(name: str) -> None:
    tell, error, cause, *_ = CASES[name]
    story = web()
    tell(story)
    if cause in ("driver_out_of_resources", "application_answered", "node_not_ready"):
        story, error = web(), "reset/wait"
    when_s = 25 if name != "unready later" else 29
    assert only(causes_of(story, failing(asked(), when_s, error=error)))[0] == UNATTRIBUTED


#: What happens, how a request fails, and the first and last moments at which it explains that.
EDGES: dict[str, tuple[Told, str, float, float]] = {
    "settling": (CASES["settling"][0], "timeout/wait", 2.0, 10.8),
    "deleted": (leaving, "reset/wait", 8.0, 11.0),  # no new connection later than 2 s after 9
    "forcibly deleted": (CASES["forcibly deleted"][0], "reset/wait", 6.0, 11.0),
    "evicted": (evicted, "refused/connect", 8.9, 11.9),
    "no memory": (CASES["no memory"][0], "reset/wait", 8.5, 14.0),
    "hung": (hanging, "timeout/wait", 1.5, 14.0),
    "unready": (unready, "timeout/wait", 6.0, 17.0),
    "starved": (CASES["starved"][0], "timeout/wait", 8.4, 11.0),
    "new endpoint": (joined, "refused/connect", 9.5, 11.5),
    "no endpoint": (emptied, "refused/connect", 8.0, 16.0),
}


@pytest.mark.parametrize("name", EDGES)
def test_what_happened_explains_for_a_bounded_time(name: str) -> None:
    """Slots are 50 ms apart; a request takes 5 ms here, and 2 s in the second round."""
    tell, error, first_s, last_s = EDGES[name]
    for second, took_s, explained in (
        (first_s, 0.005, True),
        (first_s - 0.05, 0.005, False),
        (last_s, 0.005, True),
        (last_s + 0.05, 0.005, False),
        (first_s - 1.95, 2.0, True),
        (first_s - 2.05, 2.0, False),
    ):
        if second < 0:
            continue
        story = web()
        tell(story)
        told = only(causes_of(story, failing(asked(), second - 1e-6, error=error, took_s=took_s)))
        assert (told[0] != UNATTRIBUTED) is explained, (second, took_s, told)


def test_a_node_is_silent_for_as_long_as_its_profile_allows() -> None:
    story = web().watched(40, "Node", node("n3", ready="Unknown"))
    info = RunInfo(
        run_id="r",
        scenario="s",
        title="t",
        started_wall_ns=1,
        started_ns=1,
        boot_id="b",
        chaoskit_version="0",
        namespace="chaos",
        profile="fast",
    )
    for second, cause in ((23.9, UNATTRIBUTED), (24, "node_not_ready")):
        rows = failing(asked(), second - 1e-6, error="timeout/connect")
        history = History.of_parts(events=story.events, requests=rows, info=info)
        assert only(attribution(history))[0] == cause


def test_every_rule_is_tried_here() -> None:
    own_tests = {"driver_late", "cut_off_at_stop"}
    assert {case[2] for case in CASES.values()} | own_tests == {rule.__name__ for rule in RULES}


def test_a_late_or_busy_driver_comes_before_everything_else() -> None:
    story = web().fault("nic_down", "n1", 8, 12)
    rows = failing(asked(), 10, error="timeout/connect")
    late = only(causes_of(story, delayed(rows, 10, 11, 0.3)))
    assert late[:2] == ("driver_late", "driver")
    assert late[2] == "the driver itself was late by up to 300 ms (load load-1)"
    story.events.append(health(10, 11, 0.9))
    busy = only(causes_of(story, rows))
    assert busy[0] == "driver_late"
    assert "used more than 80% of a core" in busy[2]
    elsewhere = failing(asked(load="load-2"), 10, error="timeout/connect")
    assert only(causes_of(story, elsewhere))[0] == "fault_in_effect"


def test_what_was_cut_off_at_the_stop_needs_the_mark_of_the_stop() -> None:
    rows = asked()
    cut = failing(rows, 29, 30, error="cut_off/wait", took_s=2, outcome="unknown")
    assert only(causes_of(web(), cut))[0] == UNATTRIBUTED
    story = web()
    story.events += load_marks(rows)
    assert only(causes_of(story, cut))[:2] == ("cut_off_at_stop", "driver")
    early = failing(rows, 10, error="cut_off/wait", took_s=2, outcome="unknown")
    assert only(causes_of(story, early))[0] == UNATTRIBUTED


def test_a_fault_that_was_never_seen_in_effect_explains_nothing() -> None:
    story = web().fault("nic_down", "n1", 8, 12, proved=False)
    rows = failing(asked(), 10, error="timeout/connect")
    assert only(causes_of(story, rows))[0] == UNATTRIBUTED


@pytest.mark.parametrize("target", ["n4", "etcd", "kube-apiserver of the cluster", "web"])
def test_a_fault_elsewhere_explains_nothing(target: str) -> None:
    story = web().fault("stop", target, 8, 12)
    rows = failing(asked(), 10, error="timeout/connect")
    assert only(causes_of(story, rows))[0] == UNATTRIBUTED


def test_what_becomes_of_a_pod_explains_no_whole_answer_and_nothing_of_other_pods() -> None:
    answered = causes_of(leaving(web()), failing(asked(), 199 / 20, error="status 500"))
    assert answered.pods_of(0) == ["web-2 (revision 5d4f)"]
    assert only(answered)[0] == "application_answered"
    elsewhere = failing(asked(connection="kept"), 201 / 20, error="reset/wait")
    table = causes_of(leaving(web()), elsewhere)
    assert table.pods_of(0) == ["web-1 (revision 5d4f)"]
    assert only(table)[0] == UNATTRIBUTED


def test_what_the_first_list_shows_is_not_new() -> None:
    """Neither are its endpoints just ready, nor have its containers just been restarted."""
    story = web().watched(-1, "Pod", web_pod("web-2", restarts=3, ended="Error"), "LISTED")
    story.events = [
        e for e in story.events if e.time_ns != at(-2) or getattr(e, "kind", "") != "Pod"
    ]
    for error in ("refused/connect", "reset/wait"):
        assert only(causes_of(story, failing(asked(), 0, error=error)))[0] == UNATTRIBUTED


def test_a_service_whose_slice_is_deleted_has_no_endpoint() -> None:
    story = web().watched(9, "EndpointSlice", endpoint_slice({}), "DELETED")
    assert only(causes_of(story, failing(asked(), 12)))[0] == "no_ready_endpoint"


def test_the_endpoints_of_another_service_explain_nothing() -> None:
    story = web().watched(-1, "EndpointSlice", endpoint_slice({}, service="other"), "LISTED")
    story.watched(9.5, "EndpointSlice", endpoint_slice({"web-1": "ready"}, service="other"))
    story.watched(12, "EndpointSlice", endpoint_slice({}, service="other"))
    for when_s, cause in ((9, "no_ready_endpoint"), (10, "endpoint_programmed_late")):
        both = [*failing(asked(), when_s), *failing(asked(load="load-2", entry="other"), when_s)]
        table = causes_of(story, sorted(both, key=lambda row: row.planned_ns))
        assert table.counts() == {cause: 1, UNATTRIBUTED: 1}


def test_a_fault_on_a_member_is_not_one_on_its_entry() -> None:
    member = endpoint_slice({"web-3": "ready"}, service="web-3")
    story = web().watched(-1, "EndpointSlice", member, "LISTED")
    story.fault("freeze", "Pod web-3", 8, 12)
    table = causes_of(story, failing(asked(entry="web-3"), 10, error="timeout/wait"))
    assert only(table)[:2] == ("fault_in_effect", "pod")


def test_an_application_that_does_not_say_its_name_still_answered() -> None:
    rows = [
        row._replace(pod=None, pod_uid=None) for row in failing(asked(), 10, error="status 404")
    ]
    cause, layer, text = only(causes_of(web(), rows))
    assert (cause, layer) == ("application_answered", "application")
    assert text == "a pod that does not say its name answered with status 404"
