"""Where Services sent their connections: the endpoints over time, as the watch saw them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from chaoskit.guarantees.intervals import FOREVER_NS, Span
from chaoskit.guarantees.objects.watched import Object, changes, in_namespace
from chaoskit.history.events import Watched
from chaoskit.history.reader import History

_SERVICE_LABEL = "kubernetes.io/service-name"
_HEADLESS_LABEL = "service.kubernetes.io/headless"


class Membership(NamedTuple):
    """A pod was an endpoint of a Service for a while.

    `reachable`: new connections could be sent to it, as it was ready, or as none was and it still
    served while it went away (KEP-1669).
    """

    uid: str
    span: Span
    reachable: bool


@dataclass
class Endpoints:
    """The endpoints of one Service: its members, the times without any that could be reached,
    and the moments at which one became reachable.
    """

    members: list[Membership] = field(default_factory=list)
    empty: list[Span] = field(default_factory=list)
    joined_ns: list[int] = field(default_factory=list)


def members_of_services(history: History) -> dict[str, set[str]]:
    """The uids of all pods that ever were endpoints of each Service of the run's namespace.

    Headless ones are left out: nothing is sent through them.
    """
    members: dict[str, set[str]] = {}
    for event in _slices(history):
        uids = members.setdefault(_service_of(event), set())
        uids.update(uid for uid, *_ in _endpoints(event.object))
    return members


def endpoints_of(history: History, services: Collection[str]) -> dict[str, Endpoints]:
    """The endpoints of these Services over time."""
    tellings = {service: _Telling() for service in services}
    for event in _slices(history):
        telling = tellings.get(_service_of(event))
        if telling is not None:
            telling.add(event)
    return {service: telling.endpoints() for service, telling in tellings.items()}


class _Endpoint(NamedTuple):
    uid: str
    ready: bool
    serving: bool


@dataclass
class _Telling:
    """What is known of one Service so far."""

    slices: dict[str, list[_Endpoint]] = field(default_factory=dict)
    since: dict[str, tuple[int, bool]] = field(default_factory=dict)
    empty_ns: int | None = None
    found: Endpoints = field(default_factory=Endpoints)

    def add(self, event: Watched) -> None:
        """Take in the next change of one of its slices."""
        if event.change == "DELETED":
            self.slices.pop(event.uid, None)
        else:
            self.slices[event.uid] = list(_endpoints(event.object))
        self._become(event.time_ns, self._state(), was_there=event.change == "LISTED")

    def endpoints(self) -> Endpoints:
        """All that was told."""
        for uid, (start_ns, reachable) in self.since.items():
            self.found.members.append(Membership(uid, (start_ns, FOREVER_NS), reachable))
        if self.empty_ns is not None:
            self.found.empty.append((self.empty_ns, FOREVER_NS))
        return self.found

    def _state(self) -> dict[str, bool]:
        """Each member, and whether new connections can be sent to it."""
        every = [endpoint for of_slice in self.slices.values() for endpoint in of_slice]
        reached = [e.uid for e in every if e.ready] or [e.uid for e in every if e.serving]
        return {e.uid: False for e in every} | dict.fromkeys(reached, True)

    def _become(self, time_ns: int, state: dict[str, bool], *, was_there: bool) -> None:
        for uid, (start_ns, reachable) in list(self.since.items()):
            if state.get(uid) is not reachable:
                self.found.members.append(Membership(uid, (start_ns, time_ns), reachable))
                del self.since[uid]
        for uid, reachable in state.items():
            if uid not in self.since:
                self.since[uid] = time_ns, reachable
                if reachable and not was_there:
                    self.found.joined_ns.append(time_ns)
        if any(state.values()):
            if self.empty_ns is not None:
                self.found.empty.append((self.empty_ns, time_ns))
                self.empty_ns = None
        elif self.empty_ns is None:
            self.empty_ns = time_ns


def _slices(history: History) -> list[Watched]:
    events = in_namespace(changes(history, "EndpointSlice"), history)
    return [
        event
        for event in events
        if _service_of(event) and _HEADLESS_LABEL not in _labels(event.object)
    ]


def _service_of(event: Watched) -> str:
    return str(_labels(event.object).get(_SERVICE_LABEL, ""))


def _labels(obj: Object) -> Object:
    labels: Object = obj["metadata"].get("labels") or {}
    return labels


def _endpoints(obj: Object) -> Iterable[_Endpoint]:
    """The pods in a slice. A condition that is not told counts as true (discovery/v1)."""
    for endpoint in obj.get("endpoints") or []:
        target = endpoint.get("targetRef") or {}
        if target.get("kind") != "Pod":
            continue
        conditions = endpoint.get("conditions") or {}
        ready = conditions.get("ready")
        serving = conditions.get("serving")
        is_up = ready is not False
        yield _Endpoint(str(target.get("uid")), is_up, is_up if serving is None else bool(serving))
