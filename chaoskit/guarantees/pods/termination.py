"""A pod that is deleted leaves the endpoints, gets its grace, and goes when it has ended."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.intervals import FOREVER_NS
from chaoskit.guarantees.objects.disturbances import Disturbances, pods_of
from chaoskit.guarantees.objects.processes import last_scan_ns, scan_doubts
from chaoskit.guarantees.objects.watched import Subject, kind_of, name_of, require_watched
from chaoskit.guarantees.pods.ready_endpoints import ReadyEndpoint, ready_endpoints, slices_of
from chaoskit.guarantees.pods.termination_rules import (
    Case,
    Offence,
    container_offences,
    object_offences,
)
from chaoskit.guarantees.pods.terminations import lives_of, terminations_of
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History

_KINDS = ("Pod", "EndpointSlice", "Service", "Node")

#: The scans are reported once a second, and no two nodes' at the same moment.
_SCAN_REPORT_NS = 2_500_000_000


@dataclass(frozen=True, kw_only=True)
class TerminationInOrder:
    """A pod that is deleted ordinarily ends in the order that Kubernetes promises.

    Claims: (a) its endpoints are not ready any more `kubelet_slack_s` after its deletionTimestamp
    was seen (those of Services with publishNotReadyAddresses are left out); (b) its containers
    are gone at the latest when the grace and `kubelet_slack_s` are over, its object not before
    them, and at the latest `clean_up_s` after that (the kubelet takes sandbox and volumes down
    first); (c) no container that ends with exit code 137 (SIGKILL) does so before the grace is
    over; (d) a container with a preStop wait of known length (sleep, or exec of a sleep) lives at
    least that long, or for the grace. A preStop hook, a sidecar or a grace below 2 s may add 2 s
    (minimumGracePeriodInSeconds of the kubelet, pkg/kubelet/kuberuntime in Kubernetes 1.36).
    Forced deletions, and pods that never ran or had finished, are counted and not judged. Kills
    for want of memory are not charged.
    Violated when: one of the four is not so, and neither a fault on the pod, its node or the
    control plane, nor a node that is not Ready explains it.
    Unknown when: no pod with a running container was deleted ordinarily, only disturbed ones
    offend, a container was not seen on its node or the node not scanned, the record ends too
    early, or pods, endpoints, Services or nodes were not watched throughout.
    """

    workload: str
    kind: str
    kubelet_slack_s: float
    clean_up_s: float

    name: ClassVar[str] = "termination_in_order"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"pods of {self.workload} end in order")
        pods = pods_of(history, self.kind, self.workload)
        uids = {event.uid for event in pods}
        slices = slices_of(history, uids)
        require_watched(found, history, uids | {event.uid for event in slices}, _KINDS)
        ended = terminations_of(history, pods)
        if not ended.ordinary:
            found.doubt(f"no pod of {self.workload} was deleted ordinarily")
        found.doubt(*(f"the deletion of {pod} began before the watch" for pod in ended.earlier))
        found.coverage |= {
            "ordinary terminations": len(ended.ordinary),
            "forced deletions": ended.forced,
            "pods that never ran or had finished": ended.idle,
        }
        judge = _Judge(
            rule=self,
            found=found,
            history=history,
            endpoints=ready_endpoints(slices),
            disturbances=Disturbances.of(history),
        )
        lives = lives_of(history, uids)
        for each in ended.ordinary:
            case = Case.of(
                each,
                lives.get(each.uid, {}),
                history,
                slack_ns=round(self.kubelet_slack_s * 1e9),
                clean_up_ns=round(self.clean_up_s * 1e9),
            )
            judge.judge(case)
        if ended.ordinary and not judge.had_containers:
            found.doubt(f"no pod of {self.workload} ran a container when it was deleted ordinarily")
        found.figures |= judge.figures
        found.summary = (
            f"{len(ended.ordinary)} pods deleted ordinarily,"
            f" the slowest gone after {judge.figures.get('longest_termination_s', 0):.1f} s"
        )
        return conclude(self, found)


def termination_in_order(
    workload: Subject,
    *,
    kind: str | None = None,
    kubelet_slack_s: float = 2.0,
    clean_up_s: float = 5.0,
) -> TerminationInOrder:
    """Pods of a workload (of its own or the given kind) end in order; see `TerminationInOrder`.

    Raises `UsageError` for times that are not positive.
    """
    for what, seconds in (("kubelet_slack_s", kubelet_slack_s), ("clean_up_s", clean_up_s)):
        if seconds <= 0:
            raise UsageError(
                "must be positive", subject=f"termination_in_order's {what}", seen=seconds
            )
    return TerminationInOrder(
        workload=name_of(workload),
        kind=kind or kind_of(workload, "Deployment"),
        kubelet_slack_s=kubelet_slack_s,
        clean_up_s=clean_up_s,
    )


class _Judge:
    """Judges one termination after the other into one finding."""

    def __init__(
        self,
        *,
        rule: TerminationInOrder,
        found: Findings,
        history: History,
        endpoints: dict[str, list[ReadyEndpoint]],
        disturbances: Disturbances,
    ) -> None:
        self.found, self.history = found, history
        self.endpoints, self.disturbances = endpoints, disturbances
        self.slack_ns = round(rule.kubelet_slack_s * 1e9)
        self.scanned_until = last_scan_ns(history)
        self.figures: dict[str, float] = {}
        self.had_containers = False
        self.found.coverage |= {"endpoints judged": 0, "containers judged": 0, "preStop waits": 0}

    def judge(self, case: Case) -> None:
        """One pod: what it did wrong, and what cannot be told."""
        ended = case.ended
        self.had_containers = self.had_containers or bool(case.expected)
        end_ns = case.end_ns if ended.released_ns is None else ended.released_ns
        if ended.released_ns is not None:
            self._figure("longest_termination_s", (end_ns - ended.asked_ns) / 1e9)
        self.found.coverage["containers judged"] += len(case.judged)
        self.found.coverage["preStop waits"] += len(case.waits_s)
        self.found.doubt(*case.doubts(), *self._scan_doubts(case, end_ns))
        offences = [
            *self._endpoint_offences(case),
            *container_offences(case),
            *object_offences(case),
        ]
        excuses = self.disturbances.around(ended.pod, ended.node, ended.asked_ns, end_ns)
        if ended.disruption == "TerminationByKubelet":
            excuses.append("the kubelet evicted it, with a grace of its own")
        for offence in offences:
            if excuses:
                self.found.doubt(f"{offence.text}, while {excuses[0]}")
            else:
                objects = ended.pod, *offence.others
                self.found.violate(offence.time_ns, offence.text, *objects, weight=offence.seconds)

    def _endpoint_offences(self, case: Case) -> list[Offence]:
        ended, offences = case.ended, []
        due_ns = ended.asked_ns + self.slack_ns
        for endpoint in self.endpoints.get(ended.uid, []):
            left = [span for span in endpoint.spans if span[1] > ended.asked_ns]
            if not left:
                continue
            self.found.coverage["endpoints judged"] += 1
            for start_ns, stop_ns in left:
                last_ns = case.end_ns if stop_ns == FOREVER_NS else stop_ns
                self._figure("slowest_endpoint_s", (last_ns - ended.asked_ns) / 1e9)
                if last_ns > due_ns:
                    ready_s = (last_ns - ended.asked_ns) / 1e9
                    text = (
                        f"the endpoint of {ended.pod} in {endpoint.slice} was ready"
                        f" {ready_s:.1f} s after its deletion"
                    )
                    offences.append(
                        Offence(max(start_ns, due_ns), text, ready_s, (endpoint.slice,))
                    )
                elif stop_ns == FOREVER_NS:
                    self.found.doubt(
                        f"the record ends while the endpoint of {ended.pod} may still be ready"
                    )
        return offences

    def _scan_doubts(self, case: Case, end_ns: int) -> list[str]:
        if not case.expected:
            return []
        last_ns = max(self.scanned_until.values(), default=0) - _SCAN_REPORT_NS
        until_ns = min(end_ns, last_ns)
        node = case.ended.node
        return scan_doubts(self.history, [node], min(case.ended.asked_ns, until_ns), until_ns)

    def _figure(self, name: str, value: float) -> None:
        self.figures[name] = max(value, self.figures.get(name, 0.0))
