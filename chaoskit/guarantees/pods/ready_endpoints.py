"""When pods were ready endpoints of Services, as their EndpointSlices said."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from chaoskit.guarantees.intervals import FOREVER_NS, Span
from chaoskit.guarantees.objects.watched import Object, changes, in_namespace
from chaoskit.history.events import Watched
from chaoskit.history.reader import History

_SERVICE = "kubernetes.io/service-name"


@dataclass
class ReadyEndpoint:
    """A pod in one EndpointSlice, and when it was ready there (to FOREVER_NS: it still is)."""

    slice: str
    spans: list[Span] = field(default_factory=list)


def slices_of(history: History, uids: Collection[str]) -> list[Watched]:
    """Every change of the EndpointSlices that ever listed one of these pods.

    Slices of Services with publishNotReadyAddresses are left out: their endpoints are always
    ready.
    """
    publishing = {
        (event.namespace, event.name)
        for event in changes(history, "Service")
        if (event.object.get("spec") or {}).get("publishNotReadyAddresses")
    }
    events = [
        event
        for event in in_namespace(changes(history, "EndpointSlice"), history)
        if (event.namespace, service_of(event)) not in publishing
    ]
    listing = {e.uid for e in events if any(uid in uids for uid, _ready in endpoints_in(e.object))}
    return [event for event in events if event.uid in listing]


def ready_endpoints(slices: list[Watched]) -> dict[str, list[ReadyEndpoint]]:
    """When which pods were ready, by uid; `slices` are in resourceVersion order."""
    found: dict[tuple[str, str], ReadyEndpoint] = {}
    for event in slices:
        gone = event.change == "DELETED"
        ready = {uid for uid, is_ready in endpoints_in(event.object) if is_ready and not gone}
        for uid in ready:
            key = event.uid, uid
            spans = found.setdefault(key, ReadyEndpoint(event.name)).spans
            if not spans or spans[-1][1] != FOREVER_NS:
                spans.append((event.time_ns, FOREVER_NS))
        for (slice_uid, uid), endpoint in found.items():
            if slice_uid == event.uid and uid not in ready:
                start, end = endpoint.spans[-1]
                endpoint.spans[-1] = start, min(end, event.time_ns)
    by_uid: dict[str, list[ReadyEndpoint]] = {}
    for (_slice, uid), endpoint in found.items():
        by_uid.setdefault(uid, []).append(endpoint)
    return by_uid


def service_of(event: Watched) -> str:
    """The name of the Service that an EndpointSlice is of."""
    return str((event.object["metadata"].get("labels") or {}).get(_SERVICE))


def endpoints_in(endpoint_slice: Object) -> Iterator[tuple[str, bool]]:
    """The pods it lists, each with whether it is ready (a missing condition means true)."""
    for endpoint in endpoint_slice.get("endpoints") or []:
        uid = (endpoint.get("targetRef") or {}).get("uid")
        ready = (endpoint.get("conditions") or {}).get("ready")
        if uid is not None:
            yield str(uid), ready is None or bool(ready)
