"""Processes on the nodes by the name their pod bears: where duplicates show."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from chaoskit.history.events import ContainerSeen, Watched
from chaoskit.report.objects import NOT_DRAWN
from chaoskit.report.spans import Span


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A name that processes on the nodes carry, with one span per incarnation and node.

    `overlaps` are the moments at which two incarnations were surely alive at once.
    """

    name: str
    spans: tuple[Span, ...]
    overlaps: tuple[tuple[int, int], ...]


@dataclass(kw_only=True)
class _Alive:
    """The span from the first container of a pod seen on a node to the last one gone."""

    node: str
    pod_uid: str
    running: dict[str, int] = field(default_factory=dict)
    since_ns: int = 0
    spans: list[tuple[int, int, bool]] = field(default_factory=list)


def identities(
    seen: Iterable[ContainerSeen], watched: Sequence[Watched], end_ns: int
) -> list[Identity]:
    """Processes by the name their pod bears, for names that should have one incarnation.

    Those are pods of StatefulSets and names that the record shows with more than one UID. A span
    holds only moments at which a process was surely alive: from the scan that found it to the
    last scan before it was found gone.
    """
    names, wanted = _names_of_interest(watched)
    by_name: dict[str, list[Span]] = defaultdict(list)
    for alive in _alive(seen, end_ns):
        name = names.get(alive.pod_uid)
        if name is None or name not in wanted:
            continue
        by_name[name] += [
            Span(
                start_ns=start_ns,
                end_ns=stop_ns,
                state="alive",
                title=f"process of {name} alive on {alive.node}, UID {alive.pod_uid[:8]}",
                owner=alive.pod_uid,
                open_end=open_end,
            )
            for start_ns, stop_ns, open_end in alive.spans
        ]
    return [
        Identity(
            name=name,
            spans=tuple(sorted(spans, key=lambda s: s.start_ns)),
            overlaps=_overlaps(spans),
        )
        for name, spans in sorted(by_name.items())
    ]


def _names_of_interest(watched: Sequence[Watched]) -> tuple[dict[str, str], set[str]]:
    names: dict[str, str] = {}
    uids: dict[str, set[str]] = defaultdict(set)
    wanted = set()
    for event in watched:
        if event.kind != "Pod" or event.namespace in NOT_DRAWN:
            continue
        name = f"{event.namespace}/{event.name}"
        names[event.uid] = name
        uids[name].add(event.uid)
        owners = event.object.get("metadata", {}).get("ownerReferences") or []
        if len(uids[name]) > 1 or any(o.get("kind") == "StatefulSet" for o in owners):
            wanted.add(name)
    return names, wanted


def _alive(seen: Iterable[ContainerSeen], end_ns: int) -> list[_Alive]:
    by_pod: dict[tuple[str, str], _Alive] = {}
    for event in sorted(seen, key=lambda e: e.time_ns):
        place = (event.node, event.pod_uid)
        alive = by_pod.setdefault(place, _Alive(node=event.node, pod_uid=event.pod_uid))
        if event.state == "running":
            if not alive.running:
                alive.since_ns = event.time_ns
            alive.running[event.container_id] = event.time_ns
        elif alive.running.pop(event.container_id, None) is not None and not alive.running:
            alive.spans.append((alive.since_ns, max(event.before_ns, alive.since_ns), False))
    for alive in by_pod.values():
        if alive.running:
            alive.spans.append((alive.since_ns, end_ns, True))
    return list(by_pod.values())


def _overlaps(spans: Iterable[Span]) -> tuple[tuple[int, int], ...]:
    """The stretches during which spans of two owners hold at once."""
    edges = sorted(
        [(s.start_ns, 1, s.owner) for s in spans] + [(s.end_ns, -1, s.owner) for s in spans]
    )
    alive: dict[str, int] = defaultdict(int)
    found: list[tuple[int, int]] = []
    since_ns: int | None = None
    for time_ns, change, owner in edges:
        alive[owner] += change
        owners = sum(1 for count in alive.values() if count > 0)
        if owners > 1 and since_ns is None:
            since_ns = time_ns
        elif owners <= 1 and since_ns is not None:
            if time_ns > since_ns:
                found.append((since_ns, time_ns))
            since_ns = None
    return tuple(found)
