"""How pods ended: when that was asked, what grace it left, and when containers and objects went."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from chaoskit.guarantees.objects.availability_over_time import SLACK_NS, wall_offset_ns
from chaoskit.guarantees.objects.watched import Object, condition, is_finished, is_leaving, steps
from chaoskit.history.events import ContainerSeen, Watched
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class ContainerLife:
    """A container on a node: surely alive from `seen_ns` to `last_ns`, and not after `gone_ns`.

    `gone_ns` None: it was never seen gone.
    """

    seen_ns: int
    last_ns: int
    gone_ns: int | None


@dataclass(frozen=True, kw_only=True)
class ContainerExit:
    """How a status says that a container ended; `by_ns`: not later than that."""

    code: int
    reason: str
    by_ns: int | None


@dataclass(frozen=True, kw_only=True)
class Termination:
    """A pod that was deleted with some grace.

    `asked_ns`: when that was seen; `asked_after_ns`: it was not asked before that. `due_ns`: when
    the grace ends, counted from when it was seen (a later deletion may shorten it);
    `kill_from_ns`: the grace surely does not end before that. `released_ns`: when the kubelet, or
    whoever, let the object go. `states`: all that was seen of it.
    """

    pod: str
    uid: str
    node: str
    grace_s: int
    asked_ns: int
    asked_after_ns: int
    due_ns: int
    kill_from_ns: int
    released_ns: int | None
    states: list[Watched]

    @property
    def before(self) -> Object:
        """The pod as it was before its deletion was asked."""
        return [e for e in self.states if not is_leaving(e.object)][-1].object

    @property
    def disruption(self) -> str:
        """The reason of its condition DisruptionTarget, if it has any."""
        return str(condition(self.states[-1].object, "DisruptionTarget").get("reason") or "")

    @property
    def spec(self) -> Object:
        """The pod's spec."""
        spec: Object = self.before["spec"]
        return spec

    def running_before(self) -> dict[str, str]:
        """The app containers that ran when its deletion was asked, by id."""
        return {
            _bare(status["containerID"]): str(status.get("name"))
            for status in _statuses(self.before)
            if (status.get("state") or {}).get("running") is not None and status.get("containerID")
        }

    def exits(self, offset_ns: int | None) -> dict[str, ContainerExit]:
        """How its containers ended, by id. `offset_ns`: wall minus monotonic time."""
        return {
            _bare(end["containerID"]): ContainerExit(
                code=int(end.get("exitCode", 0)),
                reason=str(end.get("reason") or ""),
                by_ns=_moment(end.get("finishedAt"), offset_ns, later_ns=1_000_000_000),
            )
            for event in self.states
            for status in _statuses(event.object)
            for end in _ends(status)
            if end.get("containerID")
        }


@dataclass(frozen=True, kw_only=True)
class Terminations:
    """The pods of a workload that were deleted.

    `ordinary`: with grace. `forced`: without, or released before their time by a forced deletion.
    `idle`: those that never ran or had finished; the API server lets them go at once. `earlier`:
    those whose deletion was asked before they were watched.
    """

    ordinary: list[Termination]
    forced: int
    idle: int
    earlier: list[str]


def terminations_of(history: History, pods: Iterable[Watched]) -> Terminations:
    """How these pods ended; `pods` are in resourceVersion order."""
    offset_ns = wall_offset_ns(history)
    by_uid: dict[str, list[Watched]] = {}
    for event in pods:
        by_uid.setdefault(event.uid, []).append(event)
    ordinary: list[Termination] = []
    forced = idle = 0
    earlier: list[str] = []
    for events in by_uid.values():
        leaving = [e for e in events if _is_going(e)]
        if not leaving:
            continue
        before = [e for e in events if not _is_going(e)]
        if not before:
            earlier.append(leaving[0].name)
        elif leaving[0].change == "DELETED" or _grace_s(leaving[0]) == 0:
            ran = not is_finished(before[-1].object) and _has_run(before[-1].object)
            forced, idle = forced + ran, idle + (not ran)
        else:
            found = _termination(events, leaving, offset_ns)
            if _was_forced(history, found):
                forced += 1
            else:
                ordinary.append(found)
    return Terminations(ordinary=ordinary, forced=forced, idle=idle, earlier=earlier)


def lives_of(history: History, uids: Iterable[str]) -> dict[str, dict[str, ContainerLife]]:
    """The containers of these pods as the scans of their nodes saw them, by pod uid and id."""
    wanted = set(uids)
    lives: dict[str, dict[str, ContainerLife]] = {}
    for event in history.of(ContainerSeen):
        if event.pod_uid not in wanted:
            continue
        of_pod = lives.setdefault(event.pod_uid, {})
        before = of_pod.get(event.container_id)
        if event.state == "running":
            of_pod[event.container_id] = ContainerLife(
                seen_ns=event.time_ns if before is None else before.seen_ns,
                last_ns=event.time_ns,
                gone_ns=None,
            )
        elif before is not None:
            last_ns = max(before.last_ns, event.before_ns)
            of_pod[event.container_id] = ContainerLife(
                seen_ns=before.seen_ns, last_ns=last_ns, gone_ns=event.time_ns
            )
    return lives


def _termination(
    events: list[Watched], leaving: list[Watched], offset_ns: int | None
) -> Termination:
    first = leaving[0]
    ends_at = [n for n, e in enumerate(leaving) if e.change == "DELETED" or _grace_s(e) == 0]
    end = leaving[ends_at[0]] if ends_at else None
    asked = leaving[: ends_at[0]] if ends_at else leaving
    graces = [(e, _grace_s(e) * 1_000_000_000) for e in asked]
    # The API server writes the end of the grace in whole seconds, cut off: so it is not earlier.
    ends = [
        e.time_ns + grace_ns - SLACK_NS if at_ns is None else at_ns
        for e, grace_ns in graces
        for at_ns in (_moment(e.object["metadata"].get("deletionTimestamp"), offset_ns),)
    ]
    return Termination(
        pod=first.name,
        uid=first.uid,
        node=str(first.object["spec"].get("nodeName") or ""),
        grace_s=min(_grace_s(e) for e in asked),
        asked_ns=first.time_ns,
        asked_after_ns=min(first.time_ns, ends[0] - graces[0][1]),
        due_ns=min(e.time_ns + grace_ns for e, grace_ns in graces),
        kill_from_ns=min(ends),
        released_ns=None if end is None else end.time_ns,
        states=events,
    )


def _was_forced(history: History, found: Termination) -> bool:
    """Whether a step, or the garbage collection of pods, let the object go without its kubelet."""
    if found.disruption == "DeletionByPodGC":
        return True
    return any(
        step.force
        and step.started_ns >= found.asked_ns
        and (found.released_ns is None or step.started_ns <= found.released_ns)
        for step in steps(history, "delete", found.pod)
    )


def _is_going(event: Watched) -> bool:
    return event.change == "DELETED" or is_leaving(event.object)


def _grace_s(event: Watched) -> int:
    metadata, spec = event.object["metadata"], event.object["spec"]
    grace = metadata.get("deletionGracePeriodSeconds")
    return int(spec.get("terminationGracePeriodSeconds", 30) if grace is None else grace)


def _has_run(pod: Object) -> bool:
    return any(status.get("containerID") for status in _statuses(pod))


def _statuses(pod: Object) -> list[Object]:
    statuses: list[Object] = (pod.get("status") or {}).get("containerStatuses") or []
    return statuses


def _ends(status: Object) -> list[Object]:
    states = (status.get(name) or {} for name in ("state", "lastState"))
    return [state["terminated"] for state in states if state.get("terminated")]


def _bare(container_id: object) -> str:
    return str(container_id).rsplit("/", 1)[-1]


def _moment(stamp: object, offset_ns: int | None, *, later_ns: int = 0) -> int | None:
    """A stamp in whole seconds as a monotonic moment; None when it cannot be told."""
    if offset_ns is None or not isinstance(stamp, str):
        return None
    wall_s = int(datetime.fromisoformat(stamp).timestamp())
    return wall_s * 1_000_000_000 - offset_ns + later_ns
