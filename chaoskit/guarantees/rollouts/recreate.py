"""A Deployment that is recreated: never two revisions of it at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.intervals import Span, shared
from chaoskit.guarantees.objects.processes import Process, processes_of
from chaoskit.guarantees.objects.watched import (
    Subject,
    changes,
    is_finished,
    is_ready,
    name_of,
    owned_by,
    require_watched,
    steps,
    watched_from,
)
from chaoskit.guarantees.rollouts.deployment_state import (
    KINDS,
    DeploymentState,
    deployment_changes,
    is_complete,
    strategy_of,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class NoOverlapWhenRecreated:
    """With the strategy Recreate no two revisions of a Deployment are there at once.

    Claims: in every rollout that begins under the strategy Recreate, no pod is created while one
    of another revision is there and has not ended for good; pods that are being deleted count,
    as they do for the controller (Kubernetes 1.36, oldPodsRunning). Where the containers were
    seen on the nodes, none of a new pod runs beside one of an older pod, either.
    Violated when: one does. Not charged: a container that outlived its pod because a step deleted
    the pod by force, or because its node was not Ready when the pod went; these are counted.
    Unknown when: the strategy is not Recreate, no rollout under it is on record, it created no
    pod, or the Deployment, its ReplicaSets or pods were not watched throughout.
    """

    deployment: str

    name: ClassVar[str] = "no_overlap_when_recreated"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"no two revisions of {self.deployment} at once")
        owned = owned_by(history, "Deployment", self.deployment)
        require_watched(found, history, owned.uids, KINDS)
        walk = _Walk(found)
        from_version = watched_from(history, *KINDS)
        of_deployment = deployment_changes(history, owned)
        nodes = changes(history, "Node")
        for event in sorted([*of_deployment, *nodes], key=lambda each: each.resource_version):
            walk.take(event, judged=event.resource_version > from_version)
        walk.judge_containers(history)
        found.coverage |= {"rollouts": walk.rollouts, "pods created": walk.created_count}
        if not owned.workload:
            found.doubt(f"deployment {self.deployment} is not in the record")
        elif not any(strategy_of(event.object) == "Recreate" for event in owned.workload):
            found.doubt("its strategy is not Recreate")
        elif not walk.rollouts:
            found.doubt("no rollout with the strategy Recreate is on record")
        elif not walk.created_count:
            found.doubt("the rollout created no pod")
        found.summary = f"{walk.created_count} pods created in {walk.rollouts} rollouts"
        return conclude(self, found)


def no_overlap_when_recreated(deployment: Subject) -> NoOverlapWhenRecreated:
    """No two revisions at once under Recreate; see `NoOverlapWhenRecreated`."""
    return NoOverlapWhenRecreated(deployment=name_of(deployment))


@dataclass
class _Walk:
    """The Deployment, change by change.

    `is_judged`: its present template came under Recreate; `is_rollout`: in place of another one.
    """

    found: Findings
    state: DeploymentState = field(default_factory=DeploymentState)
    ready_nodes: dict[str, bool] = field(default_factory=dict)
    is_judged: bool = False
    is_rollout: bool = False
    rollouts: int = 0
    created_count: int = 0
    seen: set[str] = field(default_factory=set)
    pairs: dict[str, set[str]] = field(default_factory=dict)  # new pod → the older ones, by uid
    older: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)  # went while their node was not Ready

    def take(self, event: Watched, *, judged: bool) -> None:
        """Apply the next change and judge it."""
        if event.kind == "Node":
            self.ready_nodes[event.name] = event.change != "DELETED" and is_ready(event.object)
        elif event.kind == "Deployment":
            self._take_deployment(event)
        elif event.kind == "ReplicaSet":
            self.state.apply(event)
        else:
            self._take_pod(event, judged=judged)

    def judge_containers(self, history: History) -> None:
        """No container of a new pod beside one of an older pod, as the nodes show it."""
        uids = set(self.pairs).union(*self.pairs.values())
        processes = processes_of(history, {uid: self.names[uid] for uid in uids}).found
        self.found.coverage["containers seen on nodes"] = len(processes)
        forced = {
            uid
            for uid in uids
            if any(step.force for step in steps(history, "delete", self.names[uid]))
        }
        of_pod: dict[str, list[Process]] = {}
        for process in processes:
            of_pod.setdefault(process.pod_uid, []).append(process)
        not_charged = set()
        for new in (process for uid in self.pairs for process in of_pod.get(uid, [])):
            for old in (each for uid in self.pairs[new.pod_uid] for each in of_pod.get(uid, [])):
                both = shared([new.certain], [old.certain])
                if both and old.pod_uid in forced | self.lost:
                    not_charged.add(old.pod_uid)
                elif both:
                    self._charge(new, old, both[0])
        self.found.coverage["containers that outlived a lost or forced pod"] = len(not_charged)

    def _charge(self, new: Process, old: Process, both: Span) -> None:
        start, end = both
        seconds = (end - start) / 1e9
        text = (
            f"a container of {new.pod} on {new.node} ran for {seconds:.2f} s"
            f" beside one of {old.pod} on {old.node}"
        )
        if new.named and old.named:
            self.found.violate(start, text, new.pod, old.pod, weight=seconds)
        else:
            self.found.doubt(f"{text} (one never named by its pod's status: may be its sandbox)")

    def _take_deployment(self, event: Watched) -> None:
        before = self.state.template
        self.state.apply(event)
        is_recreated = event.change != "DELETED" and strategy_of(event.object) == "Recreate"
        if before is None:
            is_known = event.change == "ADDED" or is_complete(event.object)
            self.is_judged, self.is_rollout = is_recreated and is_known, False
        elif self.state.template != before:
            self.is_judged = self.is_rollout = is_recreated
            self.rollouts += is_recreated
            self.older = {pod.uid for pod in self.state.pods_of(new=False)}
        elif not is_recreated:
            self.is_judged = False

    def _take_pod(self, event: Watched, *, judged: bool) -> None:
        self.state.apply(event)
        self.names[event.uid] = event.name
        has_ended = event.change == "DELETED" or is_finished(event.object)
        if has_ended and not self.ready_nodes.get(event.object["spec"].get("nodeName", ""), True):
            self.lost.add(event.uid)
        is_created = event.change == "ADDED" and event.uid not in self.seen
        self.seen.add(event.uid)
        of_set = self.state.set_of(event.uid)
        if not (judged and self.is_judged and is_created and of_set is not None):
            return
        is_new = self.state.is_new(of_set)
        if is_new and self.is_rollout:
            self.created_count += 1
            self.pairs[event.uid] = set(self.older)
        others = self.state.pods_of(new=not is_new)
        if others:
            sets = _names(self._set_name(pod.uid) for pod in others)
            text = (
                f"{event.name} of {self._set_name(event.uid)} created while"
                f" {len(others)} of {sets} had not ended: {_names(pod.name for pod in others)}"
            )
            self.found.violate(event.time_ns, text, event.name, *(pod.name for pod in others))

    def _set_name(self, pod: str) -> str:
        return self.state.name_of_set(self.state.set_of(pod) or "")


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names)))
