"""A StatefulSet's members by ordinal, and what it wants of them, as its controller may see it.

The controller acts on what it saw a moment ago: health that a member lost in the last second, and
wishes that were replaced in it, still count. Not so what it took away itself, which it knows.
"""

from dataclasses import dataclass, field

from chaoskit.guarantees.objects.availability_over_time import SLACK_NS, Pods, PodState
from chaoskit.guarantees.objects.bounds import resolved
from chaoskit.guarantees.objects.watched import Object, is_finished, is_leaving, is_ready, owner
from chaoskit.history.events import Watched

#: The label that names the ControllerRevision a pod was made from.
POD_REVISION = "controller-revision-hash"


def ordinal_of(pod: str, stateful_set: str) -> int | None:
    """The ordinal in a member's name; None for a name that is not one of this set."""
    parent, _, number = pod.rpartition("-")
    return int(number) if parent == stateful_set and number.isdecimal() else None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a StatefulSet's spec, status and revisions ask for at one time.

    `max_unavailable` None: the API server does not keep the field, so the feature gate
    MaxUnavailableStatefulSet is off (on in 1.35.0 to 1.35.3, off from 1.35.4 on and in 1.36).
    `update_revision` None: no ControllerRevision of the set was seen yet.
    """

    ordinals: range
    parallel: bool
    on_delete: bool
    partition: int
    max_unavailable: int | None
    min_ready_s: float
    current_revision: str | None
    update_revision: str | None
    leaving: bool

    @classmethod
    def of(cls, stateful_set: Object, revisions: dict[str, int]) -> "Wanted":
        """From the object and its ControllerRevisions (number by name).

        The update revision is the one with the highest number: the controller makes or renumbers
        it before it acts, and writes it into the status only afterwards.
        """
        spec, status = stateful_set["spec"], stateful_set.get("status") or {}
        start = (spec.get("ordinals") or {}).get("start", 0)
        replicas = spec.get("replicas", 1)
        strategy = spec.get("updateStrategy") or {}
        rolling = strategy.get("rollingUpdate") or {}
        bound = rolling.get("maxUnavailable")
        update = max(revisions, key=lambda name: revisions[name], default=None)
        current = status.get("currentRevision")
        return cls(
            ordinals=range(start, start + replicas),
            parallel=spec.get("podManagementPolicy") == "Parallel",
            on_delete=strategy.get("type") == "OnDelete",
            partition=rolling.get("partition", 0),
            max_unavailable=None if bound is None else max(1, resolved(1, bound, replicas)[1]),
            min_ready_s=spec.get("minReadySeconds", 0),
            current_revision=current if current in revisions else update,
            update_revision=update,
            leaving=is_leaving(stateful_set),
        )

    def is_below_partition(self, ordinal: int) -> bool:
        """Whether updates leave it alone. The partition counts from the first ordinal."""
        return ordinal < self.ordinals.start + self.partition

    def revision_of(self, ordinal: int) -> str | None:
        """The revision at which a member is made now."""
        below = not self.on_delete and self.is_below_partition(ordinal)
        return self.current_revision if below else self.update_revision


@dataclass
class Wishes:
    """What is wanted, and what was until a moment ago."""

    now: Wanted | None = None
    past: list[tuple[Wanted, int]] = field(default_factory=list)

    def become(self, wanted: Wanted | None, time_ns: int) -> None:
        """From this moment on something else, or nothing (the set is gone), is wanted."""
        if wanted is None:
            self.past = []
        elif self.now is not None and wanted != self.now:
            self.past.append((self.now, time_ns))
        self.now = wanted

    def recent(self, time_ns: int) -> list[Wanted]:
        """All that the controller may act on at that moment, the newest first."""
        self.past = [(w, until) for w, until in self.past if time_ns - until <= SLACK_NS]
        newest = [] if self.now is None else [self.now]
        return newest + [wanted for wanted, _until in reversed(self.past)]


@dataclass
class Members:
    """The pods that a StatefulSet controls, change by change.

    `uids`: of those that are not gone, by the set's uid and their ordinal.
    """

    stateful_set: str
    pods: Pods
    set_uid: str | None = None
    uids: dict[tuple[str, int], str] = field(default_factory=dict)
    taken_by_set: set[str] = field(default_factory=set)
    healthy_until_ns: dict[int, int] = field(default_factory=dict)

    def ordinal(self, event: Watched) -> int | None:
        """The member's ordinal, if the pod is one of the set that exists now."""
        reference = owner(event.object, "StatefulSet") or {}
        if self.set_uid is None or reference.get("uid") != self.set_uid:
            return None
        return ordinal_of(event.name, self.stateful_set)

    def apply(self, event: Watched, now_ns: int, min_ready_s: float) -> None:
        """Take in the next change of a pod."""
        before = self.pods.by_uid.get(event.uid)
        ordinal = None if before is None else self.ordinal(before.last)
        was_healthy = before is not None and before.is_available(now_ns, min_ready_s)
        for key in [key for key in self._keys(before) if self.uids.get(key) == event.uid]:
            del self.uids[key]
        if owner(event.object, "StatefulSet") is None:
            self.pods.by_uid.pop(event.uid, None)  # released: no longer the set's
        else:
            self.pods.apply(event)
        after = self.pods.by_uid.get(event.uid)
        for key in self._keys(after):
            self.uids[key] = event.uid
        if ordinal is None or event.uid in self.taken_by_set:
            return
        if was_healthy and (after is None or not after.is_counted()):
            self.healthy_until_ns[ordinal] = now_ns

    def _keys(self, state: PodState | None) -> list[tuple[str, int]]:
        if state is None:
            return []
        reference = owner(state.last.object, "StatefulSet") or {}
        ordinal = ordinal_of(state.last.name, self.stateful_set)
        return [] if ordinal is None else [(str(reference.get("uid")), ordinal)]

    def take(self, uid: str, ordinal: int) -> None:
        """The set itself takes that pod away: it knows at once."""
        self.taken_by_set.add(uid)
        self.healthy_until_ns.pop(ordinal, None)

    def of(self, ordinal: int) -> PodState | None:
        """The one of that ordinal, unless it is gone; it may be leaving."""
        return self.pods.by_uid.get(self.uids.get((self.set_uid or "", ordinal), ""))

    def ordinals(self) -> list[int]:
        """The ordinals of all that are not gone, those that are leaving too."""
        return sorted(ordinal for uid, ordinal in self.uids if uid == self.set_uid)

    def is_healthy(self, ordinal: int, now_ns: int, min_ready_s: float) -> bool:
        """Whether the controller may see it running, Ready and available, and not leaving."""
        state = self.of(ordinal)
        if state is not None and state.is_available(now_ns, min_ready_s):
            return True
        until_ns = self.healthy_until_ns.get(ordinal)
        return until_ns is not None and now_ns - until_ns <= SLACK_NS

    def unhealthy(self, ordinals: range, now_ns: int, min_ready_s: float) -> list[int]:
        """Those of these ordinals that the controller cannot see healthy."""
        return [o for o in ordinals if not self.is_healthy(o, now_ns, min_ready_s)]

    def name(self, ordinal: int) -> str:
        """The name of the member of that ordinal."""
        return f"{self.stateful_set}-{ordinal}"

    def how(self, ordinal: int) -> str:
        """A member and what is wrong with it: "kv-1 was not Ready"."""
        state = self.of(ordinal)
        if state is None:
            what = "was absent"
        elif is_leaving(state.last.object):
            what = "was being deleted"
        elif is_finished(state.last.object):
            what = "had finished"
        elif not is_ready(state.last.object):
            what = "was not Ready"
        else:
            what = "was Ready but not yet available"
        return f"{self.name(ordinal)} {what}"


def revision_label(pod: Object) -> str | None:
    """The revision that a pod was made from."""
    label = (pod["metadata"].get("labels") or {}).get(POD_REVISION)
    return None if label is None else str(label)
