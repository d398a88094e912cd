"""Which container processes lived when, as read from the nodes themselves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chaoskit.errors import RecordError
from chaoskit.guarantees.damage import has_all_events
from chaoskit.guarantees.intervals import Span, shared, united
from chaoskit.guarantees.objects.watched import Object, changes
from chaoskit.history.events import ContainerScan, ContainerSeen, Watched
from chaoskit.history.reader import History

#: Scans of a node further apart than this leave too much unseen.
LONGEST_SCAN_GAP_NS = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Process:
    """A pod's process: surely alive from `seen_ns` to `last_ns`, at most `after_ns` to `gone_ns`.

    `named`: a status of its pod names its container, so it is the app's. Otherwise it may be the
    sandbox's, which proves nothing.
    """

    pod: str
    pod_uid: str
    node: str
    after_ns: int
    seen_ns: int
    last_ns: int
    gone_ns: int
    still_running: bool
    named: bool

    @property
    def certain(self) -> Span:
        """When it surely lived."""
        return self.seen_ns, self.last_ns

    @property
    def possible(self) -> Span:
        """When it may have lived."""
        return self.after_ns, self.gone_ns


@dataclass(frozen=True)
class Processes:
    """What the scans say about some pods."""

    found: list[Process]
    uids_without_container: set[str]

    def of(self, pod: str) -> dict[str, list[Process]]:
        """The processes of a pod name by uid."""
        result: dict[str, list[Process]] = {}
        for process in self.found:
            if process.pod == pod:
                result.setdefault(process.pod_uid, []).append(process)
        return result


def processes_of(history: History, names: dict[str, str]) -> Processes:
    """The app containers of pods, given as name by uid.

    A container counts when a status of its pod names its id; the sandbox is never named. Of a
    pod none of whose containers was ever named (it was deleted, or its node cut, before it could
    report) all count, as not named.
    Raises `RecordError` for a container that goes without having been there.
    """
    ids = _app_container_ids(changes(history, "Pod"))
    scanned_until = last_scan_ns(history)
    running: dict[tuple[str, str], ContainerSeen] = {}
    found: list[Process] = []
    scanned: set[str] = set()
    for event in history.of(ContainerSeen):
        if event.pod_uid not in names:
            continue
        of_pod = ids.get(event.pod_uid, set())
        if of_pod and event.container_id not in of_pod:
            continue
        scanned.add(event.pod_uid)
        key = event.node, event.container_id
        if event.state == "running":
            running.setdefault(key, event)
            continue
        start = running.pop(key, None)
        if start is None and not has_all_events(history):
            continue
        start = _matching(start, event)
        found.append(_process(names, start, event, named=bool(of_pod)))
    for last in running.values():
        end_ns = max(scanned_until.get(last.node, last.time_ns), last.time_ns)
        found.append(_process(names, last, end_ns, named=bool(ids.get(last.pod_uid))))
    return Processes(found, set(names) - scanned)


def _matching(start: ContainerSeen | None, end: ContainerSeen) -> ContainerSeen:
    if start is None:
        raise RecordError("went without having been there", subject=f"container {end.container_id}")
    if end.before_ns > end.time_ns or end.time_ns < start.time_ns:
        raise RecordError("has scans out of order", subject=f"container {end.container_id}")
    return start


def overlaps(first: Iterable[Span], second: Iterable[Span]) -> list[Span]:
    """The moments at which processes of both lived."""
    return shared(united(first), united(second))


def last_scan_ns(history: History) -> dict[str, int]:
    """When each node was last scanned."""
    last: dict[str, int] = {}
    for scan in history.of(ContainerScan):
        last[scan.node] = max(scan.time_ns, last.get(scan.node, 0))
    return last


def scan_doubts(history: History, nodes: Iterable[str], start_ns: int, end_ns: int) -> list[str]:
    """Why the scans of these nodes between the two moments do not show every process."""
    by_node: dict[str, list[ContainerScan]] = {}
    for scan in history.of(ContainerScan):
        by_node.setdefault(scan.node, []).append(scan)
    return [
        doubt
        for node in sorted(set(nodes))
        for doubt in _node_doubts(node, by_node.get(node, []), start_ns, end_ns)
    ]


def _node_doubts(
    node: str, scans: Sequence[ContainerScan], start_ns: int, end_ns: int
) -> list[str]:
    if not scans:
        return [f"node {node} was never scanned for containers"]
    reached, longest = start_ns, 0
    for scan in scans:
        if scan.time_ns < start_ns or scan.since_ns > end_ns:
            continue
        longest = max(longest, scan.since_ns - reached, scan.longest_gap_ns)
        reached = max(reached, scan.time_ns)
    longest = max(longest, end_ns - reached)
    if longest > LONGEST_SCAN_GAP_NS:
        return [f"node {node} was not scanned for containers for {longest / 1e9:.1f} s"]
    return []


def _process(
    names: dict[str, str], start: ContainerSeen, end: ContainerSeen | int, *, named: bool
) -> Process:
    return Process(
        pod=names[start.pod_uid],
        pod_uid=start.pod_uid,
        node=start.node,
        after_ns=start.before_ns,
        seen_ns=start.time_ns,
        last_ns=end if isinstance(end, int) else max(end.before_ns, start.time_ns),
        gone_ns=end if isinstance(end, int) else end.time_ns,
        still_running=isinstance(end, int),
        named=named,
    )


def _app_container_ids(pods: Iterable[Watched]) -> dict[str, set[str]]:
    ids: dict[str, set[str]] = {}
    for event in pods:
        ids.setdefault(event.uid, set()).update(_ids_in(event.object))
    return ids


def _ids_in(pod: Object) -> Iterable[str]:
    for status in (pod.get("status") or {}).get("containerStatuses") or []:
        past = [(status.get(name) or {}).get("terminated") or {} for name in ("state", "lastState")]
        for place in (status, *past):
            if place.get("containerID"):
                yield str(place["containerID"]).rsplit("/", 1)[-1]
