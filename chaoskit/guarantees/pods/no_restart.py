"""No container is restarted."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.fault_windows import FaultWindow, fault_doubts, fault_windows
from chaoskit.guarantees.objects.availability_over_time import wall_offset_ns
from chaoskit.guarantees.objects.disturbances import pods_of
from chaoskit.guarantees.objects.watched import Object, Subject, kind_of, name_of, require_watched
from chaoskit.guarantees.pods.container_runs import restart_count, statuses_of, whole_seconds
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class NoContainerRestarted:
    """No container is restarted.

    Claims: no restart count of a container of the workload (init containers, too) rises; with
    `outside`, except for containers that ended in a window of that fault.
    Violated when: one rises; the witness names pod, container, exit code and reason.
    Unknown when: no container of the workload is on record, the fault was never injected or not
    proved in effect throughout its window, or the pods were not watched throughout.
    """

    workload: str
    kind: str
    outside: str | None = None

    name: ClassVar[str] = "no_container_restarted"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        where = f" outside {self.outside}" if self.outside else ""
        found = Findings(title=f"no container of {self.workload} restarted{where}")
        pods = pods_of(history, self.kind, self.workload)
        require_watched(found, history, {event.uid for event in pods}, ("Pod",))
        windows = [] if self.outside is None else fault_windows(history, self.outside)
        if self.outside is not None:
            found.doubt(*fault_doubts(windows, self.outside))
        offset_ns = wall_offset_ns(history)
        counts: dict[tuple[str, str], int] = {}
        excused = charged = 0
        for event in pods:
            for status in statuses_of(event.object):
                key = event.uid, str(status["name"])
                count = restart_count(status)
                more = count - counts.get(key, 0 if event.change == "ADDED" else count)
                counts[key] = count
                if more <= 0:
                    continue
                if _ended_within(event, status, windows, offset_ns):
                    excused += more
                    continue
                charged += more
                text = f"container {key[1]} of {event.name} was restarted {_how(status, more)}"
                found.violate(event.time_ns, text, event.name, key[1], weight=count)
        if not counts:
            found.doubt(f"no container of {self.workload} is in the record")
        found.coverage |= {"containers": len(counts), "restarts in the fault": excused}
        found.summary = f"{charged} restarts of {len(counts)} containers{where}"
        return conclude(self, found)


def no_container_restarted(
    workload: Subject, *, kind: str | None = None, outside: str | None = None
) -> NoContainerRestarted:
    """No container of a workload is restarted; see `NoContainerRestarted`."""
    return NoContainerRestarted(
        workload=name_of(workload), kind=kind or kind_of(workload, "Deployment"), outside=outside
    )


def _ended_within(
    event: Watched, status: Object, windows: list[FaultWindow], offset_ns: int | None
) -> bool:
    """Whether the run before the restart ended in one of the windows, or the restart came in it."""
    finished_s = whole_seconds(_last_end(status).get("finishedAt"))
    start_ns = stop_ns = event.time_ns
    if finished_s is not None and offset_ns is not None:
        start_ns = finished_s * 1_000_000_000 - offset_ns
        stop_ns = start_ns + 1_000_000_000  # the stamp is cut off to whole seconds
    return any(
        window.contains(event.time_ns)
        or (window.requested_ns <= stop_ns and start_ns <= window.end_ns)
        for window in windows
    )


def _how(status: Object, more: int) -> str:
    end = _last_end(status)
    if not end:
        return f"(count up by {more})"
    reason = f", {end['reason']}" if end.get("reason") else ""
    return f"after exit code {end.get('exitCode')}{reason} (count up by {more})"


def _last_end(status: Object) -> Object:
    end: Object = (status.get("lastState") or {}).get("terminated") or {}
    return end
