"""What may become of a StatefulSet's claims, change by change."""

from dataclasses import dataclass, field

from chaoskit.guarantees.conclusion import Findings
from chaoskit.guarantees.objects.availability_over_time import SLACK_NS
from chaoskit.guarantees.objects.watched import Object, is_leaving, owner, steps
from chaoskit.guarantees.stateful_sets.members import ordinal_of
from chaoskit.history.events import Watched
from chaoskit.history.reader import History


def claim_ordinal(claim: str, templates: list[str], stateful_set: str) -> int | None:
    """The ordinal of the member whose claim that is, by its name (template-set-ordinal)."""
    for template in templates:
        ordinal = ordinal_of(claim.removeprefix(f"{template}-"), stateful_set)
        if ordinal is not None and claim == f"{template}-{stateful_set}-{ordinal}":
            return ordinal
    return None


def claim_templates(stateful_set: Object) -> list[str]:
    """The names of a StatefulSet's claim templates."""
    templates = (stateful_set.get("spec") or {}).get("volumeClaimTemplates") or []
    return [str(template["metadata"]["name"]) for template in templates]


@dataclass(kw_only=True)
class _Claim:
    """A claim that exists; `due_ns`: since when it should be on its way out.

    `scaled_away`, `set_deleted`: it may go because of the one or the other.
    """

    last: Watched
    ordinal: int
    volume: str
    scaled_away: bool = False
    set_deleted: bool = False
    leaving: bool = False
    lost: bool = False
    due_ns: int | None = None

    @property
    def may_go(self) -> bool:
        """Whether the policy lets it go."""
        return self.scaled_away or self.set_deleted


@dataclass(kw_only=True)
class ClaimWalk:
    """The set, its pods and its claims, change by change."""

    found: Findings
    history: History
    stateful_set: str
    within_s: float
    templates: list[str]
    templates_of: dict[str, list[str]]  # by the set's uid
    spec: Object = field(default_factory=dict)
    set_uid: str | None = None
    orphaning: bool = False
    claims: dict[str, _Claim] = field(default_factory=dict)  # by uid
    seen: set[str] = field(default_factory=set)
    pods: dict[str, int] = field(default_factory=dict)  # ordinals of those that exist, by uid
    had_pod: set[int] = field(default_factory=set)
    replaced: int = 0
    scaled_away: int = 0
    deleted_sets: int = 0
    claims_deleted: int = 0

    def take(self, event: Watched) -> None:
        """Judge and apply the next change."""
        if event.kind == "StatefulSet":
            self._take_set(event)
        elif event.kind == "Pod":
            self._take_pod(event)
        else:
            self._take_claim(event)

    def _take_set(self, event: Watched) -> None:
        gone = event.change == "DELETED"
        self.spec = event.object["spec"]
        # Deleted with its pods orphaned, the set lets go of its claims, too.
        self.orphaning = "orphan" in (event.object["metadata"].get("finalizers") or []) or (
            gone and self.orphaning
        )
        if (gone or is_leaving(event.object)) and self._policy("whenDeleted") == "Delete":
            for claim in self.claims.values():
                claim.set_deleted = True
        self.set_uid = None if gone else event.uid
        self.deleted_sets += gone
        if gone:
            self._become_due(event.time_ns)
        for claim in self.claims.values():
            self._allow_scaled_away(claim)

    def _take_pod(self, event: Watched) -> None:
        ordinal = ordinal_of(event.name, self.stateful_set)
        if ordinal is None:
            return
        if event.change == "DELETED":
            self.pods.pop(event.uid, None)
            self.scaled_away += self.set_uid is not None and not self._is_wanted(ordinal)
            self._become_due(event.time_ns, ordinal)
        elif event.uid not in self.pods:
            self.pods[event.uid] = ordinal
            self.replaced += ordinal in self.had_pod
            self.had_pod.add(ordinal)
            for claim in self.claims.values():
                if claim.ordinal == ordinal and not claim.leaving:
                    # The controller makes no pod while its claim is on its way out.
                    claim.scaled_away, claim.due_ns = False, None
            self._judge_mounts(event)

    def _judge_mounts(self, event: Watched) -> None:
        volumes = {
            volume["name"]: (volume.get("persistentVolumeClaim") or {}).get("claimName")
            for volume in event.object["spec"].get("volumes") or []
        }
        of_set = str((owner(event.object, "StatefulSet") or {}).get("uid"))
        for template in self.templates_of.get(of_set, []):
            due = f"{template}-{event.name}"
            if volumes.get(template) != due:
                text = f"{event.name} mounts {volumes.get(template)} as {template}, not {due}"
                self.found.violate(event.time_ns, text, event.name, due)

    def _take_claim(self, event: Watched) -> None:
        claim = self.claims.get(event.uid)
        if claim is None and event.change == "DELETED":
            return
        if claim is None:
            claim = self._first_seen(event)
        claim.last = event
        if event.change == "DELETED" or is_leaving(event.object):
            self._judge_going(event, claim)
        if event.change == "DELETED":
            self._judge_delay(event, claim)
            del self.claims[event.uid]
            self.claims_deleted += claim.may_go
            return
        self._judge_volume(event, claim)

    def _first_seen(self, event: Watched) -> _Claim:
        ordinal = claim_ordinal(event.name, self.templates, self.stateful_set)
        assert ordinal is not None  # only claims of members are walked over
        for other in [c for c in self.claims.values() if c.last.name == event.name]:
            text = f"claim {event.name} has a new uid though the one before it was never deleted"
            self.found.violate(event.time_ns, text, event.name, other.last.uid, event.uid)
            del self.claims[other.last.uid]
        claim = _Claim(last=event, ordinal=ordinal, volume="")
        self.claims[event.uid] = claim
        self.seen.add(event.uid)
        if event.change == "ADDED" and self.set_uid is not None:
            self._judge_labels(event)
        self._allow_scaled_away(claim)
        return claim

    def _judge_labels(self, event: Watched) -> None:
        labels = event.object["metadata"].get("labels") or {}
        due = (self.spec.get("selector") or {}).get("matchLabels") or {}
        for key, value in sorted(due.items()):
            if labels.get(key) != value:
                text = f"claim {event.name} was made without the selector's label {key}={value}"
                self.found.violate(event.time_ns, text, event.name)

    def _judge_going(self, event: Watched, claim: _Claim) -> None:
        if claim.leaving:
            return
        claim.leaving = True
        if claim.may_go or self._is_step(event):
            return
        policy = f"whenScaled {self._policy('whenScaled')}"
        policy += f", whenDeleted {self._policy('whenDeleted')}"
        text = f"claim {event.name} was deleted, though it was to stay ({policy})"
        self.found.violate(event.time_ns, text, event.name)

    def _judge_delay(self, event: Watched, claim: _Claim) -> None:
        limit_ns = self._limit_ns(claim)
        if limit_ns is not None and event.time_ns > limit_ns:
            after_s = (event.time_ns - limit_ns) / 1e9 + self.within_s
            text = f"claim {event.name} was to be deleted, and went only after {after_s:.3g} s"
            self.found.violate(limit_ns, text, event.name)

    def _limit_ns(self, claim: _Claim) -> int | None:
        return None if claim.due_ns is None else claim.due_ns + round(self.within_s * 1e9)

    def _judge_volume(self, event: Watched, claim: _Claim) -> None:
        volume = str((event.object.get("spec") or {}).get("volumeName") or "")
        if claim.volume and volume != claim.volume:
            text = f"claim {event.name} is bound to {volume or 'nothing'}, not {claim.volume}"
            self.found.violate(event.time_ns, text, event.name)
        claim.volume = volume or claim.volume
        lost = (event.object.get("status") or {}).get("phase") == "Lost"
        if lost and not claim.lost:
            text = f"claim {event.name} has lost its volume {claim.volume}"
            self.found.violate(event.time_ns, text, event.name)
        claim.lost = lost

    def _allow_scaled_away(self, claim: _Claim) -> None:
        """Once its ordinal is not wanted it may go after its pod, even if wanted again by then."""
        if self.set_uid is not None and self._policy("whenScaled") == "Delete":
            claim.scaled_away = claim.scaled_away or not self._is_wanted(claim.ordinal)

    def _become_due(self, time_ns: int, ordinal: int | None = None) -> None:
        """A pod (of `ordinal`) or the set is gone: what is to go has its time from now on."""
        for claim in self.claims.values():
            if self.set_uid is None:
                all_gone = not self.pods and not self.orphaning
                due = claim.set_deleted and all_gone and claim.ordinal in self.had_pod
            else:
                due = claim.scaled_away and claim.ordinal == ordinal
                due = due and not self._is_wanted(claim.ordinal)
            if due and claim.due_ns is None:
                claim.due_ns = time_ns

    def _is_step(self, event: Watched) -> bool:
        return any(
            step.started_ns <= event.time_ns
            and (step.done_ns is None or event.time_ns <= step.done_ns + SLACK_NS)
            for step in steps(self.history, "delete", event.name)
        )

    def _policy(self, when: str) -> str:
        policy = self.spec.get("persistentVolumeClaimRetentionPolicy") or {}
        return str(policy.get(when, "Retain"))

    def _is_wanted(self, ordinal: int) -> bool:
        start = (self.spec.get("ordinals") or {}).get("start", 0)
        return bool(start <= ordinal < start + self.spec.get("replicas", 1))

    def finish(self, end_ns: int) -> None:
        """Judge what stayed though it was to go; write what was seen."""
        for claim in self.claims.values():
            limit_ns = self._limit_ns(claim)
            if limit_ns is None:
                continue
            name = claim.last.name
            if end_ns >= limit_ns:
                text = (
                    f"claim {name} was to be deleted, and is still there after {self.within_s:g} s"
                )
                self.found.violate(limit_ns, text, name)
            else:
                self.found.doubt(f"the record ends before claim {name} had its time to go")
        self.found.coverage |= {
            "claims": len(self.seen),
            "members replaced": self.replaced,
            "members scaled away": self.scaled_away,
            "deletions of the set": self.deleted_sets,
            "claims deleted as asked": self.claims_deleted,
        }
        if not (self.replaced or self.scaled_away or self.deleted_sets):
            self.found.doubt(
                f"no member of {self.stateful_set} was replaced or scaled away,"
                " nor was the set deleted"
            )
        self.found.summary = (
            f"{len(self.seen)} claims through {self.replaced} replacements,"
            f" {self.scaled_away} members scaled away, {self.deleted_sets} deletions of the set"
        )
