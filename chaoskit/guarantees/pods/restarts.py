"""Containers that end again and again are restarted by the kubelet's back-off."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.disturbances import Disturbances, pods_of
from chaoskit.guarantees.objects.watched import (
    Object,
    Subject,
    is_finished,
    is_leaving,
    kind_of,
    name_of,
    require_watched,
)
from chaoskit.guarantees.pods.container_runs import (
    Container,
    Run,
    containers_of,
)
from chaoskit.guarantees.pods.restart_schedule import BackOff, Wait, waits_of
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class RestartsBackOff:
    """Containers that end again and again are restarted by the kubelet's back-off.

    Claims: the first restart comes at once, the second `first_s` after the container's end, each
    further one after twice the wait, up to `most_s`; 600 s after a restart without another the
    count begins anew, as it does with another image or other resources. Restarts may come late
    by the kubelet's own jitter (half the wait, at most 30 s: it looks again at least each minute)
    and `sync_slack_s`. A container with a liveness or startup probe may have been killed by the
    kubelet, which then counts from the end before and one restart less; it is charged only for
    what is too early by that count, too. Times have a resolution of 1 s.
    Source: doBackOff, completeWork and newCrashLoopBackOff of the kubelet in Kubernetes 1.36. The
    feature gate ReduceDefaultCrashLoopBackOffDecay (alpha, off) makes it 1 s to 60 s; the kubelet
    setting crashLoopBackOff.maxContainerRestartPeriod sets `most_s`.
    Violated when: a restart comes too early or too late, or does not come at all, and neither a
    fault on the pod, its node or the control plane, nor a node that is not Ready explains it.
    Unknown when: no container was restarted twice, so that there was something to wait for, with
    all its restarts on record; a container has restart rules that restart all; only disturbed
    ones offend; or pods or nodes were not watched throughout.
    """

    workload: str
    kind: str
    first_s: float
    most_s: float
    sync_slack_s: float

    name: ClassVar[str] = "restarts_back_off"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"containers of {self.workload} are restarted by the back-off")
        pods = pods_of(history, self.kind, self.workload)
        require_watched(found, history, {event.uid for event in pods}, ("Pod", "Node"))
        rule = BackOff(first_s=self.first_s, most_s=self.most_s, sync_slack_s=self.sync_slack_s)
        judge = _Judge(found=found, rule=rule, disturbances=Disturbances.of(history))
        for container in containers_of(pods):
            judge.judge(container, history.events[-1].time_ns)
        found.coverage |= {
            "restarts": judge.restarts,
            "restarts after a known wait": judge.after_known_wait,
        }
        if not judge.restarts:
            found.doubt(f"no container of {self.workload} was restarted")
        elif not judge.after_known_wait:
            found.doubt(f"no container of {self.workload} is known to have been restarted twice")
        if judge.longest is not None:
            found.figures["longest_wait_s"] = judge.longest
        found.summary = f"{judge.restarts} restarts, the longest wait {judge.longest or 0:g} s"
        return conclude(self, found)


def restarts_back_off(
    workload: Subject,
    *,
    kind: str | None = None,
    first_s: float = 10.0,
    most_s: float = 300.0,
    sync_slack_s: float = 15.0,
) -> RestartsBackOff:
    """Containers of a workload (of its own or the given kind) back off; see `RestartsBackOff`.

    Raises `UsageError` for times that are not positive, or a first wait above the longest.
    """
    for what, seconds in (("first_s", first_s), ("sync_slack_s", sync_slack_s)):
        if seconds <= 0:
            raise UsageError(
                "must be positive", subject=f"restarts_back_off's {what}", seen=seconds
            )
    if most_s < first_s:
        raise UsageError(
            "must not be below first_s", subject="restarts_back_off's most_s", seen=most_s
        )
    return RestartsBackOff(
        workload=name_of(workload),
        kind=kind or kind_of(workload, "Deployment"),
        first_s=first_s,
        most_s=most_s,
        sync_slack_s=sync_slack_s,
    )


@dataclass(kw_only=True)
class _Judge:
    """Judges one container after the other into one finding."""

    found: Findings
    rule: BackOff
    disturbances: Disturbances
    restarts: int = 0
    after_known_wait: int = 0
    longest: float | None = None

    def judge(self, container: Container, end_ns: int) -> None:
        """All restarts of one container, and one that is missing."""
        if _restarts_all(container.last.object):
            self.found.doubt(f"{container.pod} has restart rules that restart all its containers")
            return
        waits = waits_of(container, self.rule)
        for wait in waits:
            self._judge_wait(container, wait)
        self._judge_missing(container, waits, end_ns)

    def _judge_wait(self, container: Container, wait: Wait) -> None:
        self.restarts += 1
        self.after_known_wait += wait.is_known and wait.restart > 1
        self.longest = max(wait.took_s, self.longest or 0.0)
        what = f"container {container.name} of {container.pod} was restarted {wait.took_s:g} s"
        after = f"after its end (restart {wait.run.number})"
        if wait.is_early:
            text = f"{what} {after}, where the back-off is {wait.due_s:g} s"
            self._charge(container, wait.run.seen_ns, text, container.numbered()[0].seen_ns)
        elif wait.is_late:
            text = f"{what} {after}, where at most {wait.at_most_s:g} s are due"
            ended_ns = wait.before.ended_seen_ns or wait.run.seen_ns
            self._charge(container, wait.run.seen_ns, text, ended_ns)

    def _judge_missing(self, container: Container, waits: list[Wait], end_ns: int) -> None:
        runs = container.numbered()
        if not runs or runs[-1].ended_seen_ns is None or not _may_be_restarted(container):
            return
        last: Run = runs[-1]
        ended_ns = last.ended_seen_ns or 0
        due_s = waits[-1].next_due_s if waits else None
        if container.is_new and last.number == 0:
            due_s = self.rule.due_s(1)
        at_most_s = self.rule.at_most_s(due_s)
        limit_ns = ended_ns + round(at_most_s * 1e9)
        if (last.number or 0) + 1 in container.hindered or end_ns <= limit_ns:
            return
        text = (
            f"container {container.name} of {container.pod} was not restarted for"
            f" {(end_ns - ended_ns) / 1e9:.0f} s, where at most {at_most_s:g} s are due"
        )
        self._charge(container, limit_ns, text, ended_ns)

    def _charge(self, container: Container, time_ns: int, text: str, since_ns: int) -> None:
        reasons = self.disturbances.around(container.pod, container.node, since_ns, time_ns)
        if reasons:
            self.found.doubt(f"{text}, while {reasons[0]}")
        else:
            self.found.violate(time_ns, text, container.pod, container.name)


def _may_be_restarted(container: Container) -> bool:
    pod = container.last
    is_there = (
        pod.change != "DELETED" and not is_leaving(pod.object) and not is_finished(pod.object)
    )
    return is_there and container.is_backing_off and container.should_restart


def _restarts_all(pod: Object) -> bool:
    rules = (
        rule.get("action")
        for container in pod["spec"].get("containers") or []
        for rule in container.get("restartPolicyRules") or []
    )
    return "RestartAllContainers" in rules
