"""Giving each failure the first explanation that fits."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from chaoskit.guarantees.attribution.error_class import matching_classes
from chaoskit.guarantees.attribution.failures import Failures
from chaoskit.guarantees.attribution.rules import Rule
from chaoskit.guarantees.attribution.world import Explanation, World
from chaoskit.guarantees.intervals import FOREVER_NS, Codes, Mask

#: The cause of a slot that was not sent as the load's limit of requests in flight was reached.
BEHIND_FAILURES = "behind_failed_requests"
_LIMITED = ("in_flight_limit", "unsent")


@dataclass
class Matched:
    """For each failure the number of its rule in `names` and of its explanation (-1: none)."""

    names: list[str]
    cause: Codes
    explanation: Codes
    explanations: list[Explanation] = field(default_factory=list)

    def explain(self, places: Codes, rule: int, explanation: Explanation) -> None:
        """Give these failures that cause."""
        if len(places):
            self.cause[places] = rule
            self.explanation[places] = len(self.explanations)
            self.explanations.append(explanation)


def match(failures: Failures, world: World, rules: Sequence[Rule]) -> Matched:
    """The causes of all failures; those that no rule explains keep the number after the last."""
    names = [rule.__name__ for rule in rules] + [BEHIND_FAILURES]
    matched = Matched(
        names=names,
        cause=np.full(len(failures), len(names), dtype=np.int32),
        explanation=np.full(len(failures), -1, dtype=np.int32),
    )
    left = _Left(failures)
    for number, rule in enumerate(rules):
        for explanation in rule(world):
            if not len(left.places):
                return matched
            places = left.explained_by(explanation)
            if len(places):
                matched.explain(places, number, explanation)
                left.keep(matched.explanation < 0)
    _explain_unsent(failures, matched)
    return matched


class _Left:
    """The failures that have no cause yet."""

    def __init__(self, failures: Failures) -> None:
        self._failures = failures
        took_ns = failures.end_ns - failures.planned_ns
        self._longest_ns = int(took_ns.max(initial=0))
        self._sets_with: dict[str, list[int]] = {}
        for number, uids in enumerate(failures.pod_sets):
            for uid in uids:
                self._sets_with.setdefault(uid, []).append(number)
        self._of_classes: dict[tuple[str, ...], Mask] = {}
        self.places: Codes = np.arange(len(failures), dtype=np.int32)
        self._planned_ns = failures.planned_ns

    def keep(self, unexplained: Mask) -> None:
        """Go on with those only."""
        self.places = self.places[unexplained[self.places]]
        self._planned_ns = self._failures.planned_ns[self.places]

    def explained_by(self, explanation: Explanation) -> Codes:
        """Which of them it explains."""
        failures = self._failures
        start_ns, end_ns = explanation.span
        first = np.searchsorted(self._planned_ns, start_ns - self._longest_ns, side="left")
        beyond = np.searchsorted(self._planned_ns, end_ns, side="right")
        places = self.places[first:beyond]
        fits = failures.end_ns[places] >= start_ns
        fits &= self._is_of(explanation.classes)[failures.error_class.codes[places]]
        if explanation.senders is not None:
            fits &= self._is_there(explanation, places)
        return places[fits]

    def _is_of(self, patterns: tuple[str, ...]) -> Mask:
        if patterns not in self._of_classes:
            values = self._failures.error_class.values
            fits = np.array(matching_classes(values, patterns), dtype=np.bool_)
            self._of_classes[patterns] = fits
        return self._of_classes[patterns]

    def _is_there(self, explanation: Explanation, places: Codes) -> Mask:
        failures = self._failures
        sent = np.zeros(len(failures.senders), dtype=np.bool_)
        sent[list(explanation.senders or ())] = True
        reached = np.zeros(len(failures.pod_sets), dtype=np.bool_)
        for uid in explanation.pods:
            reached[self._sets_with.get(uid, [])] = True
        there: Mask = sent[failures.sender[places]] | reached[failures.pods[places]]
        return there


def _explain_unsent(failures: Failures, matched: Matched) -> None:
    """A slot that could not be sent, as others of its load filled the limit of requests in flight.

    Needs: that at its planned time a request of the same load was under way that failed for a
    known cause. What made those hang is also what left no room for this one.
    """
    limited = np.array(matching_classes(failures.error_class.values, _LIMITED), dtype=np.bool_)
    open_ = failures.unsent & (matched.explanation < 0)
    if not open_.any():
        return
    open_ &= limited[failures.error_class.codes]
    loads = [sender.load for sender in failures.senders]
    for load in sorted(set(loads)):
        of_load = np.array([each == load for each in loads])[failures.sender]
        known = np.flatnonzero(of_load & ~failures.unsent & (matched.explanation >= 0))
        waiting = np.flatnonzero(of_load & open_).astype(np.int32)
        if not len(known) or not len(waiting):
            continue
        under_way_until = np.maximum.accumulate(failures.end_ns[known])
        planned = failures.planned_ns[waiting]
        before = np.searchsorted(failures.planned_ns[known], planned, side="right") - 1
        behind = (before >= 0) & (under_way_until[np.maximum(before, 0)] >= planned)
        explanation = Explanation(
            span=(0, FOREVER_NS),
            layer="driver",
            text=f"requests that failed filled the limit of requests in flight of load {load}",
            objects=(load,),
            classes=_LIMITED,
        )
        matched.explain(waiting[behind], len(matched.names) - 1, explanation)
