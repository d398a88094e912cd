"""How late a watch is, from the time that a lease carries."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from chaoskit.history.events import AnyEvent, Watched, WatchLag
from chaoskit.kube.watch_lag import LeaseLag


class Kept:
    def __init__(self) -> None:
        self.events: list[AnyEvent] = []

    def append(self, event: AnyEvent) -> None:
        self.events.append(event)


def lease(
    spec: dict[str, Any], change: Literal["LISTED", "MODIFIED", "DELETED"] = "MODIFIED"
) -> Watched:
    return Watched(
        time_ns=7,
        kind="Lease",
        change=change,
        uid="u",
        namespace="kube-node-lease",
        name="node-1",
        resource_version=3,
        object={"metadata": {}, "spec": spec},
    )


def renewed(ago: timedelta) -> str:
    return (datetime.now(UTC) - ago).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_a_renewal_tells_how_late_it_came() -> None:
    kept = Kept()
    LeaseLag(kept).append(lease({"renewTime": renewed(timedelta(seconds=90))}))
    (lag,) = kept.events
    assert isinstance(lag, WatchLag)
    assert (lag.time_ns, lag.kind, lag.name) == (7, "Lease", "node-1")
    # what the test itself took is in it as well
    assert 90e9 <= lag.lag_ns < 100e9


def test_what_carries_no_time_tells_nothing() -> None:
    kept = Kept()
    for event in (
        lease({}),
        lease({"renewTime": renewed(timedelta())}, "LISTED"),
        lease({"renewTime": renewed(timedelta())}, "DELETED"),
    ):
        LeaseLag(kept).append(event)
    assert kept.events == []
