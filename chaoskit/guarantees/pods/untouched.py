"""Pods that could not start run by themselves once what they lacked is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.watched import (
    Subject,
    is_finished,
    is_leaving,
    is_ready,
    kind_of,
    latest,
    name_of,
    owned_by,
    require_watched,
)
from chaoskit.guarantees.pods.moments import HEALED, recovery_moments
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class RunsUntouched:
    """Pods that waited for something become Ready when it is there, and nobody replaces them.

    Claims: each pod of the workload that is not Ready, and not leaving, at the end of each
    finished step `after` on it or a pod of it (`after="healed"`: at each heal, of `fault` or of
    all faults) becomes Ready within `at_most_s`: that very pod, by its uid.
    Violated when: it is deleted before it is Ready, or not Ready by then.
    Unknown when: there was no such moment, no pod waited at it, the fault was not proved in effect,
    the record ends too early, or the pods were not watched throughout.
    """

    workload: str
    kind: str
    at_most_s: float
    after: str
    fault: str | None

    name: ClassVar[str] = "runs_untouched"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"{self.workload} runs untouched {self.at_most_s:g} s later")
        owned = owned_by(history, self.kind, self.workload)
        require_watched(found, history, owned.uids, [self.kind, "Pod"])
        moments = recovery_moments(
            history,
            found,
            after=self.after,
            fault=self.fault,
            targets={self.workload, *(event.name for event in owned.pods)},
            at_most_s=self.at_most_s,
        )
        if not moments:
            found.doubt(f"no moment '{self.after}' of {self.workload} is in the record")
        for moment_ns in moments:
            waiting = {
                uid
                for uid, pod in latest(owned.pods, moment_ns).items()
                if not (is_ready(pod.object) or is_leaving(pod.object) or is_finished(pod.object))
            }
            found.coverage["waiting pods"] = found.coverage.get("waiting pods", 0) + len(waiting)
            if not waiting:
                found.doubt(f"no pod of {self.workload} waited at '{self.after}'")
            for uid in sorted(waiting):
                later = [e for e in owned.pods if e.uid == uid and e.time_ns > moment_ns]
                name = next(e.name for e in owned.pods if e.uid == uid)
                self._judge(found, name, later, moment_ns, history.events[-1].time_ns)
        return conclude(self, found)

    def _judge(
        self, found: Findings, name: str, later: Sequence[Watched], moment_ns: int, end_ns: int
    ) -> None:
        limit_ns = moment_ns + int(self.at_most_s * 1e9)
        for event in later:
            took_s = (event.time_ns - moment_ns) / 1e9
            if event.time_ns > limit_ns and not is_ready(event.object):
                break
            if event.change == "DELETED" or is_leaving(event.object):
                text = f"{name} was taken away after {took_s:.1f} s, before it was Ready"
                found.violate(event.time_ns, text, name)
                return
            if is_ready(event.object):
                found.figures["ready_after_s"] = max(took_s, found.figures.get("ready_after_s", 0))
                found.summary = f"{name} is Ready {took_s:.1f} s after '{self.after}'"
                if event.time_ns > limit_ns:
                    text = f"{name} is Ready only after {took_s:.1f} s"
                    found.violate(event.time_ns, text, name, weight=took_s)
                return
        if end_ns >= limit_ns:
            found.violate(limit_ns, f"{name} is not Ready after {self.at_most_s:g} s", name)
        else:
            found.doubt(f"the record ends too early: {name} is not Ready")


def runs_untouched(
    at_most_s: float,
    workload: Subject,
    *,
    after: str = HEALED,
    fault: str | None = None,
) -> RunsUntouched:
    """Pods that waited run by themselves; see `RunsUntouched`."""
    return RunsUntouched(
        workload=name_of(workload),
        kind=kind_of(workload, "Deployment"),
        at_most_s=at_most_s,
        after=after,
        fault=fault,
    )
