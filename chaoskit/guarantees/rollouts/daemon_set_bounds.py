"""A DaemonSet's update: never more nodes without an available pod than it promises."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.availability_over_time import Pods, has_left, wall_offset_ns
from chaoskit.guarantees.objects.bounds import Bound, rounded_up
from chaoskit.guarantees.objects.watched import (
    Subject,
    changes,
    name_of,
    owned_by,
    require_watched,
    steps,
    watched_from,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History

_KINDS = ("DaemonSet", "Pod")
_REVISION = "controller-revision-hash"


@dataclass(frozen=True, kw_only=True)
class DaemonSetBounds:
    """An update leaves an available pod on all nodes but maxUnavailable.

    Claims: whenever the DaemonSet takes away a pod that is available, at least
    desiredNumberScheduled - maxUnavailable of its nodes have an available pod left. Percentages
    round up; with maxSurge above 0 maxUnavailable is 0, as the new pod comes first. Availability is
    counted as the controller does, with 1 s slack (pkg/controller/daemon/update.go of Kubernetes
    1.36). Pods that a step deletes, and those that get unready by themselves, are not charged.
    Violated when: fewer are left.
    Unknown when: no update is on record (pods of fewer than two revisions), or the DaemonSet or its
    pods were not watched throughout.
    """

    daemon_set: str

    name: ClassVar[str] = "daemon_set_bounds"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"update of {self.daemon_set} keeps its bounds")
        owned = owned_by(history, "DaemonSet", self.daemon_set)
        require_watched(found, history, owned.uids, _KINDS)
        by_steps = {
            event.name
            for event in owned.pods
            for name in ("delete", "evict", "drain")
            if steps(history, name, event.name)
        }
        walk = _Walk(found, Pods(wall_offset_ns(history)), by_steps)
        from_version = watched_from(history, *_KINDS)
        for event in changes(history, *_KINDS):
            if event.uid in owned.uids:
                walk.take(event, judged=event.resource_version > from_version)
        revisions = {_revision(event) for event in owned.pods}
        found.coverage |= {"pods taken away": walk.taken, "revisions with pods": len(revisions)}
        if walk.lowest is not None:
            found.figures["fewest_nodes_available"] = walk.lowest
            found.summary = f"never fewer than {walk.lowest} nodes with an available pod"
        if not owned.workload:
            found.doubt(f"DaemonSet {self.daemon_set} is not in the record")
        elif len(revisions) < 2:
            found.doubt("no update is on record (pods of fewer than two revisions)")
        return conclude(self, found)


def daemon_set_bounds(daemon_set: Subject) -> DaemonSetBounds:
    """An update keeps to maxUnavailable; see `DaemonSetBounds`."""
    return DaemonSetBounds(daemon_set=name_of(daemon_set))


@dataclass
class _Walk:
    """The set and its pods, change by change."""

    found: Findings
    pods: Pods
    deleted_by_steps: set[str]
    desired: int | None = None
    unavailable: int = 1
    min_ready_s: float = 0.0
    now_ns: int = 0
    taken: int = 0
    lowest: int | None = None

    def take(self, event: Watched, *, judged: bool) -> None:
        """Apply the next change, and judge what a pod that went leaves."""
        self.now_ns = max(self.now_ns, event.time_ns)
        if event.kind == "DaemonSet":
            self._take_set(event)
            return
        before = self.pods.by_uid.get(event.uid)
        after = None if event.change == "DELETED" else event.object
        left = has_left(before, after)
        was_available = (
            before is not None
            and before.is_serving()
            and before.is_available(self.now_ns, self.min_ready_s)
        )
        self.pods.apply(event)
        if judged and left and was_available and event.name not in self.deleted_by_steps:
            self._judge(event)

    def _take_set(self, event: Watched) -> None:
        spec = event.object["spec"]
        rolling = (spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
        self.min_ready_s = float(spec.get("minReadySeconds") or 0)
        desired = (event.object.get("status") or {}).get("desiredNumberScheduled")
        self.desired = self.desired if desired is None else int(desired)
        surge: Bound = rolling.get("maxSurge", 0)
        written: Bound = rolling.get("maxUnavailable", 1)
        has_surge = surge not in (0, "0%")
        self.unavailable = 0 if has_surge else max(1, rounded_up(written, self.desired or 0))

    def _judge(self, event: Watched) -> None:
        if self.desired is None:
            return
        self.taken += 1
        nodes = {
            str(state.last.object["spec"].get("nodeName"))
            for state in self.pods.by_uid.values()
            if state.is_available(self.now_ns, self.min_ready_s)
        }
        needed = self.desired - self.unavailable
        self.lowest = len(nodes) if self.lowest is None else min(self.lowest, len(nodes))
        if len(nodes) < needed:
            text = (
                f"{event.name} taken away, which leaves {len(nodes)} nodes with an available pod "
                f"where at least {needed} must be"
            )
            self.found.violate(event.time_ns, text, event.name, weight=needed - len(nodes))


def _revision(pod: Watched) -> str:
    labels = pod.object["metadata"].get("labels") or {}
    return str(labels.get(_REVISION))
