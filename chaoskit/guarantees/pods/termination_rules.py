"""What the end of one pod must look like, from its deletion to the end of its object."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from chaoskit.guarantees.objects.availability_over_time import wall_offset_ns
from chaoskit.guarantees.objects.processes import last_scan_ns
from chaoskit.guarantees.objects.watched import Object
from chaoskit.guarantees.pods.terminations import ContainerExit, ContainerLife, Termination
from chaoskit.history.reader import History

#: SIGKILL as an exit code: 128 + 9.
_KILLED = 137

#: minimumGracePeriodInSeconds: after a preStop hook, or while it waits for its turn among
#: sidecars, a container gets at least that between TERM and KILL (pkg/kubelet/kuberuntime).
_SHORTEST_GRACE_NS = 2_000_000_000

#: A scan takes a while: what it saw may have ended just before it was dated. The wall clock may
#: drift by as much against the monotonic one in a run.
_SCAN_NS = 100_000_000


class Offence(NamedTuple):
    """Something that must not be: when, what, how grave (in seconds), and what else it concerns."""

    time_ns: int
    text: str
    seconds: float
    others: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Case:
    """One termination with all that is known of its containers.

    `expected`: the containers that ran when it was asked, by id; `judged`: those of them that
    were seen on the node; one never seen gone lived at least until the node's last scan.
    `waits_s`: the known lengths of their preStop waits. `end_ns`: the end of the record.
    """

    ended: Termination
    expected: dict[str, str]
    judged: dict[str, ContainerLife]
    exits: dict[str, ContainerExit]
    waits_s: dict[str, float]
    slack_ns: int
    clean_up_ns: int
    end_ns: int
    not_seen: list[str]

    @classmethod
    def of(
        cls,
        ended: Termination,
        lives: dict[str, ContainerLife],
        history: History,
        *,
        slack_ns: int,
        clean_up_ns: int,
    ) -> "Case":
        """What the record says about one termination."""
        expected = ended.running_before()
        scanned_ns = last_scan_ns(history).get(ended.node, 0)
        seen = {
            cid: lives[cid]
            if lives[cid].gone_ns is not None
            else replace(lives[cid], last_ns=max(lives[cid].last_ns, scanned_ns))
            for cid in expected
            if cid in lives
        }
        waits = {cid: pre_stop_wait_s(ended.spec, name) for cid, name in expected.items()}
        return cls(
            ended=ended,
            expected=expected,
            judged=seen,
            exits=ended.exits(wall_offset_ns(history)),
            waits_s={cid: wait_s for cid, wait_s in waits.items() if wait_s and cid in seen},
            slack_ns=slack_ns,
            clean_up_ns=clean_up_ns,
            end_ns=history.events[-1].time_ns,
            not_seen=[name for cid, name in expected.items() if cid not in lives],
        )

    @property
    def containers_due_ns(self) -> int:
        """When its containers must be gone."""
        grace_ns = self.ended.grace_s * 1_000_000_000
        more_ns = max(0, _SHORTEST_GRACE_NS - grace_ns)
        if _may_overrun(self.ended.spec):
            more_ns = _SHORTEST_GRACE_NS
        return self.ended.due_ns + more_ns + self.slack_ns

    @property
    def object_due_ns(self) -> int:
        """When its object must be gone."""
        return self.containers_due_ns + self.clean_up_ns

    def doubts(self) -> list[str]:
        """Why not all of it can be judged."""
        pod = self.ended.pod
        found = [f"container {name} of {pod} was not seen on its node" for name in self.not_seen]
        if self.ended.released_ns is None and self.end_ns <= self.object_due_ns:
            found.append(f"the record ends while {pod} is being deleted")
        return found

    def ended_by_ns(self, container_id: str) -> int | None:
        """Not later than that a container ended; None: that is not known."""
        exit_ns = self.exits[container_id].by_ns if container_id in self.exits else None
        known = [exit_ns, self.judged[container_id].gone_ns]
        return min((ns for ns in known if ns is not None), default=None)


def container_offences(case: Case) -> list[Offence]:
    """What its containers did wrong, or was done wrong to them."""
    found: list[Offence] = []
    for container_id, life in case.judged.items():
        what = f"container {case.expected[container_id]} of {case.ended.pod}"
        due_ns = case.containers_due_ns
        if life.last_ns > due_ns:
            late_s = (life.last_ns - case.ended.asked_ns) / 1e9
            text = f"{what} still ran {late_s:.1f} s after its deletion{_grace(case)}"
            found.append(Offence(due_ns, text, late_s, (container_id,)))
        found += _ended_too_early(case, container_id, what)
    return found


def _ended_too_early(case: Case, container_id: str, what: str) -> list[Offence]:
    ended_ns, ended = case.ended_by_ns(container_id), case.ended
    how = case.exits.get(container_id)
    if ended_ns is None or (how is not None and how.reason == "OOMKilled"):
        return []
    found = []
    early_s = (ended.kill_from_ns - ended_ns) / 1e9
    if how is not None and how.code == _KILLED and ended_ns < ended.kill_from_ns - _SCAN_NS:
        text = f"{what} was killed (exit code 137) {early_s:.1f} s before its grace was over"
        found.append(Offence(ended_ns, text + _grace(case), early_s, (container_id,)))
    wait_s = case.waits_s.get(container_id)
    if wait_s is not None:
        wait_ns = round(min(wait_s, ended.grace_s) * 1e9)
        if ended_ns < ended.asked_after_ns + wait_ns - _SCAN_NS:
            lived_s = max(0, ended_ns - ended.asked_after_ns) / 1e9
            text = f"{what} ended {lived_s:.1f} s after its deletion, in its preStop wait"
            found.append(
                Offence(ended_ns, f"{text} of {wait_s:g} s", wait_s - lived_s, (container_id,))
            )
    return found


def object_offences(case: Case) -> list[Offence]:
    """What is wrong with when the object went."""
    ended, due_ns = case.ended, case.object_due_ns
    if ended.released_ns is None:
        if case.end_ns <= due_ns:
            return []
        late_s = (case.end_ns - ended.asked_ns) / 1e9
        text = f"{ended.pod} is still there {late_s:.1f} s after its deletion{_grace(case)}"
        return [Offence(due_ns, text, late_s)]
    found = []
    if ended.released_ns > due_ns:
        late_s = (ended.released_ns - ended.asked_ns) / 1e9
        text = f"{ended.pod} went only {late_s:.1f} s after its deletion{_grace(case)}"
        found.append(Offence(due_ns, text, late_s))
    for container_id, life in case.judged.items():
        early_s = (life.last_ns - ended.released_ns) / 1e9
        if life.last_ns > ended.released_ns + _SCAN_NS:
            name = case.expected[container_id]
            text = f"{ended.pod} went {early_s:.1f} s before its container {name} had ended"
            found.append(Offence(ended.released_ns, text, early_s, (container_id,)))
    return found


def pre_stop_wait_s(spec: Object, container: str) -> float | None:
    """How long a container's preStop hook waits, where its spec says so.

    `sleep`, or an `exec` of a command whose last two words are one that ends in "sleep" and a
    number of seconds.
    """
    for each in spec.get("containers") or []:
        hook = ((each.get("lifecycle") or {}).get("preStop")) or {}
        if each.get("name") != container or not hook:
            continue
        if hook.get("sleep"):
            return float(hook["sleep"].get("seconds", 0))
        words = [str(word) for word in (hook.get("exec") or {}).get("command") or []]
        if len(words) >= 2 and words[-2].endswith("sleep") and words[-1].isdecimal():
            return float(words[-1])
    return None


def _may_overrun(spec: Object) -> bool:
    hooks = any(
        (each.get("lifecycle") or {}).get("preStop") for each in spec.get("containers") or []
    )
    sidecars = any(
        each.get("restartPolicy") == "Always" for each in spec.get("initContainers") or []
    )
    return hooks or sidecars


def _grace(case: Case) -> str:
    return f" (grace {case.ended.grace_s} s)"
