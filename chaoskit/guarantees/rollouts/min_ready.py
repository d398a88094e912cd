"""minReadySeconds: a new pod serves at once, and counts as available only later."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.damage import incomplete_loads, lost_requests
from chaoskit.guarantees.objects.availability_over_time import SLACK_NS, Pods, wall_offset_ns
from chaoskit.guarantees.objects.watched import (
    Owned,
    Subject,
    changes,
    name_of,
    owned_by,
    owner,
    require_watched,
    watched_from,
)
from chaoskit.guarantees.rollouts.deployment_state import KINDS
from chaoskit.guarantees.traffic.columns import integers, text_column
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History

_OK = "ok"


@dataclass(frozen=True, kw_only=True)
class MinReadyRespected:
    """A new pod gets requests when it is Ready, and counts as available minReadySeconds later.

    Claims: whenever a ReplicaSet of the Deployment reports more available pods than before, so
    many of its pods have been Ready for minReadySeconds, with 1 s slack for Kubernetes'
    timestamps and for what the controller has not seen yet; and each pod that becomes Ready on
    record under load, and stays Ready for `served_within_s`, has answered a request within that
    time.
    Violated when: more are reported, or such a pod has not answered.
    Unknown when: minReadySeconds is 0, no pod became Ready under load on record, requests may be
    missing, or the Deployment, its ReplicaSets or pods were not watched throughout.
    """

    deployment: str
    served_within_s: float = 3.0

    name: ClassVar[str] = "min_ready_respected"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"pods of {self.deployment} serve before they count as available")
        owned = owned_by(history, "Deployment", self.deployment)
        require_watched(found, history, owned.uids, KINDS)
        min_ready_s = max(
            (e.object["spec"].get("minReadySeconds", 0) for e in owned.workload), default=0
        )
        if not owned.workload:
            found.doubt(f"deployment {self.deployment} is not in the record")
        elif not min_ready_s:
            found.doubt(f"minReadySeconds of {self.deployment} is 0")
        ready = self._judge_available(found, history, owned)
        self._judge_served(found, history, ready)
        return conclude(self, found)

    def _judge_available(
        self, found: Findings, history: History, owned: Owned
    ) -> dict[str, "_Ready"]:
        """Judge what is reported as available; the pods that became Ready, by uid."""
        walk = _Walk(found, Pods(wall_offset_ns(history)))
        from_version = watched_from(history, *KINDS)
        for event in changes(history, *KINDS):
            if event.uid in owned.uids:
                walk.take(event, judged=event.resource_version > from_version)
        found.coverage["rises of available pods"] = walk.rises
        if not walk.rises:
            found.doubt("no pod became available on record")
        return walk.ready

    def _judge_served(self, found: Findings, history: History, ready: dict[str, "_Ready"]) -> None:
        planned, end = integers(history, "planned_ns"), integers(history, "end_ns")
        uids = text_column(history, "pod_uid")
        is_ok = text_column(history, "outcome").is_like(_OK)
        found.doubt(*incomplete_loads(history))
        found.doubt(*lost_requests(history, None, None))
        limit_ns = int(self.served_within_s * 1e9)
        last_ns = int(planned.max()) if len(planned) else 0
        first_ns = int(planned.min()) if len(planned) else 0
        judged, longest_s = 0, 0.0
        for uid, pod in ready.items():
            until_ns = pod.ready_ns + limit_ns
            stays = pod.until_ns is None or pod.until_ns >= until_ns
            if not stays or not first_ns <= pod.ready_ns <= last_ns - limit_ns:
                continue
            judged += 1
            answers = end[is_ok & uids.is_like(uid)]
            first_answer_ns = int(np.min(answers)) if len(answers) else None
            if first_answer_ns is None or first_answer_ns > until_ns:
                text = f"{pod.name} had no answer within {self.served_within_s:g} s of being Ready"
                found.violate(until_ns, text, pod.name)
            else:
                longest_s = max(longest_s, (first_answer_ns - pod.ready_ns) / 1e9)
        found.coverage["pods that became Ready under load"] = judged
        found.figures["served_after_s"] = longest_s
        found.summary = (
            f"{judged} pods served at the latest {longest_s:.2f} s after they were Ready"
        )
        if not judged:
            found.doubt("no pod became Ready under load on record")


def min_ready_respected(deployment: Subject, *, served_within_s: float = 3.0) -> MinReadyRespected:
    """Pods serve at once and count later; see `MinReadyRespected`."""
    return MinReadyRespected(deployment=name_of(deployment), served_within_s=served_within_s)


@dataclass
class _Ready:
    """When a pod became Ready, and when it was not any more."""

    name: str
    ready_ns: int
    until_ns: int | None = None


@dataclass
class _Walk:
    """ReplicaSets and pods, change by change. `left`: when available pods went, by ReplicaSet."""

    found: Findings
    pods: Pods
    min_ready_s: float = 0.0
    now_ns: int = 0
    rises: int = 0
    reported: dict[str, int] = field(default_factory=dict)
    ready: dict[str, _Ready] = field(default_factory=dict)
    left: dict[str, list[int]] = field(default_factory=dict)

    def take(self, event: Watched, *, judged: bool) -> None:
        """Apply the next change and judge it."""
        self.now_ns = max(self.now_ns, event.time_ns)
        if event.kind == "Deployment":
            self.min_ready_s = event.object["spec"].get("minReadySeconds", 0)
        elif event.kind == "Pod":
            self._take_pod(event, judged=judged)
        else:
            status = event.object.get("status") or {}
            count = 0 if event.change == "DELETED" else status.get("availableReplicas", 0)
            rises = count > self.reported.get(event.uid, 0)
            self.reported[event.uid] = count
            if judged and rises:
                self.rises += 1
                self._judge(event, count)

    def _judge(self, event: Watched, count: int) -> None:
        lately = [ns for ns in self.left.get(event.uid, []) if self.now_ns - ns < SLACK_NS]
        most = len(lately) + sum(
            state.is_available(self.now_ns, self.min_ready_s)
            for state in self.pods.by_uid.values()
            if _set_of(state.last) == event.uid
        )
        if count > most:
            text = (
                f"{event.name} counts {count} available pods, where {most} have been Ready"
                f" for {self.min_ready_s:g} s"
            )
            self.found.violate(event.time_ns, text, event.name)

    def _take_pod(self, event: Watched, *, judged: bool) -> None:
        before = self.pods.by_uid.get(event.uid)
        was_available = before is not None and before.is_available(self.now_ns, self.min_ready_s)
        self.pods.apply(event)
        state = self.pods.by_uid.get(event.uid)
        if was_available and (state is None or not state.is_counted()):
            self.left.setdefault(_set_of(event), []).append(event.time_ns)
        if state is not None and state.is_serving():
            if judged and event.uid not in self.ready:
                self.ready[event.uid] = _Ready(event.name, event.time_ns)
        elif event.uid in self.ready and self.ready[event.uid].until_ns is None:
            self.ready[event.uid].until_ns = event.time_ns


def _set_of(pod: Watched) -> str:
    return str((owner(pod.object, "ReplicaSet") or {}).get("uid"))
