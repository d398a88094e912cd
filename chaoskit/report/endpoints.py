"""Spans of the endpoints of each Service: how many pods new connections could be sent to."""

from collections import defaultdict

from chaoskit.guarantees.attribution.endpoints import Endpoints, endpoints_of, members_of_services
from chaoskit.history.events import Watched
from chaoskit.history.reader import History
from chaoskit.report.spans import Span


def endpoint_spans(history: History, end_ns: int) -> dict[str, list[Span]]:
    """Per Service of the run's namespace: `some` endpoints, or `none`; `owner` is their number.

    Headless Services are left out. Raises `RecordError` for an object without metadata.
    """
    pods = {event.uid: event.name for event in history.of(Watched) if event.kind == "Pod"}
    found = endpoints_of(history, members_of_services(history))
    return {
        service: spans
        for service, endpoints in sorted(found.items())
        if (spans := _spans(service, endpoints, pods, end_ns))
    }


def _spans(service: str, endpoints: Endpoints, pods: dict[str, str], end_ns: int) -> list[Span]:
    """Changes of one moment are one: an EndpointSlice tells them together."""
    changes: dict[int, list[tuple[str, bool]]] = defaultdict(list)
    for member in endpoints.members:
        if member.reachable:
            start_ns, stop_ns = member.span
            changes[start_ns].append((member.uid, True))
            if stop_ns <= end_ns:
                changes[stop_ns].append((member.uid, False))
    for start_ns, _ in endpoints.empty:
        changes[start_ns] = changes[start_ns]
    reachable: set[str] = set()
    moments = sorted(changes)
    spans = []
    for moment, following in zip(moments, [*moments[1:], end_ns], strict=True):
        gone = {uid for uid, is_there in changes[moment] if not is_there}
        reachable = (reachable - gone) | {uid for uid, is_there in changes[moment] if is_there}
        names = ", ".join(sorted(pods.get(uid, uid[:8]) for uid in reachable))
        many = f"{len(reachable)} endpoint{'' if len(reachable) == 1 else 's'}"
        spans.append(
            Span(
                start_ns=moment,
                end_ns=following,
                state="some" if reachable else "none",
                title=f"Service {service}: {many}" + (f", {names}" if names else ""),
                owner=str(len(reachable)),
                open_end=following == end_ns,
            )
        )
    return spans
