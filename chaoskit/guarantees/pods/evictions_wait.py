"""Evictions that a disruption budget holds up."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.intervals import Span, length_ns, shared
from chaoskit.guarantees.objects.watched import (
    Object,
    Subject,
    changes,
    condition,
    in_namespace,
    name_of,
    require_watched,
)
from chaoskit.guarantees.pods.label_selector import labels_of, selects
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History

_EVICTED = "EvictionByEvictionAPI"


@dataclass(frozen=True, kw_only=True)
class EvictionsWait:
    """An eviction waits for as long as the disruption budget allows none.

    Claims: of the pods that the budget selects at least two are evicted, and between two evictions
    that follow one another the budget allowed none for `at_least_s` or longer.
    Violated when: two or more are evicted, and none of them had to wait that long.
    Unknown when: fewer are, there is no such budget, or budgets or pods were not watched
    throughout.
    """

    budget: str
    at_least_s: float

    name: ClassVar[str] = "evictions_wait"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"evictions wait {self.at_least_s:g} s for budget {self.budget}")
        events = in_namespace(changes(history, "PodDisruptionBudget"), history)
        budgets = [event for event in events if event.name == self.budget]
        pods = in_namespace(changes(history, "Pod"), history)
        if not budgets:
            found.doubt(f"no budget {self.budget} is in the record")
        selector = budgets[-1].object["spec"].get("selector") if budgets else None
        evicted: dict[str, Watched] = {}
        for event in pods:
            if budgets and _is_evicted(event.object) and selects(selector, labels_of(event.object)):
                evicted.setdefault(event.uid, event)
        concerned = {event.uid for event in budgets} | set(evicted)
        require_watched(found, history, concerned, ["PodDisruptionBudget", "Pod"])
        found.coverage["evictions"] = len(evicted)
        if len(evicted) < 2:
            found.doubt(f"{len(evicted)} pods of budget {self.budget} were evicted, 2 are needed")
            return conclude(self, found)
        end_ns = history.events[-1].time_ns
        none_allowed = _none_allowed(budgets, end_ns)
        in_order = sorted(evicted.values(), key=lambda event: event.time_ns)
        waits = [
            (length_ns(shared(none_allowed, [(one.time_ns, other.time_ns)])), other)
            for one, other in pairwise(in_order)
            if one.time_ns < other.time_ns
        ]
        longest_ns = max((wait for wait, _ in waits), default=0)
        found.figures["longest_wait_s"] = longest_ns / 1e9
        found.summary = f"{len(evicted)} evictions, one waited {longest_ns / 1e9:.1f} s"
        if longest_ns < self.at_least_s * 1e9:
            text = f"no eviction waited longer than {longest_ns / 1e9:.1f} s"
            found.violate(in_order[-1].time_ns, text, *(event.name for event in in_order))
        return conclude(self, found)


def evictions_wait(budget: Subject, *, at_least_s: float) -> EvictionsWait:
    """An eviction is held up by its budget; see `EvictionsWait`.

    Raises `UsageError` for a time that is not positive.
    """
    if at_least_s <= 0:
        raise UsageError("must be positive", subject="evictions_wait", seen=at_least_s)
    return EvictionsWait(budget=name_of(budget), at_least_s=at_least_s)


def _is_evicted(pod: Object) -> bool:
    target = condition(pod, "DisruptionTarget")
    return target.get("status") == "True" and target.get("reason") == _EVICTED


def _none_allowed(budgets: Sequence[Watched], end_ns: int) -> list[Span]:
    """When its status allowed no disruption."""
    spans: list[Span] = []
    moments = [*(event.time_ns for event in budgets[1:]), end_ns]
    for event, until_ns in zip(budgets, moments, strict=True):
        allowed = (event.object.get("status") or {}).get("disruptionsAllowed", 0)
        if event.change != "DELETED" and allowed == 0 and event.time_ns < until_ns:
            spans.append((event.time_ns, until_ns))
    return spans
