"""A number of pods that changes in the middle of a rollout is shared by the ReplicaSets' sizes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.bounds import resolved
from chaoskit.guarantees.objects.watched import (
    Object,
    Subject,
    changes,
    name_of,
    owned_by,
    owner,
    require_watched,
)
from chaoskit.guarantees.rollouts.deployment_state import (
    replicas_of,
    sized_for,
    strategy_of,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class ScaledInProportion:
    """A Deployment scaled in the middle of a rollout shares the difference by ReplicaSet size.

    Claims: when the number of pods changes while several of its ReplicaSets ask for some, and
    together for as many as desired + maxSurge, then each asks for its former number times the new
    desired + maxSurge divided by the old one, within `within_pods`; and all together for exactly
    the new desired + maxSurge.
    Violated when: one of them, or all together, ask for another number.
    Unknown when: no such change is on record (only changes while they ask for fewer pods, whose
    difference goes to the largest), the strategy is not RollingUpdate, or the Deployment or its
    ReplicaSets were not watched throughout.
    """

    deployment: str
    within_pods: int

    name: ClassVar[str] = "scaled_in_proportion"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"{self.deployment} scaled in mid-rollout is shared by size")
        owned = owned_by(history, "Deployment", self.deployment)
        kinds = ("Deployment", "ReplicaSet")
        require_watched(found, history, owned.uids, kinds)
        uids = {event.uid for event in owned.workload}
        told = []
        for scaling in _scalings(changes(history, *kinds), uids):
            if scaling.is_rolling and scaling.is_full:
                self._judge(found, scaling)
                told.append(scaling.text)
        found.coverage["scalings in mid-rollout"] = len(told)
        found.summary = "; ".join(told)
        if not told:
            found.doubt(f"{self.deployment} was not scaled while several ReplicaSets were full")
        return conclude(self, found)

    def _judge(self, found: Findings, scaling: "_Scaling") -> None:
        for each in scaling.parts.values():
            share = each.before * scaling.new_most / scaling.old_most
            if abs(each.after - share) > self.within_pods:
                text = (
                    f"{each.event.name} went from {each.before} to {each.after} pods, where its"
                    f" share of {scaling.new_most} is {share:.1f}"
                )
                off = abs(each.after - share)
                found.violate(each.event.time_ns, text, each.event.name, weight=off)
        last = list(scaling.parts.values())[-1].event
        asked = sum(each.after for each in scaling.parts.values())
        if asked != scaling.new_most:
            text = f"its ReplicaSets ask for {asked} pods, where {scaling.new_most} are to be"
            found.violate(last.time_ns, text, self.deployment)


def scaled_in_proportion(deployment: Subject, *, within_pods: int = 1) -> ScaledInProportion:
    """Extra replicas are shared by ReplicaSet size; see `ScaledInProportion`."""
    return ScaledInProportion(deployment=name_of(deployment), within_pods=within_pods)


@dataclass(frozen=True)
class _Part:
    """What one ReplicaSet asked for before and after, and the change that says so."""

    before: int
    after: int
    event: Watched


@dataclass
class _Scaling:
    """One pass of the controller over the ReplicaSets that ask for pods."""

    old_most: int
    new_most: int
    is_rolling: bool
    parts: dict[str, _Part] = field(default_factory=dict)

    @property
    def is_full(self) -> bool:
        """Whether several asked for pods, together for as many as could be."""
        return len(self.parts) > 1 and self.old_most == sum(
            each.before for each in self.parts.values()
        )

    @property
    def text(self) -> str:
        """Who went from how many pods to how many."""
        parts = [f"{each.before} → {each.after}" for each in self.parts.values()]
        return f"at most {self.old_most} → {self.new_most} pods: {', '.join(parts)}"


def _scalings(events: list[Watched], deployments: set[str]) -> Iterator[_Scaling]:
    """Each change of the number of pods as it reached the ReplicaSets, in order."""
    spec: Object = {}
    sets: dict[str, Object] = {}
    current: _Scaling | None = None
    for event in events:
        if event.kind == "Deployment" and event.uid in deployments:
            spec = event.object["spec"]
        if str((owner(event.object, "Deployment") or {}).get("uid")) not in deployments:
            continue
        before, after = sets.get(event.uid), event.object
        sets[event.uid] = after
        if before is None or event.change == "DELETED" or not replicas_of(before):
            continue
        old, new = sized_for(before), sized_for(after)
        if old is None or new is None or old == new or not spec:
            continue
        key = _most(spec, old), _most(spec, new)
        if current is None or event.uid in current.parts or key != _key(current):
            if current is not None:
                yield current
            is_rolling = strategy_of({"spec": spec}) == "RollingUpdate"
            current = _Scaling(*key, is_rolling)
        current.parts[event.uid] = _Part(replicas_of(before), replicas_of(after), event)
    if current is not None:
        yield current


def _key(scaling: _Scaling) -> tuple[int, int]:
    return scaling.old_most, scaling.new_most


def _most(spec: Object, desired: int) -> int:
    """As many pods as there may be while so many are desired."""
    if desired == 0:
        return 0
    rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
    bounds = rolling.get("maxSurge", "25%"), rolling.get("maxUnavailable", "25%")
    return desired + resolved(*bounds, desired)[0]
