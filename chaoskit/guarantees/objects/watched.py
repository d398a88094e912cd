"""Kubernetes objects over time, as the watches saw them, in resourceVersion order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from chaoskit.errors import RecordError
from chaoskit.guarantees.conclusion import Findings
from chaoskit.guarantees.damage import has_all_events
from chaoskit.history.events import StepMark, Watched, WatchGap, WatchStarted
from chaoskit.history.reader import History

Object = dict[str, Any]


class Named(Protocol):
    """A node, a pod, a reference: whatever has a name."""

    @property
    def name(self) -> str: ...


@runtime_checkable
class Referenced(Protocol):
    """A workload: whatever has a reference to a Kubernetes object."""

    @property
    def ref(self) -> Named: ...


Subject = str | Named | Referenced


def name_of(subject: Subject) -> str:
    """The bare name of a workload, node or pod, or of text such as "Deployment web"."""
    if isinstance(subject, Referenced):
        return subject.ref.name
    text = subject if isinstance(subject, str) else subject.name
    return text.replace("/", " ").rsplit(" ", 1)[-1]


def kind_of(subject: Subject, otherwise: str) -> str:
    """The Kubernetes kind that a workload's reference names, if it names one."""
    reference = subject.ref if isinstance(subject, Referenced) else None
    return str(getattr(reference, "kind", otherwise))


def changes(history: History, *kinds: str) -> list[Watched]:
    """All changes of objects of these kinds, in resourceVersion order, each once.

    Raises `RecordError` for an object without metadata.
    """
    seen: set[tuple[str, int, bool]] = set()
    result = []
    for event in history.of(Watched):
        if event.kind not in kinds:
            continue
        if not isinstance(event.object.get("metadata"), dict):
            raise RecordError("has no metadata", subject=f"watched {event.kind} {event.name}")
        identity = (event.uid, event.resource_version, event.change == "DELETED")
        if identity not in seen:
            seen.add(identity)
            result.append(event)
    return sorted(result, key=lambda event: event.resource_version)


def in_namespace(events: Iterable[Watched], history: History) -> list[Watched]:
    """Those of the run's own namespace (all, when the record does not name one)."""
    namespace = history.info.namespace if history.info is not None else ""
    return [event for event in events if not namespace or event.namespace == namespace]


def require_watched(
    found: Findings,
    history: History,
    uids: Iterable[str],
    kinds: Sequence[str],
    *,
    start_ns: int | None = None,
    end_ns: int | None = None,
) -> None:
    """Doubt, and accuse no more, where changes of these objects may be missing from the record.

    A gap in a watch harms only the objects that changed, came or went in it; one that is nowhere
    else in the record may have been of any workload. The moments limit lost chunks (None: no
    limit).
    """
    started = {event.kind for event in history.of(WatchStarted)}
    found.doubt(*(f"{kind}s were not watched" for kind in kinds if kind not in started))
    known = {event.uid for event in history.of(Watched)}
    concerned = set(uids)
    for gap in history.of(WatchGap):
        if gap.kind in kinds and any(u in concerned or u not in known for u in gap.uids):
            found.doubt(f"the watch of {gap.kind}s has a gap ({gap.reason})")
            found.go_blind(gap.since_ns)
    for damage in history.damage:
        if damage.holds == "events" and damage.overlaps(start_ns, end_ns):
            found.doubt(f"events may be missing: {damage.file}: {damage.detail}")
            found.go_blind(damage.since_ns)


def watched_from(history: History, *kinds: str) -> int:
    """The resourceVersion from which on those of these kinds that were watched all were.

    `require_watched` is what doubts a record in which one never was.
    """
    first: dict[str, int] = {}
    for event in history.of(WatchStarted):
        first.setdefault(event.kind, event.resource_version)
    return max((first.get(kind, 0) for kind in kinds), default=0)


def owner(obj: Object, kind: str) -> Object | None:
    """The owner reference of that kind which controls the object."""
    references: list[Object] = obj["metadata"].get("ownerReferences") or []
    for reference in references:
        if reference.get("kind") == kind and reference.get("controller", False):
            return reference
    return None


def condition(obj: Object, name: str) -> Object:
    """A status condition; empty when the object does not have it."""
    conditions: list[Object] = (obj.get("status") or {}).get("conditions") or []
    return next((entry for entry in conditions if entry.get("type") == name), {})


def is_ready(obj: Object) -> bool:
    """Whether the condition Ready is True."""
    return condition(obj, "Ready").get("status") == "True"


def is_leaving(obj: Object) -> bool:
    """Whether it has a deletionTimestamp."""
    return obj["metadata"].get("deletionTimestamp") is not None


def is_finished(pod: Object) -> bool:
    """Whether it ended for good."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def container_statuses(pod: Object) -> list[Object]:
    """The statuses of its app containers."""
    statuses: list[Object] = (pod.get("status") or {}).get("containerStatuses") or []
    return statuses


def template_of(obj: Object) -> Object:
    """The pod template of a workload, without the hash that its controller adds."""
    template = dict(obj["spec"]["template"])
    metadata = {k: v for k, v in (template.get("metadata") or {}).items() if v is not None}
    labels = dict(metadata.get("labels") or {})
    labels.pop("pod-template-hash", None)
    template["metadata"] = {**metadata, "labels": labels}
    return template


@dataclass(frozen=True)
class Owned:
    """The pods of a workload: every change of every one of them, and what they hang on."""

    workload: list[Watched]
    replica_sets: dict[str, Watched]
    pods: list[Watched]

    @property
    def uids(self) -> set[str]:
        """The workload, its ReplicaSets and pods."""
        return {event.uid for event in (*self.workload, *self.pods)} | set(self.replica_sets)

    def replica_set_of(self, pod: Watched) -> str | None:
        """The uid of the ReplicaSet that controls a pod."""
        reference = owner(pod.object, "ReplicaSet")
        return None if reference is None else str(reference.get("uid"))


def owned_by(history: History, kind: str, name: str) -> Owned:
    """A workload's changes, its ReplicaSets (last seen state, by uid), and its pods' changes."""
    workload = [e for e in in_namespace(changes(history, kind), history) if e.name == name]
    uids = {event.uid for event in workload}
    sets = {
        event.uid: event
        for event in changes(history, "ReplicaSet")
        if (owner(event.object, kind) or {}).get("uid") in uids
    }
    pods = []
    for event in changes(history, "Pod"):
        direct = owner(event.object, kind)
        through = owner(event.object, "ReplicaSet")
        if (direct and direct.get("uid") in uids) or (through and through.get("uid") in sets):
            pods.append(event)
    return Owned(workload, sets, pods)


def latest(events: Iterable[Watched], at_ns: int | None = None) -> dict[str, Watched]:
    """The last state of each object seen by `at_ns` (None: at all), by uid, deleted ones left out.

    `events` are in resourceVersion order.
    """
    state: dict[str, Watched] = {}
    for event in events:
        if at_ns is not None and event.time_ns > at_ns:
            continue
        if event.change == "DELETED":
            state.pop(event.uid, None)
        else:
            state[event.uid] = event
    return state


@dataclass(frozen=True, kw_only=True)
class Step:
    """An operator's action: when it began and, if it did, ended."""

    step_id: str
    name: str
    target: str
    started_ns: int
    done_ns: int | None
    failed: bool
    force: bool


def steps(history: History, name: str, target: str) -> list[Step]:
    """The steps of that name on that object, by time. Raises `RecordError` for an end alone."""
    marks: dict[str, list[StepMark]] = {}
    for mark in history.of(StepMark):
        if mark.name == name and name_of(mark.target) == target:
            marks.setdefault(mark.step_id, []).append(mark)
    whole = has_all_events(history)
    return [
        _step(step_id, of_one)
        for step_id, of_one in marks.items()
        if whole or of_one[0].mark == "started"
    ]


def _step(step_id: str, marks: Sequence[StepMark]) -> Step:
    first = marks[0]
    if first.mark != "started":
        raise RecordError("ended but never started", subject=f"step {step_id} ({first.name})")
    end = next((mark for mark in marks if mark.mark != "started"), None)
    return Step(
        step_id=step_id,
        name=first.name,
        target=first.target,
        started_ns=first.time_ns,
        done_ns=end.time_ns if end is not None and end.mark == "done" else None,
        failed=end is not None and end.mark == "failed",
        force=first.force,
    )
