"""A StatefulSet's claims: each member keeps its own, for as long as the set's policy says."""

from dataclasses import dataclass
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
)
from chaoskit.guarantees.stateful_sets.claim_walk import ClaimWalk, claim_ordinal, claim_templates
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History

_KINDS = ("StatefulSet", "Pod", "PersistentVolumeClaim")


@dataclass(frozen=True, kw_only=True)
class ClaimsStay:
    """Members keep their claims, and claims their volumes.

    Claims: a member of ordinal n mounts, for each claim template t, the claim t-set-n. That claim
    keeps its uid and the volume it is bound to while pods are replaced, the set is scaled down
    and up, and the set is deleted; unless persistentVolumeClaimRetentionPolicy says Delete, for
    members scaled away (whenScaled) or for the whole set (whenDeleted): then it goes within
    `deleted_within_s` of its pod, or of the set and all pods. A claim that the set makes bears the
    labels of its selector. Claims deleted by a step are not charged.
    Violated when: a member mounts another claim, a claim is made without these labels, is deleted
    though it was to stay, is bound to another volume or has lost its own, or stays though it was
    to go.
    Unknown when: the set has no claim templates or no claim of it was seen, no member was replaced
    or scaled away and the set was not deleted, the set, its pods or its claims were not watched
    throughout, or the record ends before a claim that is to go had its time.
    """

    stateful_set: str
    deleted_within_s: float

    name: ClassVar[str] = "claims_stay"
    version: ClassVar[int] = 2

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"members of {self.stateful_set} keep their claims")
        owned = owned_by(history, "StatefulSet", self.stateful_set)
        of_uid = {event.uid: claim_templates(event.object) for event in owned.workload}
        templates = sorted({template for each in of_uid.values() for template in each})
        walk = ClaimWalk(
            found=found,
            history=history,
            stateful_set=self.stateful_set,
            within_s=self.deleted_within_s,
            templates=templates,
            templates_of=of_uid,
        )
        of_set = [
            event
            for event in in_namespace(changes(history, "PersistentVolumeClaim"), history)
            if claim_ordinal(event.name, templates, self.stateful_set) is not None
        ]
        require_watched(found, history, owned.uids | {e.uid for e in of_set}, _KINDS)
        if not owned.workload:
            found.doubt(f"StatefulSet {self.stateful_set} is not in the record")
        elif not templates:
            found.doubt(f"StatefulSet {self.stateful_set} has no claim templates")
        elif not of_set:
            found.doubt(f"no claim of {self.stateful_set} is in the record")
        events = sorted([*owned.workload, *owned.pods, *of_set], key=lambda e: e.resource_version)
        for event in events:
            walk.take(event)
        walk.finish(history.events[-1].time_ns if history.events else 0)
        return conclude(self, found)


def claims_stay(stateful_set: Subject, *, deleted_within_s: float = 60.0) -> ClaimsStay:
    """Members keep their claims; see `ClaimsStay`.

    Raises `UsageError` for a time that is not positive.
    """
    if deleted_within_s <= 0:
        raise UsageError(
            "must be positive", subject="claims_stay's deleted_within_s", seen=deleted_within_s
        )
    return ClaimsStay(stateful_set=name_of(stateful_set), deleted_within_s=deleted_within_s)
