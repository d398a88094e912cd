"""What was not Kubernetes' own doing, and which container processes lived when."""

import pytest

from chaoskit.errors import RecordError
from chaoskit.guarantees.objects.disturbances import Disturbances, Takers, pods_of
from chaoskit.guarantees.objects.processes import (
    Process,
    last_scan_ns,
    overlaps,
    processes_of,
    scan_doubts,
)
from chaoskit.history.events import ContainerScan, ContainerSeen, Watched
from chaoskit.history.reader import History
from tests.corpus.budgets import evicted
from tests.corpus.objects import Object, node, pod
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import LOST_EVENTS

MASTER = "node-role.kubernetes.io/control-plane"


def history_of(story: Story) -> History:
    return History.of_parts(events=story.events)


def leaving(
    second: float, name: str = "web-1", on: str = "n1", obj: Object | None = None
) -> Watched:
    shown = obj or pod(name, node=on, leaving=True)
    event = Story().watched(second, "Pod", shown).events[0]
    assert isinstance(event, Watched)
    return event


def test_steps_and_faults_take_pods_from_their_beginning_to_their_end() -> None:
    story = Story().step("delete", "Pod web-1", 5, took_s=1).step("evict", "Pod web-2", 5, end=None)
    story.step("drain", "Node n2", 20).fault("kill", "Pod web-3", 30, 40)
    pods = [leaving(9, name) for name in ("web-1", "web-2", "web-3")] + [leaving(9, "web-4", "n2")]
    takers = Takers.of(history_of(story), pods)
    for moment, name, on, taken in (
        (at(5) - 1, "web-1", "n1", False),
        (at(5), "web-1", "n1", True),
        (at(7), "web-1", "n1", True),
        (at(7) + 1, "web-1", "n1", False),
        (at(500), "web-2", "n1", True),
        (at(20.5), "web-4", "n2", True),
        (at(20.5), "web-1", "n1", False),
        (at(22), "web-4", "n2", False),
        (at(35), "web-3", "n1", True),
        (at(41), "web-3", "n1", False),
        (at(6), "never-seen", "n9", False),
    ):
        seen = leaving((moment - at(0)) / 1e9, name, on)
        assert takers.took(seen) is taken, (moment, name)


def test_whoever_disrupts_a_pod_took_it() -> None:
    takers = Takers({}, {})
    assert takers.took(leaving(5, obj=evicted(pod("web-1"))))
    assert not takers.took(leaving(5))


def surroundings() -> Disturbances:
    master, worker = node("m1"), node("n2")
    master["metadata"]["labels"] = {MASTER: "true"}
    story = Story().watched(0, "Node", master, "LISTED").watched(0, "Node", worker, "LISTED")
    story.watched(0, "Node", node("n1"), "LISTED").watched(0, "Pod", pod("web-1"), "LISTED")
    story.watched(50, "Node", node("n2", ready="Unknown")).watched(60, "Node", worker)
    story.watched(70, "Node", node("n1"), "DELETED")
    story.fault("pause", "Node n2", 10, 12).fault("stop", "m1", 100, 110)
    story.fault("kill", "Pod web-1", 200, 201).fault("etcd_stop", "etcd", 300, 301, healed=False)
    return Disturbances.of(history_of(story))


@pytest.mark.parametrize(
    "name, on, start_s, end_s, reasons",
    [
        ("web-1", "n1", 11, 11.5, []),
        ("x", "n2", 11, 11.5, ["pause on Node n2 was in effect"]),
        ("x", "n2", 5, 10, ["pause on Node n2 was in effect"]),
        ("x", "n2", 5, 9.999, []),
        ("x", "n2", 22.3, 23, ["pause on Node n2 was in effect"]),
        ("x", "n2", 22.301, 23, []),
        ("x", "n1", 105, 106, ["stop on m1 was in effect", "node n1 was not Ready"]),
        ("web-1", "n1", 105, 106, ["stop on m1 was in effect", "node n1 was not Ready"]),
        ("web-1", "n2", 201, 202, ["kill on Pod web-1 was in effect"]),
        ("x", "n2", 201, 202, []),
        ("x", "n2", 900, 901, ["etcd_stop on etcd was in effect"]),
        ("x", "n2", 55, 56, ["node n2 was not Ready"]),
        ("x", "n2", 45, 50, ["node n2 was not Ready"]),
        ("x", "n2", 45, 49.9, []),
        ("x", "n2", 60, 61, []),
        ("x", "n1", 65, 70, ["node n1 was not Ready"]),
        ("x", "n1", 71, 72, ["node n1 was not Ready"]),
        ("x", "never-seen", 55, 56, []),
    ],
)
def test_what_kept_kubernetes_from_acting_in_time(
    name: str, on: str, start_s: float, end_s: float, reasons: list[str]
) -> None:
    assert surroundings().around(name, on, at(start_s), at(end_s)) == reasons


def test_the_control_plane_is_hit_by_faults_on_neither_a_worker_nor_a_pod() -> None:
    told = surroundings()
    assert told.of_control_plane(at(0), at(99)) == []
    assert told.of_control_plane(at(99), at(250)) == ["stop on m1 was in effect"]
    assert told.of_control_plane(at(250), at(999)) == ["etcd_stop on etcd was in effect"]


def test_pods_of_a_workload_or_of_that_name() -> None:
    story = Story().watched(1, "Pod", pod("web-1")).watched(2, "Pod", pod("web-2"))
    assert [event.name for event in pods_of(history_of(story), "Pod", "web-2")] == ["web-2"]
    assert pods_of(history_of(story), "Deployment", "web") == []


NAMES = {"u": "kv-0"}


def test_a_process_surely_lives_between_scans_that_saw_it() -> None:
    story = Story().container("n1", "u", "c", 5, 9).container("n1", "other", "c2", 5, 9)
    found = processes_of(history_of(story), NAMES)
    assert found.found == [
        Process(
            pod="kv-0",
            pod_uid="u",
            node="n1",
            after_ns=at(4.95),
            seen_ns=at(5),
            last_ns=at(8.95),
            gone_ns=at(9),
            still_running=False,
            named=False,
        )
    ]
    assert found.found[0].certain == (at(5), at(8.95))
    assert found.found[0].possible == (at(4.95), at(9))
    assert found.of("kv-0") == {"u": found.found}
    assert found.of("kv-1") == {}
    assert processes_of(history_of(story), {"v": "kv-1"}).uids_without_container == {"v"}


def test_a_process_that_never_goes_lives_until_the_last_scan() -> None:
    story = Story().container("n1", "u", "c", 5, None)
    (alone,) = processes_of(history_of(story), NAMES).found
    assert (alone.last_ns, alone.gone_ns, alone.still_running) == (at(5), at(5), True)
    (scanned,) = processes_of(history_of(story.scans("n1", 20)), NAMES).found
    assert (scanned.last_ns, scanned.gone_ns) == (at(20), at(20))
    assert last_scan_ns(history_of(story)) == {"n1": at(20)}


@pytest.mark.parametrize("place", ["now", "state", "lastState"])
def test_containers_that_a_status_names_are_the_apps(place: str) -> None:
    shown = pod("kv-0", uid="u", container_id="app" if place == "now" else None)
    if place != "now":
        ended = {"terminated": {"containerID": "containerd://app"}}
        shown["status"]["containerStatuses"][0][place] = ended
    story = Story().watched(1, "Pod", shown)
    story.container("n1", "u", "app", 5, 9).container("n1", "u", "sandbox", 4, 10)
    (found,) = processes_of(history_of(story), NAMES).found
    assert (found.seen_ns, found.named) == (at(5), True)


def test_containers_that_cannot_be_are_errors_unless_events_were_lost() -> None:
    gone = ContainerSeen(
        time_ns=at(6), node="n", pod_uid="u", container_id="c", state="gone", before_ns=at(5.9)
    )
    with pytest.raises(RecordError) as caught:
        processes_of(History.of_parts(events=[gone]), NAMES)
    assert str(caught.value) == "container c: went without having been there"
    assert processes_of(History.of_parts(events=[gone], damage=[LOST_EVENTS]), NAMES).found == []
    story = Story().container("n", "u", "c", 5, None)
    story.events.append(
        ContainerSeen(
            time_ns=at(6), node="n", pod_uid="u", container_id="c", state="gone", before_ns=at(7)
        )
    )
    with pytest.raises(RecordError) as caught:
        processes_of(history_of(story), NAMES)
    assert str(caught.value) == "container c: has scans out of order"


def scan(since_s: float, until_s: float, gap_s: float = 0.05) -> ContainerScan:
    return ContainerScan(
        time_ns=at(until_s),
        node="n1",
        since_ns=at(since_s),
        scans=20,
        longest_gap_ns=round(gap_s * 1e9),
    )


@pytest.mark.parametrize(
    "scans, unseen_s",
    [
        ([scan(0, 10), scan(10, 20)], None),
        ([scan(5, 15)], None),
        ([scan(6, 15)], None),
        ([scan(6.1, 15)], 1.1),
        ([scan(5, 14)], None),
        ([scan(5, 13.9)], 1.1),
        ([scan(5, 9), scan(10.1, 15)], 1.1),
        ([scan(0, 4, gap_s=3), scan(5, 15), scan(16, 20, gap_s=3)], None),
        ([scan(0, 10, gap_s=3), scan(5, 15)], 3.0),
        ([scan(5, 12), scan(5, 8), scan(12, 15)], None),
        ([], "never"),
    ],
)
def test_a_node_that_was_not_scanned_for_a_second_may_hide_a_process(
    scans: list[ContainerScan], unseen_s: float | str | None
) -> None:
    told = scan_doubts(History.of_parts(events=scans), ["n1", "n1"], at(5), at(15))
    if unseen_s is None:
        assert told == []
    elif unseen_s == "never":
        assert told == ["node n1 was never scanned for containers"]
    else:
        assert told == [f"node n1 was not scanned for containers for {unseen_s} s"]


def test_both_lived_where_their_spans_meet() -> None:
    assert overlaps([(1, 5), (4, 8)], [(7, 9), (20, 30)]) == [(7, 8)]
