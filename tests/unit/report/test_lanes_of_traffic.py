"""Outages with bounds, failures by class and cause, endpoints, rollouts, suspect seconds."""

from typing import Any

from chaoskit.history.events import AnyEvent, DriverHealth, LoadMark, Watched
from chaoskit.history.reader import History
from chaoskit.history.requests import RequestRow
from chaoskit.report.axis import axis_over
from chaoskit.report.buckets import count
from chaoskit.report.endpoints import endpoint_spans
from chaoskit.report.failures import failure_table
from chaoskit.report.harness import suspect_spans
from chaoskit.report.outages import outages
from chaoskit.report.rollouts import rollout_spans
from chaoskit.report.shapes import Box, Curve, Text
from chaoskit.report.tiles import failure_lanes, tile_lanes
from tests.corpus.attribution import web
from tests.corpus.times import at as told_at
from tests.unit.report.synthetic import at, run_info

AXIS = axis_over([at(0), at(20)], left_px=0, width_px=1000)


def rows(stream: str = "new via a", **changes: Any) -> list[RequestRow]:
    """Ten requests a second for 20 s; from 5.0 to 7.4 s they are refused."""
    return [
        RequestRow(
            load="l1",
            stream=stream,
            connection="new",
            entry="a",
            slot=n,
            operation="read",
            planned_ns=at(n / 10),
            sent_ns=at(n / 10 + 0.001),
            connected_ns=None,
            end_ns=at(n / 10 + 0.004),
            outcome="fail" if 50 <= n <= 74 else "ok",
            error="refused" if 50 <= n <= 74 else None,
            error_phase="connect" if 50 <= n <= 74 else None,
        )._replace(**changes)
        for n in range(200)
    ]


def delayed(row: RequestRow) -> RequestRow:
    """Sent 80 ms after its planned time: the driver's fault."""
    return row._replace(sent_ns=row.planned_ns + 80_000_000, end_ns=row.planned_ns + 84_000_000)


def record(*requests: RequestRow, events: list[AnyEvent] | None = None) -> History:
    return History.of_parts(requests=requests, events=events or [], info=run_info("r"))


def test_an_outage_has_the_bounds_of_the_slots_around_it() -> None:
    ((name, (outage,)),) = outages(record(*rows())).items()
    assert name == "new via a"
    assert (outage.start_ns, outage.end_ns) == (at(5.0), at(7.4))
    assert (outage.after_ns, outage.before_ns) == (at(4.9), at(7.5))
    assert outage.in_words == "2.40–2.60 s"  # noqa: RUF001


def test_control_and_sampler_streams_have_outages_too() -> None:
    requests = [*rows("control new"), *rows("sampler new via a")]
    found = outages(record(*requests))
    assert sorted(found) == ["control new", "sampler new via a"]
    assert [outage.in_words for own in found.values() for outage in own] == ["2.40–2.60 s"] * 2  # noqa: RUF001


def test_one_that_does_not_end_has_no_upper_bound() -> None:
    (only,) = outages(record(*rows()[:70]))["new via a"]
    assert only.in_words == "≥ 1.90 s"
    assert only.before_ns is None


def test_one_while_the_driver_was_in_trouble_is_drawn_as_doubtful() -> None:
    late = [delayed(row) for row in rows()]
    (only,) = outages(record(*late))["new via a"]
    assert only.is_suspect
    assert only.in_words == "0.00–2.60 s"  # noqa: RUF001


def test_a_single_failure_has_no_bracket() -> None:
    calm = [r._replace(outcome="ok", error=None) for r in rows()]
    calm[30] = calm[30]._replace(outcome="fail", error="reset")
    assert outages(record(*calm)) == {}


def test_the_bracket_is_drawn_from_bound_to_bound_above_its_tiles() -> None:
    history = record(*rows())
    (lane,) = tile_lanes(AXIS, count(history.requests, AXIS), outages(history))
    (whiskers,) = (s for s in lane.shapes if isinstance(s, Curve))
    (bar,) = (s for s in lane.shapes if isinstance(s, Box) and s.kind == "outage")
    (words,) = (s for s in lane.shapes if isinstance(s, Text))
    assert whiskers.path == "M245.0 9v5M245.0 11.5H375.0M375.0 9v5"
    assert (bar.x, bar.width) == (250.0, 120.0)
    assert words.text == "2.40–2.60 s"  # noqa: RUF001
    assert all(s.y >= 14 for s in lane.shapes if isinstance(s, Box) and s.kind != "outage")


def test_failures_are_counted_by_class_and_cause_and_leave_others_out() -> None:
    history = record(*rows(), *rows("control new"), *rows("sampler new via a"))
    table = failure_table(history, AXIS)
    (row,) = table.rows
    assert (row.error_class, row.cause, row.count) == ("refused/connect", "unattributed", 25)
    assert (row.first_ns, row.last_ns) == (at(5.0), at(7.4))
    assert table.classes["refused/connect"].tolist()[4:9] == [0, 10, 10, 5, 0]
    assert table.total == 200
    assert [n for n, _ in table.between(at(6), at(6.45))] == [5]


def test_failures_that_the_harness_caused_say_so() -> None:
    late = [delayed(row) for row in rows()]
    (row,) = failure_table(record(*late), AXIS).rows
    assert row.cause == "driver_late"


def test_a_class_of_failures_has_a_lane_that_names_its_causes() -> None:
    table = failure_table(record(*rows()), AXIS)
    (lane,) = failure_lanes(AXIS, table, 1)
    assert lane.label == "refused/connect (25)"
    assert lane.title == "25 refused/connect: 25 unattributed"
    assert next(s.title for s in lane.shapes if isinstance(s, Box)) == (
        "5–6 s: 10 refused/connect"  # noqa: RUF001
    )


def test_suspect_seconds_are_spans_with_the_reason() -> None:
    late = [delayed(r) for r in rows() if at(3) <= r.planned_ns]
    spans = suspect_spans(record(*late[:30]))
    assert len(spans) == 1
    assert "the driver itself was late by up to 80 ms" in spans[0].title
    health = DriverHealth(
        time_ns=at(2), load_id="l1", since_ns=at(1), cpu_share=0.95, lag_max_ms=1, in_flight=0,
        planned=10,
    )  # fmt: skip
    mark = LoadMark(time_ns=at(0), load_id="l1", mark="started", rate_per_s=10, streams=[])
    busy = suspect_spans(record(*rows(), events=[mark, health]))
    assert "used more than 80% of a core" in busy[0].title
    assert suspect_spans(record(*rows())) == []


def test_each_suspect_span_says_what_was_the_matter_in_it() -> None:
    late = [delayed(row) for row in rows()][:20]  # the first two seconds
    story = web().starving("uid-web-1", 7, 0.9)
    starved, driver = suspect_spans(record(*late, *rows()[20:], events=story.events))
    assert driver.title.startswith("the driver itself was late by up to 80 ms: ")
    assert starved.title.startswith("the machine kept a pod from running: ")
    assert (starved.start_ns, starved.end_ns) == (told_at(6), told_at(7))


def watched(second: float, kind: str, name: str, thing: dict[str, Any], version: int) -> Watched:
    return Watched(
        time_ns=at(second), kind=kind, change="MODIFIED", uid=f"{kind}-{name}",
        namespace="chaos-7", name=name, resource_version=version, object=thing,
    )  # fmt: skip


def slice_of(second: float, *uids: str, version: int) -> Watched:
    endpoints = [
        {"targetRef": {"kind": "Pod", "uid": uid}, "conditions": {"ready": True}} for uid in uids
    ]
    labels = {"kubernetes.io/service-name": "web"}
    thing = {"metadata": {"labels": labels}, "endpoints": endpoints}
    return watched(second, "EndpointSlice", "web-x", thing, version)


def test_endpoints_are_counted_over_time_and_named() -> None:
    pod = watched(0.5, "Pod", "web-1", {"metadata": {}}, 1)
    history = record(
        events=[
            pod,
            slice_of(1, version=2),
            slice_of(2, "Pod-web-1", version=3),
            slice_of(5, "Pod-web-1", "u2", version=4),
            slice_of(9, version=5),
        ]
    )
    spans = endpoint_spans(history, at(20))["web"]
    assert [(s.state, s.owner, s.start_ns, s.end_ns) for s in spans] == [
        ("none", "0", at(1), at(2)),
        ("some", "1", at(2), at(5)),
        ("some", "2", at(5), at(9)),
        ("none", "0", at(9), at(20)),
    ]
    assert spans[1].title == "Service web: 1 endpoint, web-1"
    assert spans[-1].open_end


def deployment(generation: int, *, seen: int, updated: int, available: int, every: int) -> Any:
    return {
        "metadata": {"generation": generation},
        "spec": {"replicas": 3},
        "status": {
            "observedGeneration": seen,
            "updatedReplicas": updated,
            "availableReplicas": available,
            "replicas": every,
        },
    }


def test_a_rollout_is_under_way_until_all_is_updated_available_and_nothing_old_is_left() -> None:
    stages = [
        deployment(1, seen=1, updated=3, available=3, every=3),
        deployment(2, seen=1, updated=3, available=3, every=3),
        deployment(2, seen=2, updated=1, available=3, every=4),
        deployment(2, seen=2, updated=3, available=3, every=4),
        deployment(2, seen=2, updated=3, available=3, every=3),
    ]
    events = [watched(n, "Deployment", "web", stage, n) for n, stage in enumerate(stages, 1)]
    spans = rollout_spans(events, at(20))["Deployment web"]
    assert [(s.state, s.revision) for s in spans] == [
        ("complete", ""),
        ("rolling", "not yet seen by its controller"),
        ("rolling", "1/3 updated"),
        ("rolling", "3/3 ready"),
        ("complete", ""),
    ]


def test_a_workload_that_never_changed_has_no_rollout() -> None:
    calm = watched(
        1, "Deployment", "web", deployment(1, seen=1, updated=3, available=3, every=3), 1
    )
    assert rollout_spans([calm], at(20)) == {}
