"""A small simulation of a StatefulSet's controller, its kubelets and its operator.

It makes histories that upstream's rules allow, whatever the operator does; with a `defect` the
controller breaks one rule, and `offence` says when and on which pod it first did.
"""

import random
from dataclasses import dataclass

from tests.corpus.stateful_sets import KINDS, kv, member, revision
from tests.corpus.story import Story
from tests.corpus.times import at

_TICK_S = 0.5

#: What a defective controller does that a sound one does not.
DEFECTS = (
    "starts_without_waiting",
    "starts_highest_first",
    "scales_lowest_first",
    "scales_without_waiting",
    "updates_lowest_first",
    "updates_without_waiting",
    "ignores_the_partition",
    "leaks_the_new_revision",
)

Action = tuple[str, int]  # "make" or "take", and the ordinal


@dataclass
class _Pod:
    ordinal: int
    uid: str
    revision: str
    ready_at: float
    ready_since: float | None = None
    gone_at: float | None = None
    failed: bool = False
    disrupted: bool = False

    @property
    def leaving(self) -> bool:
        return self.gone_at is not None


class StatefulSetRun:
    """A cluster with the set kv; time goes on with `go`, the operator acts in between."""

    def __init__(
        self,
        *,
        seed: int = 0,
        replicas: int = 3,
        start: int = 0,
        parallel: bool = False,
        min_ready_s: int = 0,
        max_unavailable: int | None = None,
        defect: str | None = None,
    ) -> None:
        assert defect is None or defect in DEFECTS
        self.random = random.Random(seed)
        self.replicas, self.start, self.parallel = replicas, start, parallel
        self.min_ready_s, self.max_unavailable = min_ready_s, max_unavailable
        self.defect = defect
        self.strategy, self.partition = "RollingUpdate", 0
        self.revisions = {"kv-a": 1}
        self.current = "kv-a"
        self.pods: dict[int, _Pod] = {}
        self.offence: tuple[int, str] | None = None
        self.second = 1.0
        self.story = Story().clock().watching(*KINDS)
        self._show_set("ADDED")
        self.story.watched(self.second, "ControllerRevision", revision("kv-a", 1), "ADDED")

    # what the operator does

    def scale(self, replicas: int) -> None:
        """Ask for another number of members."""
        self.story.step("scale", "StatefulSet kv", self.second)
        self.replicas = replicas
        self._show_set()

    def update(self, name: str) -> None:
        """Give it another template; an old one has its revision numbered anew."""
        change = "MODIFIED" if name in self.revisions else "ADDED"
        self.revisions[name] = max(self.revisions.values()) + 1
        self._show_set()
        shown = revision(name, self.revisions[name])
        self.story.watched(
            self._next(), "ControllerRevision", shown, "ADDED" if change == "ADDED" else "MODIFIED"
        )

    def set_strategy(self, strategy: str, *, partition: int = 0) -> None:
        """Change how updates go out."""
        self.strategy, self.partition = strategy, partition
        self._show_set()

    def delete(self, ordinal: int, *, force: bool = False) -> None:
        """Delete a member by hand."""
        if ordinal in self.pods:
            self.story.step("delete", f"Pod kv-{ordinal}", self.second, force=force)
            self._leave(self.pods[ordinal], at_once=force)

    def evict(self, ordinal: int) -> None:
        """Evict a member; no step says so, its condition does."""
        if ordinal in self.pods and not self.pods[ordinal].leaving:
            self.pods[ordinal].disrupted = True
            self._leave(self.pods[ordinal], at_once=False)

    def disturb(self, ordinal: int, *, for_s: float) -> None:
        """A member is not Ready for a while."""
        pod = self.pods.get(ordinal)
        if pod is not None and not pod.leaving and not pod.failed:
            pod.ready_since, pod.ready_at = None, self.second + for_s
            self._show(pod)

    def fail(self, ordinal: int) -> None:
        """A member ends for good, as when the node rejects it."""
        pod = self.pods.get(ordinal)
        if pod is not None and not pod.leaving:
            pod.failed, pod.ready_since = True, None
            self._show(pod)

    def remove(self) -> None:
        """Delete the set; the garbage collector takes the pods in no order."""
        self.story.watched(self._next(), "StatefulSet", self._set(), "DELETED")
        left = list(self.pods.values())
        self.random.shuffle(left)
        for pod in left:
            self._leave(pod, at_once=False)
        self.replicas, self.pods = 0, {}

    # time

    def go(self, seconds: float) -> "StatefulSetRun":
        """Let kubelets and controller work for so long."""
        for _tick in range(round(seconds / _TICK_S)):
            self.second += _TICK_S
            self._run_kubelets()
            while (action := self._choose()) is not None:
                self._do(action)
            self._complete()
        return self

    # the kubelets

    def _run_kubelets(self) -> None:
        for pod in list(self.pods.values()):
            if pod.gone_at is not None and pod.gone_at <= self.second:
                self._drop(pod)
            elif pod.ready_since is None and not pod.failed and pod.ready_at <= self.second:
                pod.ready_since = self.second
                self._show(pod)

    # the controller

    def _choose(self) -> Action | None:
        right = self._next_action()
        if self.defect is None:
            return right
        wrong = self._wrong_action(right)
        if wrong is not None and wrong != right and self.offence is None:
            self._note_offence(wrong[1])
        return wrong

    def _note_offence(self, ordinal: int) -> None:
        self.offence = at(self.second + 0.01), f"kv-{ordinal}"

    def _next_action(self) -> Action | None:
        for ordinal in self._wanted():
            pod = self.pods.get(ordinal)
            if pod is None:
                return "make", ordinal
            if pod.failed and not pod.leaving:
                return "take", ordinal
            if not self.parallel and not self._is_healthy(ordinal):
                return None
        return self._next_to_scale() or (None if self._is_scaling() else self._next_to_update())

    def _next_to_scale(self) -> Action | None:
        condemned = self._condemned()
        if self.parallel:
            left = [o for o in condemned if not self.pods[o].leaving]
            return ("take", left[0]) if left else None
        if not condemned or self.pods[condemned[0]].leaving:
            return None
        unhealthy = [o for o in reversed(condemned) if not self._is_healthy(o)]
        if condemned[0] in unhealthy and unhealthy[0] != condemned[0]:
            return None
        return "take", condemned[0]

    def _is_scaling(self) -> bool:
        return not self.parallel and bool(self._condemned())

    def _next_to_update(self) -> Action | None:
        if self.strategy == "OnDelete":
            return None
        unavailable = sum(not self._is_healthy(o) for o in self._wanted())
        for ordinal in reversed(self._wanted()):
            if ordinal < self.start + self.partition:
                return None
            pod = self.pods[ordinal]
            if self.max_unavailable is not None and unavailable >= self.max_unavailable:
                return None
            if pod.revision != self._update_revision() and not pod.leaving:
                return "take", ordinal
            if self.max_unavailable is None and not self._is_healthy(ordinal):
                return None
        return None

    def _wrong_action(self, right: Action | None) -> Action | None:
        missing = [o for o in self._wanted() if o not in self.pods]
        condemned = [o for o in self._condemned() if not self.pods[o].leaving]
        outdated = [
            o
            for o in reversed(self._wanted())
            if o in self.pods
            and not self.pods[o].leaving
            and self.pods[o].revision != self._update_revision()
        ]
        if self.defect == "starts_without_waiting" and missing:
            return "make", missing[0]
        if self.defect == "starts_highest_first" and missing:
            return "make", missing[-1]
        if self.defect == "scales_without_waiting" and condemned:
            return "take", condemned[0]
        if self.defect == "updates_without_waiting" and outdated:
            return "take", outdated[0]
        if self.defect == "ignores_the_partition" and outdated and right is None:
            return ("take", outdated[0]) if self._is_all_healthy() else None
        if right is not None and right[0] == "take":
            if self.defect == "scales_lowest_first" and condemned:
                return "take", condemned[-1]
            due = [o for o in outdated if o >= self.start + self.partition]
            if self.defect == "updates_lowest_first" and due:
                return "take", due[-1]
        return right

    def _do(self, action: Action) -> None:
        what, ordinal = action
        if what == "take":
            pod = self.pods[ordinal]
            self._leave(pod, at_once=pod.failed)
            return
        due = self._update_revision()
        if self.strategy != "OnDelete" and ordinal < self.start + self.partition:
            due = self.current
        if self.defect == "leaks_the_new_revision" and due != self._update_revision():
            due = self._update_revision()
            if self.offence is None:
                self._note_offence(ordinal)
        pod = _Pod(
            ordinal=ordinal,
            uid=f"uid-kv-{ordinal}-{self.story.version}",
            revision=due,
            ready_at=self.second + self.random.choice((1.0, 3.0)),
        )
        self.pods[ordinal] = pod
        self._show(pod, "ADDED")

    def _complete(self) -> None:
        pods = [self.pods.get(o) for o in self._wanted()]
        done = all(p is not None and p.ready_since is not None and not p.leaving for p in pods)
        due = self._update_revision()
        updated = all(p is not None and p.revision == due for p in pods)
        if done and updated and self.current != due and len(self.pods) == self.replicas:
            self.current = due
            self._show_set()

    # what is there

    def _wanted(self) -> range:
        return range(self.start, self.start + self.replicas)

    def _condemned(self) -> list[int]:
        return sorted((o for o in self.pods if o not in self._wanted()), reverse=True)

    def _update_revision(self) -> str:
        return max(self.revisions, key=lambda name: self.revisions[name])

    def _is_healthy(self, ordinal: int) -> bool:
        pod = self.pods.get(ordinal)
        if pod is None or pod.leaving or pod.failed or pod.ready_since is None:
            return False
        return pod.ready_since + self.min_ready_s <= self.second

    def _is_all_healthy(self) -> bool:
        return not self._condemned() and all(self._is_healthy(o) for o in self._wanted())

    # what the API server shows

    def _next(self) -> float:
        self.second += 0.01
        return self.second

    def _set(self) -> dict[str, object]:
        return kv(
            self.replicas,
            start=self.start,
            parallel=self.parallel,
            strategy=self.strategy,
            partition=self.partition,
            max_unavailable=self.max_unavailable,
            min_ready_s=self.min_ready_s,
            current=self.current,
        )

    def _show_set(self, change: str = "MODIFIED") -> None:
        self.story.watched(
            self._next(), "StatefulSet", self._set(), "ADDED" if change == "ADDED" else "MODIFIED"
        )

    def _shown(self, pod: _Pod) -> dict[str, object]:
        return member(
            pod.ordinal,
            revision=pod.revision,
            ready_since=pod.ready_since,
            leaving=pod.leaving,
            phase="Failed" if pod.failed else "Running",
            disrupted=pod.disrupted,
            uid=pod.uid,
        )

    def _show(self, pod: _Pod, change: str = "MODIFIED") -> None:
        self.story.watched(
            self._next(), "Pod", self._shown(pod), "ADDED" if change == "ADDED" else "MODIFIED"
        )

    def _leave(self, pod: _Pod, *, at_once: bool) -> None:
        if at_once:
            self._drop(pod)
        elif not pod.leaving:
            pod.gone_at = self.second + self.random.choice((1.0, 2.5))
            self._show(pod)

    def _drop(self, pod: _Pod) -> None:
        self.pods.pop(pod.ordinal, None)
        self.story.watched(self._next(), "Pod", self._shown(pod), "DELETED")
