"""So many pods of a workload, or ready endpoints of a Service, of each version in a phase."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.watched import (
    Object,
    Subject,
    changes,
    in_namespace,
    is_finished,
    is_leaving,
    kind_of,
    name_of,
    owned_by,
    require_watched,
)
from chaoskit.guarantees.pods.numbers import (
    Present,
    in_words,
    judge_phase,
    require_numbers,
    version_of,
)
from chaoskit.guarantees.pods.ready_endpoints import endpoints_in, service_of
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class PodsStay:
    """Throughout a phase a workload has so many pods of each version, and they are the same ones.

    Claims: from 1 s after the beginning of the phase (its controller acts on what it saw a moment
    ago) to its end the workload controls as many pods of each image tag as `versions` says, and no
    other; none comes and none goes. Pods that are being deleted or have ended do not count.
    Violated when: there are others, or one comes or goes.
    Unknown when: the workload is not on record, the phase is not on record, has no end or is
    shorter than 1 s, or the workload, its ReplicaSets or pods were not watched throughout.
    """

    workload: str
    kind: str
    versions: dict[str, int]
    phase: str

    name: ClassVar[str] = "pods_stay"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        who = f"{self.workload} keeps its pods"
        found = Findings(title=f"{who} in the phase {self.phase}: {in_words(self.versions)}")
        owned = owned_by(history, self.kind, self.workload)
        kinds = [self.kind, "Pod"] + (["ReplicaSet"] if self.kind == "Deployment" else [])
        require_watched(found, history, owned.uids, kinds)
        if not owned.workload:
            found.doubt(f"{self.kind} {self.workload} is not in the record")
        owners = {event.uid for event in owned.workload} | set(owned.replica_sets)
        of_it = {event.uid for event in owned.pods}
        members: dict[str, tuple[str, str]] = {}
        states = []
        for event in changes(history, "Pod"):
            if event.uid not in of_it:
                continue
            members = {uid: each for uid, each in members.items() if uid != event.uid}
            if event.change != "DELETED" and _counts(event.object, owners):
                members[event.uid] = event.name, version_of(event.object)
            states.append(Present(event.time_ns, members))
        judge_phase(found, history, self.phase, self.versions, states, same=True)
        return conclude(self, found)


@dataclass(frozen=True, kw_only=True)
class ReadyEndpointsStay:
    """Throughout a phase a Service has so many ready endpoints of each version.

    Claims: from 1 s after the beginning of the phase to its end the EndpointSlices of the Service
    list as many ready endpoints of pods of each image tag as `versions` says, and no other.
    Violated when: they list others.
    Unknown when: no EndpointSlice of the Service is on record, or none of a pod that they list; the
    phase is not on record, has no end or is shorter than 1 s; or EndpointSlices or pods were not
    watched throughout.
    """

    service: str
    versions: dict[str, int]
    phase: str

    name: ClassVar[str] = "ready_endpoints_stay"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        who = f"ready endpoints of {self.service}"
        found = Findings(title=f"{who} in the phase {self.phase}: {in_words(self.versions)}")
        slices = [
            event
            for event in in_namespace(changes(history, "EndpointSlice"), history)
            if service_of(event) == self.service
        ]
        pods = {event.uid: event for event in changes(history, "Pod")}
        listed = {uid for event in slices for uid, _ready in endpoints_in(event.object)}
        uids = listed | {event.uid for event in slices}
        require_watched(found, history, uids, ["EndpointSlice", "Pod"])
        if not slices:
            found.doubt(f"no EndpointSlice of {self.service} is in the record")
        unseen = len(listed - pods.keys())
        if unseen:
            found.doubt(f"{unseen} pods behind {self.service} were not seen")
        ready: dict[str, set[str]] = {}
        states = []
        for event in slices:
            gone = event.change == "DELETED"
            now = {uid for uid, is_ready in endpoints_in(event.object) if is_ready and not gone}
            ready[event.uid] = now & pods.keys()
            members = {
                uid: (pods[uid].name, version_of(pods[uid].object))
                for of_slice in ready.values()
                for uid in of_slice
            }
            states.append(Present(event.time_ns, members))
        if slices and not unseen:
            judge_phase(found, history, self.phase, self.versions, states)
        return conclude(self, found)


def pods_stay(
    workload: Subject, versions: Mapping[str, int], *, phase: str, kind: str | None = None
) -> PodsStay:
    """A workload keeps its pods, `{"v1": 5, "v2": 3}`, in a phase; see `PodsStay`.

    Raises `UsageError` for a number below 1; none at all is {}.
    """
    require_numbers("pods_stay", versions)
    return PodsStay(
        workload=name_of(workload),
        kind=kind or kind_of(workload, "Deployment"),
        versions=dict(versions),
        phase=phase,
    )


def ready_endpoints_stay(
    service: Subject, versions: Mapping[str, int], *, phase: str
) -> ReadyEndpointsStay:
    """So many ready endpoints of each version in a phase; see `ReadyEndpointsStay`.

    Raises `UsageError` for a number below 1; none at all is {}.
    """
    require_numbers("ready_endpoints_stay", versions)
    return ReadyEndpointsStay(service=name_of(service), versions=dict(versions), phase=phase)


def _counts(pod: Object, owners: set[str]) -> bool:
    """Whether controllers count it as one of these owners'."""
    references = pod["metadata"].get("ownerReferences") or []
    controllers = {each.get("uid") for each in references if each.get("controller")}
    return bool(controllers & owners) and not is_leaving(pod) and not is_finished(pod)
