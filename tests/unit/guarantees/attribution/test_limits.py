"""What explains failures, in full, and where explanations begin and end."""

from typing import Any

import pytest

from chaoskit.guarantees import error_classes_within, failures_attributed
from chaoskit.guarantees.attribution import UNATTRIBUTED
from chaoskit.guarantees.attribution.world import Explanation, nodes_not_ready
from chaoskit.guarantees.intervals import FOREVER_NS
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.reader import History
from chaoskit.history.requests import RequestRow
from tests.corpus.attribution import asked, failing, web, web_pod, whole
from tests.corpus.mishaps import restarted
from tests.corpus.objects import node
from tests.corpus.requests import delayed, load_marks
from tests.corpus.story import Story
from tests.corpus.times import START_NS, at
from tests.corpus.verdicts import in_full, verdict_on
from tests.unit.guarantees.attribution.attributed import causes_of, only
from tests.unit.guarantees.attribution.test_rules import CASES


def seconds(time_ns: int) -> str:
    return "ever" if time_ns == FOREVER_NS else f"{(time_ns - START_NS) / 1e9:g}"


def explained(story: Story, rows: list[RequestRow]) -> str:
    """All that an explanation says."""
    table = causes_of(story, rows)
    why = table.explanation_of(0)
    assert isinstance(why, Explanation)
    start, end = map(seconds, why.span)
    senders = "any" if why.senders is None else sorted(why.senders)
    return (
        f"{table.causes[table.cause[0]]}: {why.layer}: {why.text}; {start} to {end} s;"
        f" {', '.join(why.objects)}; {', '.join(why.classes)}; {senders}; {sorted(why.pods)}"
    )


def case(name: str) -> str:
    tell, error, *_ = CASES[name]
    story = web()
    tell(story)
    return explained(story, failing(asked(), 10, error=error))


#: What explains each of the cases of the rules.
EXPLAINED = [
    (
        "driver_out_of_resources: driver: the driver's machine ran out of ports,"
        " descriptors or memory; -1000 to ever s; ; no_port*, no_descriptor*,"
        " no_memory*; any; []"
    ),
    ("fault_in_effect: network: nic_down on n1; 8 to 17.3 s; nic_down-8, n1; *; [0]; []"),
    (
        "fault_in_effect: pod: nic_down on node n2; 7.9 to 17.3 s; nic_down-7.9, node"
        " n2; *; []; ['uid-web-2']"
    ),
    (
        "fault_in_effect: pod: freeze on Pod chaos/web-3; 8 to 17.3 s; freeze-8, Pod"
        " chaos/web-3; *; []; ['uid-web-3']"
    ),
    ("fault_in_effect: pod: nic_down on n2; 2 to 10.8 s; nic_down-2, n2; *; []; ['uid-web-2']"),
    (
        "pod_terminating: pod: pod web-2 (revision 5d4f) was being deleted; 8 to 14 s;"
        " web-2; */*; []; ['uid-web-2']"
    ),
    (
        "pod_terminating: pod: pod web-2 (revision 5d4f) had ended (Evicted); 8.9 to"
        " 11.9 s; web-2; */*; []; ['uid-web-2']"
    ),
    (
        "pod_terminating: pod: pod web-2 (revision 5d4f) was being deleted; 6 to 11 s;"
        " web-2; */*; []; ['uid-web-2']"
    ),
    (
        "oom_killed: pod: container app of pod web-2 (revision 5d4f) was killed"
        " (OOMKilled); 8.5 to 14 s; web-2; */*; []; ['uid-web-2']"
    ),
    (
        "container_restarted: pod: container app of pod web-2 (revision 5d4f) ended"
        " (Error, exit code 137); 8.5 to 14 s; web-2; */*; []; ['uid-web-2']"
    ),
    (
        "pod_not_ready: pod: pod web-2 (revision 5d4f) was not ready; 6 to ever s;"
        " web-2; */*; []; ['uid-web-2']"
    ),
    (
        "pod_starved: pod: pod web-2 (revision 5d4f) was ready to run and waited 2.6 s for a"
        " processor: the machine was too busy; 8.4 to 11 s; web-2; */*; []; ['uid-web-2']"
    ),
    (
        "endpoint_programmed_late: endpoints: Service web had got an endpoint less"
        " than 2 s before; 9.5 to 11.5 s; web; refused/connect, no_route/connect,"
        " timeout/connect, reset/connect; [0]; []"
    ),
    (
        "no_ready_endpoint: endpoints: Service web had no ready endpoint; 8 to 14 s;"
        " web; refused/connect, no_route/connect, timeout/connect, reset/connect; [0]; []"
    ),
    (
        "application_answered: application: pod web-3 (revision 5d4f) answered with"
        " status 503; -1000 to ever s; web-3; status 503; []; ['uid-web-3']"
    ),
    ("node_not_ready: pod: node n3 was not ready; -10 to ever s; n3; *; []; ['uid-web-3']"),
    "node_not_ready: network: node n1 was not ready; -10 to ever s; n1; *; [0]; []",
]


def test_each_explanation_in_full() -> None:
    assert [case(name) for name in CASES] == EXPLAINED


def stopped() -> Story:
    story = web()
    story.events += load_marks(asked())
    return story


def late() -> list[RequestRow]:
    return delayed(failing(asked(), 10, error="timeout/connect"), 10, 11, 0.3)


def nameless() -> list[RequestRow]:
    rows = failing(asked(), 10, error="status 404")
    return [row._replace(pod=None, pod_uid=None) for row in rows]


def strange() -> list[RequestRow]:
    rows = failing(asked(), 10, error="status 404")
    return [row._replace(pod_uid="uid-strange") if row.status == 404 else row for row in rows]


def cut_off() -> list[RequestRow]:
    return failing(asked(), 29, 30, error="cut_off/wait", took_s=2, outcome="unknown")


def test_what_explains_by_itself_in_full() -> None:
    assert [
        explained(web(), late()),
        explained(stopped(), cut_off()),
        explained(web(), nameless()),
        explained(web(), strange()),
    ] == [
        (
            "driver_late: driver: the driver itself was late by up to 300 ms (load"
            " load-1); 10 to 11 s; load-1; *; [0]; []"
        ),
        (
            "cut_off_at_stop: driver: load load-1 was stopped before the answer came;"
            " 29.95 to ever s; load-1; cut_off*; [0]; []"
        ),
        (
            "application_answered: application: a pod that does not say its name answered"
            " with status 404; -1000 to ever s; ; status 404; any; []"
        ),
        (
            "application_answered: application: pod uid-strange answered with status 404;"
            " -1000 to ever s; ; status 404; []; ['uid-strange']"
        ),
    ]


def behind(load: str) -> list[RequestRow]:
    hung = failing(asked(load=load), 13, error="timeout/wait", took_s=4)
    return failing(hung, 15, error="in_flight_limit", outcome="unsent")


def test_a_load_without_a_known_cause_hides_no_other_load() -> None:
    story = web().fault("nic_down", "n2", 8, 9)
    alone = failing(asked(load="a-load"), 15, error="in_flight_limit", outcome="unsent")
    rows = sorted([*alone, *behind("b-load")], key=lambda row: row.planned_ns)
    table = causes_of(story, rows)
    assert table.counts() == {"fault_in_effect": 1, "behind_failed_requests": 1, UNATTRIBUTED: 1}
    why = [table.explanation_of(place) for place in range(3)]
    assert (
        Explanation(
            span=(0, FOREVER_NS),
            layer="driver",
            text="requests that failed filled the limit of requests in flight of load b-load",
            objects=("b-load",),
            classes=("in_flight_limit", "unsent"),
        )
        in why
    )


def test_a_pod_that_never_came_back_explains_until_it_is_gone() -> None:
    story = web().watched(10.5, "Pod", web_pod("web-2", ready=False, restarts=1, ended="Error"))
    story.watched(14, "Pod", web_pod("web-2", ready=False, restarts=1, ended="Error"), "DELETED")
    rows = failing(asked(), 13, error="closed/wait")
    assert only(causes_of(story, rows))[0] in ("container_restarted", "pod_terminating")
    assert only(causes_of(restarted(web(), "Error"), rows))[0] == "container_restarted"


@pytest.mark.parametrize("second, is_late", [(0.0, False), (0.02, True), (0.06, True)])
def test_kinds_must_be_watched_from_the_very_first_request(second: float, is_late: bool) -> None:
    story = web()
    story.events = [event for event in story.events if event.time_ns != at(-1)]
    story.watching("Pod", "EndpointSlice", "Node", second=second)
    verdict = verdict_on(failures_attributed(), whole(story, asked()), asked())
    assert verdict.outcome is (Outcome.UNKNOWN if is_late else Outcome.HELD), verdict.summary


CUT: Any = ("nic_down", "n2", 8, 12)


def test_attribution_in_full() -> None:
    rows = failing(failing(asked(), 10, error="timeout/connect"), 25, error="closed/wait")
    story = whole(web().fault(*CUT), rows)
    assert in_full(verdict_on(failures_attributed(), story, rows)) == [
        "failures_attributed 2: every failed request has a cause in the record",
        (
            "VIOLATED: 2 of 600 requests not ok: 1 fault_in_effect, 1 unattributed;"
            " closed/wait on stream new via n1 of load load-1 to one of 3 (web-1 (revision"
            " 5d4f), web-2 (revision 5d4f), web-3 (revision 5d4f)), in no named part of"
            " the run: unattributed"
        ),
        (
            "first, worst, last of 1 at 25 s: closed/wait on stream new via n1 of load"
            " load-1 to one of 3 (web-1 (revision 5d4f), web-2 (revision 5d4f), web-3"
            " (revision 5d4f)), in no named part of the run: unattributed [new via n1]"
        ),
        "requests: 600",
        "failed: 2",
        "attributed: 1",
        "cause_fault_in_effect = 1",
        "cause_unattributed = 1",
    ]
    assert in_full(verdict_on(failures_attributed(unattributed_at_most=1), story, rows)) == [
        (
            "failures_attributed 2: every failed request has a cause in the record, but"
            " for at most 1"
        ),
        "HELD: 2 of 600 requests not ok: 1 fault_in_effect, 1 unattributed",
        "requests: 600",
        "failed: 2",
        "attributed: 1",
        "cause_fault_in_effect = 1",
        "cause_unattributed = 1",
    ]
    assert in_full(verdict_on(failures_attributed(), Story())) == [
        "failures_attributed 2: every failed request has a cause in the record",
        (
            "UNKNOWN: cannot tell: Pods were not watched; EndpointSlices were not watched;"
            " Nodes were not watched; there were no requests; 0 of 0 requests not ok"
        ),
        "requests: 0",
        "failed: 0",
        "attributed: 0",
    ]


def test_allowed_classes_in_full() -> None:
    rows = failing(failing(asked(), 10, error="timeout/connect"), 25, error="closed/wait")
    story = whole(web().fault(*CUT), rows)
    allowed = ["timeout/*", "status 5xx"]
    assert in_full(verdict_on(error_classes_within(allowed, phase="p"), story, rows)) == [
        "error_classes_within 2: requests fail with status 5xx, timeout/* only in phase p",
        "UNKNOWN: cannot tell: the phase p is not in the record; there were no requests",
        "requests: 0",
        "not ok: 0",
    ]
    assert in_full(verdict_on(error_classes_within(allowed), story, rows)) == [
        "error_classes_within 2: requests fail with status 5xx, timeout/* only",
        (
            "VIOLATED: 1 closed/wait, 1 timeout/connect; slot 500: read on stream new via"
            " n1: fail (closed wait)"
        ),
        (
            "first, worst, last of 1 at 25 s: slot 500: read on stream new via n1: fail"
            " (closed wait) [new via n1]"
        ),
        "requests: 600",
        "not ok: 2",
        "not ok: closed/wait: 1",
        "not ok: timeout/connect: 1",
    ]
    assert in_full(verdict_on(error_classes_within(allowed, during="nic_down"), story, rows)) == [
        ("error_classes_within 2: requests fail with status 5xx, timeout/* only during nic_down"),
        "HELD: 1 timeout/connect",
        "requests: 87",
        "not ok: 1",
        "not ok: timeout/connect: 1",
    ]


def test_the_pod_of_a_kept_connection_is_sure_whichever_it_is() -> None:
    """Slots 201, 202 and 203 are on the connections of the first, second and third pod."""
    for slot, name in ((201, "web-1"), (202, "web-2"), (203, "web-3")):
        rows = failing(asked(connection="kept"), slot / 20 - 1e-6, error="reset/wait")
        table = causes_of(web(), rows)
        assert table.pods_of(0) == [f"{name} (revision 5d4f)"]
        assert table.failures.is_sure.tolist() == [True]


def test_a_node_is_away_until_it_is_ready_again_or_for_ever() -> None:
    story = Story()
    for second, name, ready in (
        (1, "n1", "True"),
        (10, "n1", "Unknown"),
        (11, "n1", "False"),
        (20, "n1", "True"),
        (5, "n2", "Unknown"),
    ):
        story.watched(second, "Node", node(name, ready=ready))
    story.watched(30, "Node", node("n1"), "DELETED")
    assert nodes_not_ready(History.of_parts(events=story.events)) == {
        "n1": [(at(10), at(20)), (at(30), FOREVER_NS)],
        "n2": [(at(5), FOREVER_NS)],
    }


def test_a_failure_that_ends_with_the_beginning_of_a_fault_touches_it() -> None:
    story = web().fault("nic_down", "n1", 10.005, 12)
    rows = failing(asked(), 10 - 1e-6, error="timeout/connect", took_s=0.005)
    assert only(causes_of(story, rows))[0] == "fault_in_effect"
    rows = failing(asked(), 10 - 1e-6, error="timeout/connect", took_s=0.004)
    assert only(causes_of(story, rows))[0] == UNATTRIBUTED
