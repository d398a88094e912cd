"""Pods that belong to no controller: once gone, gone."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.disturbances import pods_of
from chaoskit.guarantees.objects.watched import Subject, name_of, require_watched
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class NeverMadeAgain:
    """A pod that goes is not made again by anybody, on any node.

    Claims: the pod goes, and from then on until `at_least_s` later or more there is none of its
    name.
    Violated when: another one of its name comes.
    Unknown when: it is not on record or did not go, the record ends too early, or the pods were not
    watched throughout.
    """

    pod: str
    at_least_s: float

    name: ClassVar[str] = "never_made_again"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"{self.pod} is not made again")
        events = pods_of(history, "Pod", self.pod)
        require_watched(found, history, {event.uid for event in events}, ["Pod"])
        gone = next((event for event in events if event.change == "DELETED"), None)
        if gone is None:
            found.doubt(f"{self.pod} did not go" if events else f"{self.pod} is not on record")
            return conclude(self, found)
        for event in events:
            if event.uid != gone.uid and event.resource_version > gone.resource_version:
                after_s = (event.time_ns - gone.time_ns) / 1e9
                node = event.object["spec"].get("nodeName")
                text = f"another {self.pod} came {after_s:.1f} s later, on {node}"
                found.violate(event.time_ns, text, self.pod, event.uid)
        lasted_s = (history.events[-1].time_ns - gone.time_ns) / 1e9
        found.figures["gone_for_s"] = lasted_s
        found.coverage["pods that went"] = 1
        if not found.violations:
            found.summary = f"none came in {lasted_s:.1f} s"
        if lasted_s < self.at_least_s:
            found.doubt(f"the record ends {lasted_s:.1f} s later ({self.at_least_s:g} s needed)")
        return conclude(self, found)


def never_made_again(pod: Subject, *, at_least_s: float = 5.0) -> NeverMadeAgain:
    """Nobody makes the pod again; see `NeverMadeAgain`."""
    return NeverMadeAgain(pod=name_of(pod), at_least_s=at_least_s)
