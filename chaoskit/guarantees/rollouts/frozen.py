"""A rollout whose control plane is away stands still, and is not lost."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.fault_windows import FaultWindow, fault_doubts, fault_windows
from chaoskit.guarantees.objects.watched import (
    Owned,
    Subject,
    latest,
    name_of,
    owned_by,
    require_watched,
)
from chaoskit.guarantees.rollouts.deployment_state import KINDS, is_complete
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class RolloutFrozen:
    """A rollout stands still while `fault` lasts, and nothing of it is lost.

    Claims: in each window of `fault` at whose injection a rollout of the Deployment was under way,
    no pod of it gets a node from `settle_s` after the injection until the heal is requested, and
    the rollout is still under way then.
    Violated when: a pod gets a node, or the rollout is complete.
    Unknown when: no rollout was under way at any injection, the fault was not proved in effect, it
    lasted less than `at_least_s` after settling, or the Deployment, its ReplicaSets or pods were
    not watched throughout.
    """

    deployment: str
    fault: str
    at_least_s: float
    settle_s: float

    name: ClassVar[str] = "rollout_frozen"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"the rollout of {self.deployment} stands still in {self.fault}")
        owned = owned_by(history, "Deployment", self.deployment)
        require_watched(found, history, owned.uids, KINDS)
        windows = fault_windows(history, self.fault)
        found.doubt(*fault_doubts(windows, self.fault))
        if not owned.workload:
            found.doubt(f"deployment {self.deployment} is not in the record")
        met = [window for window in windows if _is_under_way(owned, window.injected_ns)]
        found.coverage |= {"windows": len(windows), "windows with a rollout under way": len(met)}
        if windows and not met:
            found.doubt(f"no rollout of {self.deployment} was under way when it was injected")
        for window in met:
            self._judge(found, owned, window)
        return conclude(self, found)

    def _judge(self, found: Findings, owned: Owned, window: FaultWindow) -> None:
        if window.injected_ns is None or window.heal_requested_ns is None:
            return  # the windows' own doubts say so
        start_ns = window.injected_ns + int(self.settle_s * 1e9)
        end_ns = window.heal_requested_ns
        frozen_s = (end_ns - start_ns) / 1e9
        if frozen_s < self.at_least_s:
            found.doubt(f"{self.fault} lasted only {frozen_s:.1f} s after settling")
        bound: set[str] = set()
        for event in owned.pods:
            if event.uid in bound or not event.object["spec"].get("nodeName"):
                continue
            bound.add(event.uid)
            if start_ns <= event.time_ns < end_ns:
                after_s = (event.time_ns - window.injected_ns) / 1e9
                text = f"{event.name} got a node {after_s:.1f} s after the injection"
                found.violate(event.time_ns, text, event.name)
        if not _is_under_way(owned, end_ns):
            found.violate(end_ns, f"{self.deployment} was complete before the heal")
        found.figures["frozen_s"] = min(frozen_s, found.figures.get("frozen_s", frozen_s))
        found.summary = f"no pod got a node for {found.figures['frozen_s']:.1f} s"


def rollout_frozen(
    deployment: Subject, *, fault: str, at_least_s: float = 3.0, settle_s: float = 1.0
) -> RolloutFrozen:
    """A rollout stands still while what moves it is away; see `RolloutFrozen`.

    Raises `UsageError` for a time that is not positive.
    """
    if at_least_s <= 0 or settle_s < 0:
        raise UsageError(
            "must be positive",
            subject="rollout_frozen's at_least_s and settle_s",
            seen=f"{at_least_s:g}, {settle_s:g}",
        )
    return RolloutFrozen(
        deployment=name_of(deployment), fault=fault, at_least_s=at_least_s, settle_s=settle_s
    )


def _is_under_way(owned: Owned, at_ns: int | None) -> bool:
    """Whether the Deployment's status as of that moment says that a rollout is not complete."""
    if at_ns is None:
        return False
    states = latest(owned.workload, at_ns).values()
    return bool(states) and not all(is_complete(each.object) for each in states)
