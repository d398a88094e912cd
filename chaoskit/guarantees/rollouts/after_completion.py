"""Once a rollout is complete, nothing of an older template is left, and none answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.damage import incomplete_loads, lost_requests
from chaoskit.guarantees.intervals import Mask
from chaoskit.guarantees.objects.watched import (
    Subject,
    name_of,
    owned_by,
    owner,
    require_watched,
    template_of,
    watched_from,
)
from chaoskit.guarantees.rollouts.deployment_state import (
    KINDS,
    DeploymentState,
    deployment_changes,
    is_complete,
)
from chaoskit.guarantees.traffic.columns import TextColumn, integers, text_column
from chaoskit.guarantees.traffic.words import describe_request
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class OnlyNewPodsAfterCompletion:
    """After a complete rollout there are pods of the newest template only, and only they answer.

    Claims: from `settle_s` after the Deployment's status says that a rollout is complete, until
    its template changes again, all its pods are of its template (those being deleted or ended
    aside); and no request that was sent in that time on the chosen connections ("new"; None: all)
    was answered ok by a pod of another template, told by the uid that it answered with. Kept
    connections may rightly end on a pod that is being deleted. So may new ones for a moment: the
    last old pod goes just before completion, and kube-proxy gathers changes for up to 1 s before it
    writes them (its minSyncPeriod in Kubernetes 1.36); hence 2 s to settle. `only_versions` says
    which named revisions may answer at all; this says when the old ones must have ceased.
    Violated when: there is such a pod, or such an answer.
    Unknown when: no rollout (pods of two templates) was complete on record, changes or, where
    there were requests, requests of that time may be missing.
    """

    deployment: str
    settle_s: float = 2.0
    connection: str | None = "new"

    name: ClassVar[str] = "only_new_pods_after_completion"
    version: ClassVar[int] = 2

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"only new pods of {self.deployment} once a rollout is complete")
        owned = owned_by(history, "Deployment", self.deployment)
        require_watched(found, history, owned.uids, KINDS)
        walk = _Walk(found, int(self.settle_s * 1e9), watched_from(history, *KINDS))
        for event in deployment_changes(history, owned):
            walk.take(event)
        walk.end(history.events[-1].time_ns if history.events else 0)
        found.coverage["complete rollouts"] = len(walk.spans)
        found.summary = f"{len(walk.spans)} complete rollouts"
        if not owned.workload:
            found.doubt(f"deployment {self.deployment} is not in the record")
        elif not walk.spans:
            found.doubt("no rollout that took old pods away was complete on record")
        self._judge_answers(found, history, walk.spans)
        return conclude(self, found)

    def _judge_answers(
        self, found: Findings, history: History, spans: Sequence["_Settled"]
    ) -> None:
        sent, uids = integers(history, "sent_ns"), text_column(history, "pod_uid")
        if not len(sent):
            return
        found.doubt(*incomplete_loads(history))
        chosen = text_column(history, "outcome").is_like("ok") & (sent >= 0)
        if self.connection is not None:
            chosen &= text_column(history, "connection").is_like(self.connection)
        accused, answers, wrong = len(found.violations), 0, 0
        for span in spans:
            found.doubt(*lost_requests(history, span.from_ns, span.until_ns))
            inside = chosen & (sent >= span.from_ns) & (sent < span.until_ns)
            rows = np.flatnonzero(inside & _is_any_of(uids, span.old))
            answers += int(np.count_nonzero(inside & _is_any_of(uids, span.old | span.new)))
            wrong += len(rows)
            for row in {int(rows[place]) for place in (0, -1)} if len(rows) else ():
                late_s = (int(sent[row]) - span.complete_ns) / 1e9
                text = f"an old pod answered {late_s:.2f} s after completion"
                request = describe_request(history, row)
                found.violate(int(sent[row]), f"{text}: {request}", weight=late_s)
        if wrong:
            found.violation_count = accused + wrong
        found.coverage["answers after completion"] = answers
        found.figures["answers_of_old_pods"] = wrong


def only_new_pods_after_completion(
    deployment: Subject, *, settle_s: float = 2.0, connection: str | None = "new"
) -> OnlyNewPodsAfterCompletion:
    """Nothing old is left, and none answers; see `OnlyNewPodsAfterCompletion`."""
    return OnlyNewPodsAfterCompletion(
        deployment=name_of(deployment), settle_s=settle_s, connection=connection
    )


def _is_any_of(column: TextColumn, wanted: set[str]) -> Mask:
    """Which rows have one of these values."""
    return np.isin(column.codes, [code for code, v in enumerate(column.values) if v in wanted])


@dataclass(frozen=True, kw_only=True)
class _Settled:
    """The time in which a rollout is complete, and the uids of the old and new pods."""

    complete_ns: int
    from_ns: int
    until_ns: int
    old: set[str]
    new: set[str]


@dataclass
class _Walk:
    """The Deployment, change by change. `complete_ns`: when its present rollout was complete."""

    found: Findings
    settle_ns: int
    from_version: int
    state: DeploymentState = field(default_factory=DeploymentState)
    set_of: dict[str, str] = field(default_factory=dict)  # every pod's ReplicaSet, by uid
    complete_ns: int | None = None
    is_settled: bool = False
    accused: set[str] = field(default_factory=set)
    spans: list[_Settled] = field(default_factory=list)

    def take(self, event: Watched) -> None:
        """Judge what is settled by now, then apply the next change and judge it."""
        self._settle(event.time_ns)
        if event.kind == "Deployment" and self._is_another(event):
            self.end(event.time_ns)
        self.state.apply(event)
        if event.kind == "Deployment":
            self._see_completion(event)
        elif event.kind == "Pod":
            reference = owner(event.object, "ReplicaSet")
            if reference is not None:
                self.set_of[event.uid] = str(reference.get("uid"))
            if self.is_settled:
                self._accuse(event.time_ns)

    def end(self, time_ns: int) -> None:
        """The time after a rollout is over: its template changes, or the record ends."""
        self._settle(time_ns)
        if self.complete_ns is not None:
            self.spans.append(
                _Settled(
                    complete_ns=self.complete_ns,
                    from_ns=self.complete_ns + self.settle_ns,
                    until_ns=time_ns,
                    old=self._pods(new=False),
                    new=self._pods(new=True),
                )
            )
        self.complete_ns, self.is_settled = None, False

    def _is_another(self, event: Watched) -> bool:
        return event.change == "DELETED" or template_of(event.object) != self.state.template

    def _pods(self, *, new: bool) -> set[str]:
        return {
            pod
            for pod, of_set in self.set_of.items()
            if self.state.is_of(of_set) and self.state.is_new(of_set) is new
        }

    def _see_completion(self, event: Watched) -> None:
        if self.complete_ns is not None or event.resource_version <= self.from_version:
            return
        # Without a ReplicaSet of the template (paused, scaled to 0) nothing was rolled out yet.
        is_there = bool(self.state.new_sets) and is_complete(event.object)
        if is_there and self._pods(new=False):
            self.complete_ns = event.time_ns

    def _settle(self, now_ns: int) -> None:
        if self.complete_ns is None or self.is_settled:
            return
        if now_ns >= self.complete_ns + self.settle_ns:
            self.is_settled = True
            self._accuse(self.complete_ns + self.settle_ns)

    def _accuse(self, time_ns: int) -> None:
        complete_ns = time_ns if self.complete_ns is None else self.complete_ns
        for pod in self.state.counted_old_pods():
            if pod.uid not in self.accused:
                self.accused.add(pod.uid)
                of_set = self.state.name_of_set(self.set_of[pod.uid])
                late_s = (time_ns - complete_ns) / 1e9
                text = f"{pod.name} of {of_set} is there {late_s:.2f} s after completion"
                self.found.violate(time_ns, text, pod.name, weight=late_s)
