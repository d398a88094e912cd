"""Evictions keep to the disruption budget, as counted from the pods themselves."""

from collections import Counter
from dataclasses import dataclass, field
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.watched import (
    Object,
    Subject,
    changes,
    condition,
    in_namespace,
    is_leaving,
    is_ready,
    name_of,
    require_watched,
    steps,
    watched_from,
)
from chaoskit.guarantees.pods.budget_need import BudgetNeed
from chaoskit.guarantees.pods.label_selector import labels_of, selects
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import StepMark, Watched
from chaoskit.history.reader import History

_BUDGET = "PodDisruptionBudget"
_EVICTED = "EvictionByEvictionAPI"
_OTHER = "other causes"

#: A deletion may be seen this long after the step that asked for it.
_LATEST_NS = 1_000_000_000

#: The API server evicts such pods without asking the budget (1.36, canIgnorePDB).
_NOT_GUARDED = ("Pending", "Succeeded", "Failed")


@dataclass(frozen=True, kw_only=True)
class DisruptionBudgetRespected:
    """Every eviction leaves as many healthy pods as the disruption budget asks for.

    Claims: for the named PodDisruptionBudget (None: each of the namespace), when a pod that it
    selects is evicted, at least desiredHealthy other pods of it are healthy. Both are computed
    from pods and controllers in resourceVersion order, as the disruption controller of 1.36
    counts: healthy are pods that are Ready, not being deleted and not approved for eviction
    before; desiredHealthy follows from minAvailable or maxUnavailable, percentages rounded up, of
    the replicas of Deployments, ReplicaSets and StatefulSets (with controllers of other kinds the
    budget's status says it). The moment is the API server's approval (the pod enters the
    budget's disruptedPods), else when the pod gets the condition DisruptionTarget with reason
    EvictionByEvictionAPI, else when a pod goes that a finished step `evict` names.
    Violated when: fewer are left. Pods that ceased to be healthy by themselves, and replicas
    changed, within `lag_s` before the approval are not held against it: the controller may not
    have counted them yet. Not charged: evictions of pods that are Pending or ended, or unready
    under the policy AlwaysAllow; and what bypasses budgets (deletions, lost nodes, preemption),
    which is counted apart by cause.
    Unknown when: there is no such budget, no pod of it was evicted, desiredHealthy cannot be
    told, or budgets or pods were not watched throughout.
    """

    budget: str | None = None
    lag_s: float = 1.0

    name: ClassVar[str] = "disruption_budget_respected"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        what = "disruption budget" if self.budget is None else f"budget {self.budget}"
        every = "every " if self.budget is None else ""
        found = Findings(title=f"evictions keep to {every}{what}")
        events = in_namespace(
            changes(history, _BUDGET, "Pod", "Deployment", "ReplicaSet", "StatefulSet"), history
        )
        budgets = [
            event for event in events if event.kind == _BUDGET and self.budget in (None, event.name)
        ]
        gone = _gone(history, [event for event in events if event.kind == "Pod"])
        from_version = watched_from(history, _BUDGET, "Pod")
        concerned, kinds = {event.uid for event in budgets}, {_BUDGET, "Pod"}
        for key in sorted({(event.namespace, event.name) for event in budgets}):
            walk = _Walk(found, key, gone, int(self.lag_s * 1e9))
            for event in events:
                walk.take(event, judged=event.resource_version > from_version)
            concerned |= walk.selected | walk.need.used
            kinds |= {walk.need.kinds[uid] for uid in walk.need.used if uid in walk.need.kinds}
            walk.finish()
        require_watched(found, history, concerned, sorted(kinds))
        found.coverage["evict and drain steps"] = sum(
            mark.mark == "started" and mark.name in ("evict", "drain")
            for mark in history.of(StepMark)
        )
        if not budgets:
            found.doubt(f"no {what} is in the record")
        elif not found.coverage["evictions judged"]:
            found.doubt(f"no pod that a {what} guards was evicted")
        return conclude(self, found)


def disruption_budget_respected(
    budget: Subject | None = None, *, lag_s: float = 1.0
) -> DisruptionBudgetRespected:
    """Evictions keep to this budget (None: to all); see `DisruptionBudgetRespected`."""
    name = None if budget is None else name_of(budget)
    return DisruptionBudgetRespected(budget=name, lag_s=lag_s)


@dataclass
class _Walk:
    """One budget, its pods and their controllers, change by change."""

    found: Findings
    key: tuple[str, str]
    gone: "_Gone"
    lag_ns: int
    need: BudgetNeed = field(default_factory=BudgetNeed)
    budget: Watched | None = None
    pods: dict[str, Watched] = field(default_factory=dict)
    lapsed_ns: dict[str, tuple[int, Watched]] = field(default_factory=dict)
    approved: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)  # of these, those that were healthy
    selected: set[str] = field(default_factory=set)
    bypassed: Counter[str] = field(default_factory=Counter)
    judged_count: int = 0
    free: int = 0
    lowest: tuple[int, int] | None = None  # left, and how many had to be

    def take(self, event: Watched, *, judged: bool) -> None:
        """Judge the approvals that the next change shows, and apply it."""
        if event.namespace != self.key[0]:
            return
        if event.kind == _BUDGET:
            if event.name == self.key[1]:
                self._take_budget(event, judged=judged)
        elif event.kind == "Pod":
            self._take_pod(event, judged=judged)
        else:
            self.need.apply(event)

    def finish(self) -> None:
        """Write what was counted."""
        coverage, name = self.found.coverage, self.key[1]
        for what, count in (
            ("evictions judged", self.judged_count),
            ("evictions that budgets do not guard", self.free),
            *((f"healthy pods that went by {cause}", n) for cause, n in self.bypassed.items()),
        ):
            coverage[what] = coverage.get(what, 0) + count
        if self.lowest is not None:
            left, needed = self.lowest
            self.found.figures |= {f"lowest_healthy_of_{name}": left, f"needed_of_{name}": needed}
            text = f"{name}: at least {left} healthy after each eviction ({needed} needed)"
            self.found.summary = "; ".join(filter(None, (self.found.summary, text)))

    def _take_budget(self, event: Watched, *, judged: bool) -> None:
        before = _disrupted(self.budget)
        self.budget = None if event.change == "DELETED" else event
        listed = _disrupted(self.budget) - before
        for pod in list(self.pods.values()) if listed else ():
            if pod.name in listed and pod.uid in self.gone.evictable:
                self._approve(pod, event.time_ns, judged=judged)

    def _take_pod(self, event: Watched, *, judged: bool) -> None:
        before = self.pods.get(event.uid)
        is_gone = event.change == "DELETED" or is_leaving(event.object)
        is_marked = _is_marked(event.object) and event.uid in self.gone.evictable
        if before is not None and (is_marked or (is_gone and event.uid in self.gone.by_steps)):
            self._approve(before, event.time_ns, judged=judged)
        was_healthy = before is not None and _is_healthy(before.object)
        if event.change == "DELETED":
            self.pods.pop(event.uid, None)
        else:
            self.pods[event.uid] = event
        if before is not None and was_healthy and (is_gone or not is_ready(event.object)):
            self.lapsed_ns[event.uid] = event.time_ns, before
            if is_gone and judged and event.uid not in self.approved and self._selects(before):
                self.bypassed[_cause(event.object)] += 1

    def _approve(self, pod: Watched, time_ns: int, *, judged: bool) -> None:
        if self.budget is None or pod.uid in self.approved or not self._selects(pod):
            return
        self.approved.add(pod.uid)
        if is_ready(pod.object):  # an unready one takes nothing away, so nobody notes it
            self.taken.add(pod.uid)
        if not judged or self._is_free(pod.object, self.budget.object["spec"]):
            self.free += judged
            return
        self.judged_count += 1
        mine = [each for each in self.pods.values() if self._selects(each)]
        self.selected.update(each.uid for each in mine)
        needed = self.need.of(self.budget.object, mine, since_ns=time_ns - self.lag_ns)
        if needed is None:
            self.found.doubt(f"desiredHealthy of budget {self.budget.name} cannot be told")
            return
        left = self._left(mine, time_ns)
        if self.lowest is None or left - needed < self.lowest[0] - self.lowest[1]:
            self.lowest = left, needed
        if left < needed:
            text = (
                f"evicting {pod.name} leaves {left} healthy pods"
                f" where budget {self.budget.name} needs {needed}"
            )
            names = pod.name, self.budget.name
            self.found.violate(time_ns, text, *names, weight=float(needed - left))

    @staticmethod
    def _is_free(pod: Object, spec: Object) -> bool:
        """Whether the API server evicts it without asking the budget."""
        is_allowed = spec.get("unhealthyPodEvictionPolicy") == "AlwaysAllow" and not is_ready(pod)
        phase = (pod.get("status") or {}).get("phase")
        return is_allowed or phase in _NOT_GUARDED or is_leaving(pod)

    def _left(self, mine: list[Watched], time_ns: int) -> int:
        """How many the controller may have counted as healthy, without those taken."""
        gone = [each for uid, (_, each) in self.lapsed_ns.items() if uid not in self.pods]
        return sum(
            self._has_just_lapsed(each.uid, time_ns)
            or (each.uid in self.pods and _is_healthy(each.object))
            for each in (*mine, *filter(self._selects, gone))
            if each.uid not in self.taken
        )

    def _has_just_lapsed(self, uid: str, time_ns: int) -> bool:
        """Whether it ceased to be healthy so lately that the controller may not have seen it."""
        return uid in self.lapsed_ns and time_ns - self.lapsed_ns[uid][0] <= self.lag_ns

    def _selects(self, pod: Watched) -> bool:
        if self.budget is None:
            return False
        return selects(self.budget.object["spec"].get("selector"), labels_of(pod.object))


@dataclass(frozen=True)
class _Gone:
    """Which pods went in which way, by uid. `by_steps`: servers before 1.26 mark no pod."""

    evictable: set[str]  # went, for no other cause than an eviction
    by_steps: set[str]


def _gone(history: History, pods: list[Watched]) -> _Gone:
    first = {e.uid: e for e in reversed(pods) if e.change == "DELETED" or is_leaving(e.object)}
    causes = {uid: _cause(event.object) for uid, event in first.items()}
    by_steps = set()
    if not any(_is_marked(event.object) for event in pods):
        for uid, event in first.items():
            for step in steps(history, "evict", event.name):
                if step.done_ns is not None and causes[uid] == _OTHER:
                    ended_ns = step.done_ns + _LATEST_NS
                    if step.started_ns <= event.time_ns <= ended_ns:
                        by_steps.add(uid)
    evictable = {uid for uid, cause in causes.items() if cause in (_OTHER, _EVICTED)}
    return _Gone(evictable, by_steps)


def _is_marked(pod: Object) -> bool:
    found = condition(pod, "DisruptionTarget")
    return found.get("status") == "True" and found.get("reason") == _EVICTED


def _cause(pod: Object) -> str:
    """Why a pod goes, as its condition DisruptionTarget says."""
    found = condition(pod, "DisruptionTarget")
    return str(found.get("reason", _OTHER)) if found.get("status") == "True" else _OTHER


def _is_healthy(pod: Object) -> bool:
    return is_ready(pod) and not is_leaving(pod)


def _disrupted(budget: Watched | None) -> set[str]:
    if budget is None:
        return set()
    return set((budget.object.get("status") or {}).get("disruptedPods") or {})
