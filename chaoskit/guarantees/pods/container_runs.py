"""The runs of a pod's containers, one after the other, as its statuses told them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from chaoskit.guarantees.objects.watched import Object
from chaoskit.history.events import Watched

_BACKING_OFF = "CrashLoopBackOff"


@dataclass(kw_only=True)
class Run:
    """One run of a container, from its start to its end.

    `number`: how often the container had been restarted before; None where that cannot be told.
    `started_s`, `finished_s`: wall time in whole seconds, as Kubernetes gives them (cut off);
    `seen_ns`, `ended_seen_ns`: when the run, and its end, were first told.
    """

    number: int | None
    seen_ns: int
    started_s: int | None = None
    finished_s: int | None = None
    ended_seen_ns: int | None = None
    exit_code: int = 0


@dataclass(kw_only=True)
class Container:
    """A container of a pod: its runs by id, and what was last seen of it.

    `is_new`: no restart came before what was seen of it. `changed`: the numbers of the runs that
    came with another image or other resources than the run before. `hindered`: the numbers of
    those that had to wait for something else than the back-off (a pull, a volume).
    """

    pod: str
    pod_uid: str
    name: str
    is_new: bool
    last: Watched
    status: Object
    runs: dict[str, Run] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)
    hindered: set[int] = field(default_factory=set)
    key: str = ""

    @property
    def node(self) -> str:
        """The node that it is on."""
        return str(self.last.object["spec"].get("nodeName") or "")

    @property
    def spec(self) -> Object:
        """Its entry in the pod's spec."""
        spec = self.last.object["spec"]
        every = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
        return next((each for each in every if each.get("name") == self.name), {})

    @property
    def is_backing_off(self) -> bool:
        """Whether it has ended, and waits to be restarted."""
        state = self.status.get("state") or {}
        waits = (state.get("waiting") or {}).get("reason") == _BACKING_OFF
        return waits or state.get("terminated") is not None

    @property
    def should_restart(self) -> bool:
        """Whether its restart policy asks for another run after the last one."""
        pod = self.last.object["spec"]
        inits = [each.get("name") for each in pod.get("initContainers") or []]
        policy = self.spec.get("restartPolicy") or pod.get("restartPolicy", "Always")
        runs = self.numbered()
        failed = bool(runs) and runs[-1].exit_code != 0
        if policy == "Always" and (self.name not in inits or self.spec.get("restartPolicy")):
            return True
        return policy != "Never" and failed

    def numbered(self) -> list[Run]:
        """Its runs in their order, those without a number left out."""
        known = [run for run in self.runs.values() if run.number is not None]
        return sorted(known, key=lambda run: run.number or 0)

    def pairs(self) -> list[tuple[Run, Run]]:
        """Each run and the next one known; runs between them may be missing."""
        return list(pairwise(self.numbered()))


def containers_of(pods: Iterable[Watched]) -> list[Container]:
    """The containers of these pods, init containers too, with all their runs."""
    found: dict[tuple[str, str], Container] = {}
    for event in pods:
        for status in statuses_of(event.object):
            name = str(status["name"])
            container = found.get((event.uid, name))
            if container is None:
                container = found[event.uid, name] = Container(
                    pod=event.name,
                    pod_uid=event.uid,
                    name=name,
                    is_new=restart_count(status) == 0,
                    last=event,
                    status=status,
                )
            container.last, container.status = event, status
            _take(container, event, status)
    return list(found.values())


def statuses_of(pod: Object) -> Iterator[Object]:
    """The statuses of all its containers, init containers first."""
    status = pod.get("status") or {}
    for group in ("initContainerStatuses", "containerStatuses"):
        yield from status.get(group) or []


def restart_count(status: Object) -> int:
    """How often the container was restarted."""
    return int(status.get("restartCount", 0))


def whole_seconds(stamp: object) -> int | None:
    """A time as Kubernetes writes it; None where there is none."""
    return int(datetime.fromisoformat(stamp).timestamp()) if isinstance(stamp, str) else None


def _take(container: Container, event: Watched, status: Object) -> None:
    count = restart_count(status)
    state, last = status.get("state") or {}, status.get("lastState") or {}
    running, ended, before = state.get("running"), state.get("terminated"), last.get("terminated")
    waits_for = (state.get("waiting") or {}).get("reason")
    if running is not None and status.get("containerID"):
        run = _run(container, status["containerID"], count, event.time_ns)
        run.started_s = whole_seconds(running.get("startedAt"))
    if ended is not None:
        _end(container, ended, count, event.time_ns)
    if before is not None:
        # One that waits for its back-off was not made again yet: its last run has its count.
        made = count - 1 if running is not None or ended is not None else None
        number = count if waits_for == _BACKING_OFF else made
        _end(container, before, number, event.time_ns)
    if waits_for and waits_for != _BACKING_OFF and container.runs:
        container.hindered.add(count + 1)
    key = f"{container.spec.get('image')} {container.spec.get('resources')}"
    if container.key and key != container.key:
        container.changed.add(count + 1)
    container.key = key


def _run(container: Container, container_id: object, number: int | None, time_ns: int) -> Run:
    run = container.runs.setdefault(str(container_id), Run(number=number, seen_ns=time_ns))
    if run.number is None:
        run.number = number
    return run


def _end(container: Container, ended: Object, number: int | None, time_ns: int) -> None:
    if not ended.get("containerID") or not ended.get("finishedAt"):
        return  # made up by the kubelet for a container that it could not find
    run = _run(container, ended["containerID"], number, time_ns)
    run.started_s = whole_seconds(ended.get("startedAt")) or run.started_s
    run.finished_s = whole_seconds(ended["finishedAt"])
    run.exit_code = int(ended.get("exitCode", 0))
    if run.ended_seen_ns is None:
        run.ended_seen_ns = time_ns
