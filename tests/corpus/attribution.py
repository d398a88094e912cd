"""A Service in front of three pods on three nodes, and requests to it that fail in some way."""

from collections.abc import Sequence
from typing import Any, Literal

from chaoskit.history.requests import RequestRow
from tests.corpus.objects import node, pod
from tests.corpus.requests import load_marks, steady
from tests.corpus.story import NAMESPACE, Story
from tests.corpus.times import at

Object = dict[str, Any]
State = Literal["ready", "starting", "terminating", "gone"]

SERVICE = "web"
PODS = {"web-1": "n1", "web-2": "n2", "web-3": "n3"}

_CONDITIONS = {
    "ready": {"ready": True, "serving": True, "terminating": False},
    "starting": {"ready": False, "serving": False, "terminating": False},
    "terminating": {"ready": False, "serving": True, "terminating": True},
    "gone": {"ready": False, "serving": False, "terminating": True},
}


def endpoint_slice(
    states: dict[str, State], *, service: str = SERVICE, labels: dict[str, str] | None = None
) -> Object:
    """The one EndpointSlice of a Service; `states` of its pods."""
    return {
        "metadata": {
            "uid": f"uid-slice-{service}",
            "name": f"{service}-abcde",
            "namespace": NAMESPACE,
            "labels": {"kubernetes.io/service-name": service, **(labels or {})},
        },
        "endpoints": [
            {
                "conditions": _CONDITIONS[state],
                "targetRef": {"kind": "Pod", "name": name, "uid": f"uid-{name}"},
            }
            for name, state in states.items()
        ],
    }


def web_pod(
    name: str,
    *,
    node: str | None = None,
    ready: bool = True,
    leaving: bool = False,
    restarts: int = 0,
    ended: str | None = None,
    phase: str = "Running",
    reason: str | None = None,
    probes: Object | None = None,
    revision: str = "5d4f",
) -> Object:
    """A pod of the Deployment web; `ended`: why its container's last run did, say "OOMKilled"."""
    made = pod(
        name,
        ready_since=-60 if ready else None,
        leaving=leaving,
        restarts=restarts,
        node=node or PODS[name],
    )
    made["metadata"]["labels"] = {"pod-template-hash": revision}
    made["spec"]["containers"] = [{"name": "app", "image": "app:v1", **(probes or {})}]
    made["status"]["phase"] = phase
    if reason is not None:
        made["status"]["reason"] = reason
    if ended is not None:
        last = {"terminated": {"reason": ended, "exitCode": 137}}
        made["status"]["containerStatuses"][0]["lastState"] = last
    return made


def web() -> Story:
    """Three ready pods behind the Service, all watched from a second before the story on."""
    story = Story().clock()
    for name in PODS.values():
        story.watched(-2, "Node", node(name), "LISTED")
    for name in PODS:
        story.watched(-2, "Pod", web_pod(name), "LISTED")
    all_ready: dict[str, State] = dict.fromkeys(PODS, "ready")
    story.watched(-2, "EndpointSlice", endpoint_slice(all_ready), "LISTED")
    return story.watching("Pod", "EndpointSlice", "Node", second=-1)


def without(name: str) -> dict[str, State]:
    """The states of all pods but one, which are ready."""
    return {other: "ready" for other in PODS if other != name}


def asked(
    *,
    connection: str = "new",
    seconds: float = 30,
    rate_per_s: float = 20,
    load: str = "load-1",
    entry: str = "n1",
) -> list[RequestRow]:
    """Requests on one stream, answered by the three pods in turn."""
    rows = steady(
        seconds=seconds,
        rate_per_s=rate_per_s,
        load=load,
        stream=f"{connection} via {entry}",
        connection=connection,
    )
    names = list(PODS)
    return [
        row._replace(
            entry=entry,
            pod=names[row.slot % 3],
            pod_uid=f"uid-{names[row.slot % 3]}",
            connection_id=row.slot if connection == "new" else row.slot % 3,
            connected_ns=row.connected_ns if connection == "new" else None,
        )
        for row in rows
    ]


def failing(
    rows: Sequence[RequestRow],
    start_s: float,
    end_s: float | None = None,
    error: str | None = "refused/connect",
    *,
    took_s: float = 0.005,
    outcome: str = "fail",
) -> list[RequestRow]:
    """The same rows, those planned in [start, end) failed with this class of error.

    Without an end: the first one from `start_s` on. "status 503" is an answer: it names its pod.
    """
    first_ns = min(row.planned_ns for row in rows if row.planned_ns >= at(start_s))
    beyond_ns = first_ns + 1 if end_s is None else at(end_s)
    answered = error is not None and error.startswith("status")
    name, _, phase = (error or "").partition("/")

    def failed(row: RequestRow) -> RequestRow:
        end_ns = None if outcome == "unsent" else row.planned_ns + round(took_s * 1e9)
        return row._replace(
            outcome=outcome,
            status=int(name.split()[1]) if answered else None,
            error="status" if answered else name or None,
            error_phase=phase or None,
            sent_ns=None if outcome == "unsent" else row.sent_ns,
            end_ns=end_ns,
            pod=row.pod if answered else None,
            pod_uid=row.pod_uid if answered else None,
            revision=row.revision if answered else None,
        )

    return [failed(row) if at(start_s) <= row.planned_ns < beyond_ns else row for row in rows]


def whole(story: Story, rows: Sequence[RequestRow]) -> Story:
    """The story with the marks of the loads that sent these rows, from start to end."""
    for load in sorted({row.load for row in rows}):
        story.events += load_marks([row for row in rows if row.load == load])
    return story
