"""Pods on a node that is lost or tainted go when their tolerations end: not sooner, not later."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.fault_windows import FaultWindow
from chaoskit.guarantees.objects.disturbances import pods_of
from chaoskit.guarantees.objects.watched import (
    Subject,
    condition,
    kind_of,
    name_of,
    require_watched,
)
from chaoskit.guarantees.pods.on_nodes import (
    befallen,
    lasted_until_ns,
    pods_on,
    told_to_go,
    windows_on,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History

_BY_TAINT = "DeletionByTaintManager"


@dataclass(frozen=True, kw_only=True)
class EvictedBetween:
    """Pods on a node are told to end in a stated time after a fault came, by nobody but its taint.

    Claims: each pod of the workload that is bound to `node` when `fault` is requested there gets a
    deletionTimestamp at the earliest `earliest_s` and at the latest `latest_s` after it came, by
    the taint manager (condition DisruptionTarget).
    Violated when: it surely went sooner or later, or did not go though the fault lasted longer.
    Unknown when: the fault was never injected there, not proved in effect, or healed too soon; no
    pod was on the node; one went by another cause; the moment cannot be told from the bound; or
    the pods were not watched throughout.
    """

    workload: str
    kind: str
    node: str
    earliest_s: float
    latest_s: float
    fault: str

    name: ClassVar[str] = "evicted_between"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(
            title=f"{self.workload} leaves {self.node} {self.earliest_s:g} to {self.latest_s:g} s"
            f" after {self.fault}"
        )
        for each in befallen(
            history,
            found,
            workload=self.workload,
            kind=self.kind,
            node=self.node,
            fault=self.fault,
        ):
            self._judge(found, each.pod.name, each.told_to_go, each.window, history)
        return conclude(self, found)

    def _judge(
        self,
        found: Findings,
        pod: str,
        gone: Watched | None,
        window: FaultWindow,
        history: History,
    ) -> None:
        if window.injected_ns is None:
            return
        until_ns = lasted_until_ns(history, window)
        if gone is None or gone.time_ns > until_ns:
            lasted_s = (until_ns - window.injected_ns) / 1e9
            if lasted_s > self.latest_s:
                found.violate(until_ns, f"{pod} was not told to end in {lasted_s:.1f} s", pod)
            else:
                found.doubt(f"{self.fault} lasted only {lasted_s:.1f} s")
            return
        # It came between the request and its end, so the time until then lies between these two.
        least_s = max(gone.time_ns - window.injected_ns, 0) / 1e9
        most_s = (gone.time_ns - window.requested_ns) / 1e9
        found.figures |= {f"{pod}_went_after_s": most_s}
        found.summary = f"{pod} was told to end after {most_s:.1f} s"
        cause = str(condition(gone.object, "DisruptionTarget").get("reason", "somebody's delete"))
        if most_s < self.earliest_s or least_s > self.latest_s:
            when = "already" if most_s < self.earliest_s else "only"
            text = f"{pod} was told to end {when} after {most_s:.1f} s, by {cause}"
            found.violate(gone.time_ns, text, pod)
        elif least_s < self.earliest_s or most_s > self.latest_s:
            found.doubt(f"{pod} was told to end {least_s:.1f} to {most_s:.1f} s after the fault")
        if cause != _BY_TAINT:
            found.doubt(f"{pod} went by {cause}, not by {_BY_TAINT}")


@dataclass(frozen=True, kw_only=True)
class NotEvicted:
    """Pods on a node are not told to end while a fault is there.

    Claims: no pod of the workload that is bound to `node` when `fault` is requested there gets a
    deletionTimestamp until it is healed, `at_least_s` later or more.
    Violated when: one does.
    Unknown when: the fault was never injected there, not proved in effect, or healed sooner; no
    pod was on the node; or the pods were not watched throughout.
    """

    workload: str
    kind: str
    node: str
    at_least_s: float
    fault: str

    name: ClassVar[str] = "not_evicted"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"{self.workload} stays on {self.node} during {self.fault}")
        pods = pods_of(history, self.kind, self.workload)
        require_watched(found, history, {event.uid for event in pods}, ["Pod"])
        count = 0
        for window in windows_on(history, found, self.fault, self.node):
            if window.injected_ns is None:
                continue
            until_ns = lasted_until_ns(history, window)
            lasted_s = (until_ns - window.injected_ns) / 1e9
            if lasted_s < self.at_least_s:
                found.doubt(f"{self.fault} lasted only {lasted_s:.1f} s")
            present = pods_on(pods, self.node, window.requested_ns)
            count += len(present)
            for uid, pod in present.items():
                gone = told_to_go(e for e in pods if e.uid == uid)
                if gone is not None and window.requested_ns < gone.time_ns <= until_ns:
                    after_s = (gone.time_ns - window.requested_ns) / 1e9
                    text = f"{pod.name} was told to end after {after_s:.1f} s"
                    found.violate(gone.time_ns, text, pod.name)
            found.figures["stayed_s"] = lasted_s
            found.summary = f"{len(present)} pods for {lasted_s:.1f} s"
        found.coverage["pods on the node"] = count
        if not count:
            found.doubt(f"no pod of {self.workload} was on {self.node}")
        return conclude(self, found)


def evicted_between(
    workload: Subject,
    node: Subject,
    earliest_s: float,
    latest_s: float,
    *,
    fault: str,
    kind: str | None = None,
) -> EvictedBetween:
    """Pods on a node go in a stated time after a fault came; see `EvictedBetween`.

    Raises `UsageError` for times that are negative or the wrong way round.
    """
    if not 0 <= earliest_s < latest_s:
        raise UsageError(
            "are no span of time", subject="evicted_between's times", seen=(earliest_s, latest_s)
        )
    return EvictedBetween(
        workload=name_of(workload),
        kind=kind or kind_of(workload, "Deployment"),
        node=name_of(node),
        earliest_s=earliest_s,
        latest_s=latest_s,
        fault=fault,
    )


def not_evicted(
    workload: Subject, node: Subject, *, fault: str, at_least_s: float, kind: str | None = None
) -> NotEvicted:
    """Pods on a node stay for as long as a fault is there; see `NotEvicted`."""
    return NotEvicted(
        workload=name_of(workload),
        kind=kind or kind_of(workload, "Deployment"),
        node=name_of(node),
        at_least_s=at_least_s,
        fault=fault,
    )
