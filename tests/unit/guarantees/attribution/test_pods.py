"""Which pods a failed request may have been sent to, and what became of them."""

from chaoskit.guarantees.attribution.pods import pod_lives
from chaoskit.history.events import LoadMark
from chaoskit.history.reader import History
from tests.corpus.attribution import State, asked, endpoint_slice, failing, web, web_pod, without
from tests.corpus.mishaps import leaving
from tests.corpus.times import at
from tests.unit.guarantees.attribution.attributed import causes_of, only


def test_a_kept_connection_names_its_pod_by_its_other_answers() -> None:
    rows = failing(asked(connection="kept"), 202 / 20, error="reset/wait")
    table = causes_of(leaving(web()), rows)
    assert table.failures.is_sure.tolist() == [True]
    assert table.pods_of(0) == ["web-2 (revision 5d4f)"]
    assert only(table)[0] == "pod_terminating"
    silent = [row._replace(pod=None, pod_uid=None) for row in rows]
    table = causes_of(leaving(web()), silent)
    assert table.failures.is_sure.tolist() == [False]
    assert len(table.pods_of(0)) == 3


def test_a_deleted_pod_keeps_its_kept_connections_until_it_is_gone() -> None:
    for slot, explained in ((280, True), (283, False)):
        rows = failing(asked(connection="kept"), slot / 20 - 1e-6, error="reset/wait")
        table = causes_of(leaving(web()), rows)
        assert table.pods_of(0) == ["web-2 (revision 5d4f)"]
        assert (only(table)[0] == "pod_terminating") is explained


def test_new_connections_may_reach_ready_pods_and_for_two_seconds_those_that_were() -> None:
    story = web().watched(9, "EndpointSlice", endpoint_slice(without("web-2")))
    for when_s, pods in ((10.9, 3), (11.1, 2)):
        assert len(causes_of(story, failing(asked(), when_s)).pods_of(0)) == pods
    serving = web().watched(
        3, "EndpointSlice", endpoint_slice({"web-1": "terminating", "web-2": "starting"})
    )
    table = causes_of(serving, failing(asked(), 10))
    assert table.pods_of(0) == ["web-1 (revision 5d4f)"]


def test_kept_connections_may_lead_to_any_pod_that_could_once_be_reached() -> None:
    states: dict[str, State] = {"web-1": "ready", "web-2": "starting", "web-3": "ready"}
    story = web()
    story.events = [e for e in story.events if getattr(e, "kind", "") != "EndpointSlice"]
    story.watched(-2, "EndpointSlice", endpoint_slice(states), "LISTED")
    story.watched(20, "EndpointSlice", endpoint_slice(states | {"web-2": "ready"}))
    story.watched(24, "EndpointSlice", endpoint_slice(states))
    for when_s, pods in ((10, 2), (21, 3), (29, 3)):
        rows = failing(asked(connection="kept"), when_s, error="reset/wait")
        silent = [row._replace(pod=None, pod_uid=None) for row in rows]
        assert len(causes_of(story, silent).pods_of(0)) == pods


def test_without_a_known_service_pods_are_candidates_while_ready() -> None:
    story = web()
    story.events = [e for e in story.events if getattr(e, "kind", "") != "EndpointSlice"]
    story.watched(5, "Pod", web_pod("web-2", ready=False))
    table = causes_of(story, failing(asked(), 10))
    assert table.pods_of(0) == ["web-1 (revision 5d4f)", "web-3 (revision 5d4f)"]


def test_the_entry_of_a_member_names_its_service() -> None:
    story = web().watched(
        -1, "EndpointSlice", endpoint_slice({"web-3": "ready"}, service="web-3"), "LISTED"
    )
    table = causes_of(story, failing(asked(entry="web-3"), 10))
    assert table.pods_of(0) == ["web-3 (revision 5d4f)"]
    headless = {"service.kubernetes.io/headless": ""}
    story = web().watched(
        -1, "EndpointSlice", endpoint_slice({}, service="web-3", labels=headless), "LISTED"
    )
    table = causes_of(story, failing(asked(entry="web-3"), 10))
    assert len(table.pods_of(0)) == 3


def test_the_load_names_the_service_where_several_would_do() -> None:
    """Both Services have had every pod that answered; one of them has only web-3 now."""
    other = endpoint_slice({"web-1": "ready", "web-2": "ready", "web-3": "ready"}, service="other")
    story = web().watched(-1, "EndpointSlice", other, "LISTED")
    story.watched(5, "EndpointSlice", endpoint_slice({"web-3": "ready"}))
    rows = failing(asked(), 10)
    assert len(causes_of(story, rows).pods_of(0)) == 3
    named = {rows[0].stream: "web"}
    story.events.append(
        LoadMark(
            time_ns=at(0),
            load_id=rows[0].load,
            mark="started",
            rate_per_s=20,
            streams=list(named),
            services=named,
        )
    )
    assert causes_of(story, rows).pods_of(0) == ["web-3 (revision 5d4f)"]


def test_each_run_of_a_container_ends_once() -> None:
    ended = web_pod("web-2", ready=False)
    terminated = {"terminated": {"reason": "Completed", "exitCode": 0}}
    ended["status"]["containerStatuses"][0]["state"] = terminated
    story = web().watched(5, "Pod", ended)
    story.watched(25, "Pod", web_pod("web-2", restarts=1, ended="Completed"))
    story.watched(27, "Pod", web_pod("web-2", restarts=2, ended="OOMKilled"))
    life = pod_lives(History.of_parts(events=story.events))["uid-web-2"]
    assert [(end.time_ns, end.reason) for end in life.container_ends] == [
        (at(5), "Completed"),
        (at(27), "OOMKilled"),
    ]
    assert (life.name, life.node, life.revision, life.image) == ("web-2", "n2", "5d4f", "app:v1")
    assert life.unready == ((at(5), at(25)),)
