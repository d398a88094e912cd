"""The volumes behind a StatefulSet's claims."""

from dataclasses import dataclass, field
from typing import ClassVar

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.watched import (
    Subject,
    changes,
    in_namespace,
    name_of,
    owned_by,
    require_watched,
    steps,
)
from chaoskit.guarantees.stateful_sets.claim_walk import claim_ordinal, claim_templates
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History

_KINDS = ("StatefulSet", "PersistentVolumeClaim", "PersistentVolume")


@dataclass(frozen=True, kw_only=True)
class VolumesFollowClaims:
    """A volume stays as long as its member's claim, and then does what its reclaim policy says.

    Claims: the volume that a claim of the set is bound to exists as long as the claim does; once
    the claim is gone it is gone within `deleted_within_s` where persistentVolumeReclaimPolicy is
    Delete, and stays where it is Retain. Volumes deleted by a step are not charged.
    Violated when: a volume goes before its claim or though it is retained, or stays though it was
    to go.
    Unknown when: no claim of the set was bound, its volume was not seen, the set, its claims or
    the volumes were not watched throughout, or the record ends before a volume had its time.
    """

    stateful_set: str
    deleted_within_s: float

    name: ClassVar[str] = "volumes_follow_claims"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"volumes of {self.stateful_set} follow its claims")
        workload = owned_by(history, "StatefulSet", self.stateful_set).workload
        templates = sorted({t for each in workload for t in claim_templates(each.object)})
        claims = [
            event
            for event in in_namespace(changes(history, "PersistentVolumeClaim"), history)
            if claim_ordinal(event.name, templates, self.stateful_set) is not None
        ]
        bound = {volume for event in claims if (volume := _volume(event))}
        volumes = [e for e in changes(history, "PersistentVolume") if e.name in bound]
        uids = {event.uid for event in (*workload, *claims, *volumes)}
        require_watched(found, history, uids, _KINDS)
        if not bound:
            found.doubt(f"no claim of {self.stateful_set} was bound")
        known = {event.name for event in volumes}
        found.doubt(*(f"volume {name} is not in the record" for name in sorted(bound - known)))
        walk = _Walk(found, history, round(self.deleted_within_s * 1e9))
        for event in sorted([*claims, *volumes], key=lambda e: e.resource_version):
            walk.take(event)
        walk.finish()
        return conclude(self, found)


def volumes_follow_claims(
    stateful_set: Subject, *, deleted_within_s: float = 60.0
) -> VolumesFollowClaims:
    """Volumes live as long as their claims; see `VolumesFollowClaims`.

    Raises `UsageError` for a time that is not positive.
    """
    if deleted_within_s <= 0:
        raise UsageError(
            "must be positive",
            subject="volumes_follow_claims' deleted_within_s",
            seen=deleted_within_s,
        )
    return VolumesFollowClaims(
        stateful_set=name_of(stateful_set), deleted_within_s=deleted_within_s
    )


@dataclass
class _Walk:
    found: Findings
    history: History
    within_ns: int
    holders: dict[str, str] = field(default_factory=dict)  # the claim by its volume
    volumes: dict[str, Watched] = field(default_factory=dict)  # that exist, by name
    free_ns: dict[str, int] = field(default_factory=dict)  # since when its claim is gone
    seen: set[str] = field(default_factory=set)
    went: int = 0

    def take(self, event: Watched) -> None:
        if event.kind == "PersistentVolume":
            self._take_volume(event)
        elif (volume := _volume(event)) and event.change == "DELETED":
            self.holders.pop(volume, None)
            self.free_ns[volume] = event.time_ns
        elif volume:
            self.holders[volume] = event.name

    def _take_volume(self, event: Watched) -> None:
        self.seen.add(event.name)
        if event.change != "DELETED":
            self.volumes[event.name] = event
            return
        self.volumes.pop(event.name, None)
        done = steps(self.history, "delete", event.name)
        if any(step.started_ns <= event.time_ns for step in done):
            return
        if event.name in self.holders:
            claim = self.holders[event.name]
            text = f"volume {event.name} went while its claim {claim} was there"
            self.found.violate(event.time_ns, text, event.name, claim)
        elif _is_retained(event):
            text = f"volume {event.name} went though it was to be retained"
            self.found.violate(event.time_ns, text, event.name)
        else:
            self.went += 1
            self._judge_delay(event)

    def _judge_delay(self, event: Watched) -> None:
        free_ns = self.free_ns.get(event.name, event.time_ns)
        if event.time_ns > free_ns + self.within_ns:
            after_s = (event.time_ns - free_ns) / 1e9
            text = f"volume {event.name} went only {after_s:.3g} s after its claim"
            self.found.violate(free_ns + self.within_ns, text, event.name)

    def finish(self) -> None:
        end_ns = self.history.events[-1].time_ns if self.history.events else 0
        for name, free_ns in sorted(self.free_ns.items()):
            if name not in self.volumes or _is_retained(self.volumes[name]):
                continue
            if end_ns < free_ns + self.within_ns:
                self.found.doubt(f"the record ends before volume {name} had its time to go")
            else:
                text = f"volume {name} is still there {self.within_ns / 1e9:g} s after its claim"
                self.found.violate(free_ns + self.within_ns, text, name)
        self.found.coverage |= {"volumes": len(self.seen), "volumes gone after claims": self.went}
        self.found.summary = (
            f"{len(self.seen)} volumes, of which {self.went} went after their claim"
        )


def _volume(claim: Watched) -> str:
    return str((claim.object.get("spec") or {}).get("volumeName") or "")


def _is_retained(volume: Watched) -> bool:
    policy = volume.object["spec"].get("persistentVolumeReclaimPolicy", "Retain")
    return str(policy) == "Retain"
