"""What manifests promise of a rollout, each as the guarantee that judges it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chaoskit import guarantees
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.traffic.words import percent
from chaoskit.history.requests import SAMPLER_STREAM
from chaoskit.rollout.asked import Change, Claims
from chaoskit.rollout.budget import desired_healthy
from chaoskit.rollout.facts import WorkloadFacts
from chaoskit.rollout.workloads import images_of

#: The phases of a rollout, as the record names them.
BASELINE, ROLLOUT, UNDO = "baseline", "rollout", "undo"

#: StatefulSets and DaemonSets have no progress deadline: the default of Deployments is taken.
_DEFAULT_WITHIN_S = 600.0
_SHOWN_BY_SAMPLER = "; the sampler's requests show it, as users may keep theirs"


@dataclass(frozen=True, kw_only=True)
class Promise:
    """`says` it with figures, `because` names the fields. Without a guarantee it is not judged."""

    says: str
    because: str
    guarantee: Guarantee | None = None


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """A rollout that is to come: the workload before and after it, and the change."""

    before: WorkloadFacts
    after: WorkloadFacts
    change: Change
    claims: Claims
    #: Whether containers are seen on the nodes themselves.
    sees_nodes: bool = True
    #: Whether it is seen what becomes of members' claims.
    sees_claims: bool = True
    #: Whether a locustfile's users are the load.
    by_users: bool = False

    @property
    def within_s(self) -> float:
        """By when it is to be complete."""
        if self.claims.within_s is not None:
            return self.claims.within_s
        if self.after.kind == "Deployment":
            return float(self.after.deadline_s)
        return _DEFAULT_WITHIN_S


def none_lost(phase: str | None = None, *, by_users: bool) -> Guarantee:
    """That no request on a new connection fails.

    Users of a locustfile may keep their connections (`by_users`): then the sampler's requests are
    judged, which opens one for each.
    """
    stream = f"{SAMPLER_STREAM} new*" if by_users else None
    return guarantees.no_request_lost(connection="new", phase=phase, stream=stream)


def promises(rollout: Rollout) -> list[Promise]:
    """All that is promised, and what is not, in the order of a report."""
    of_kind = {"Deployment": _deployment, "StatefulSet": _stateful_set, "DaemonSet": _daemon_set}
    return [
        *of_kind[rollout.after.kind](rollout),
        *_requests(rollout),
        *_common(rollout),
        *_budgets(rollout),
    ]


def judged(found: Sequence[Promise]) -> list[Guarantee]:
    """The guarantees of those that are judged."""
    return [each.guarantee for each in found if each.guarantee is not None]


def why_not_zero(facts: WorkloadFacts) -> list[str]:
    """Why the manifests do not promise that no request fails; empty where they do."""
    reasons = []
    if facts.strategy == "OnDelete":
        return ["nothing is updated by itself (OnDelete)"]
    if facts.strategy == "Recreate":
        return ["all old pods end before the first new one starts (Recreate)"]
    if facts.always_available == 0:
        reasons.append("an update may leave no available pod (replicas, maxUnavailable)")
    if facts.replicas is None and facts.bound("maxUnavailable") == "100%":
        reasons.append("an update may take the pods of all nodes at once (maxUnavailable)")
    if not facts.has_readiness:
        reasons.append("a new pod counts before it can answer (no readinessProbe)")
    if not facts.pre_stop_s:
        reasons.append("an old pod is told to end while requests still come (no preStop wait)")
    elif facts.pre_stop_s >= facts.grace_s:
        reasons.append("an old pod is killed before its wait is over (grace period)")
    return reasons


def _deployment(rollout: Rollout) -> Iterator[Promise]:
    facts, name = rollout.after, rollout.after.ref.name
    if facts.strategy == "Recreate":
        yield Promise(
            says="no two versions run at once",
            because="strategy Recreate",
            guarantee=guarantees.no_overlap_when_recreated(name),
        )
    else:
        bounds, replicas = facts.bounds, facts.replicas or 0
        assert bounds is not None  # a Deployment has replicas
        yield Promise(
            says=f"at most {replicas + bounds[0]} pods, at least {replicas - bounds[1]} available",
            because=f"replicas {replicas}, maxSurge {facts.bound('maxSurge')}, "
            f"maxUnavailable {facts.bound('maxUnavailable')}, minReadySeconds {facts.min_ready_s}",
            guarantee=guarantees.rollout_bounds(name),
        )
    yield Promise(
        says="2 s after completion only new pods are there",
        because="any Deployment",
        guarantee=guarantees.only_new_pods_after_completion(name),
    )


def _stateful_set(rollout: Rollout) -> Iterator[Promise]:
    facts, name = rollout.after, rollout.after.ref.name
    policy = facts.spec.get("podManagementPolicy") or "OrderedReady"
    yield Promise(
        says="members are updated from the highest down, each when those above are healthy",
        because=f"updateStrategy {facts.strategy}, podManagementPolicy {policy}",
        guarantee=guarantees.ordinals_in_order(name),
    )
    yield Promise(
        says="at no instant two processes of one member",
        because="any StatefulSet",
        guarantee=guarantees.one_process_per_identity(name) if rollout.sees_nodes else None,
    )
    if facts.spec.get("volumeClaimTemplates"):
        yield Promise(
            says="each member keeps its claim, and each claim its volume",
            because="volumeClaimTemplates",
            guarantee=guarantees.claims_stay(name) if rollout.sees_claims else None,
        )


def _daemon_set(rollout: Rollout) -> Iterator[Promise]:
    facts = rollout.after
    yield Promise(
        says=f"at most {facts.bound('maxUnavailable')} nodes without an available pod at a time",
        because=f"updateStrategy {facts.strategy}, maxUnavailable {facts.bound('maxUnavailable')}",
        guarantee=guarantees.daemon_set_bounds(facts.ref.name)
        if facts.strategy == "RollingUpdate"
        else None,
    )


def _requests(rollout: Rollout) -> Iterator[Promise]:
    facts, claims = rollout.after, rollout.claims
    reasons = why_not_zero(facts)
    if not reasons:
        yield Promise(
            says="no request on a new connection fails during the rollout",
            because=f"readinessProbe, preStop wait of {facts.pre_stop_s:g} s in a grace of "
            f"{facts.grace_s} s, and the bounds above"
            f"{_SHOWN_BY_SAMPLER if rollout.by_users else ''}",
            guarantee=none_lost(ROLLOUT, by_users=rollout.by_users),
        )
    else:
        yield Promise(says="that no request fails is not promised", because="; ".join(reasons))
    if claims.zero_failures:
        yield Promise(
            says="no request fails during the rollout, on new and kept connections",
            because="--zero-failures",
            guarantee=guarantees.no_request_lost(phase=ROLLOUT),
        )
    if claims.at_least is not None:
        yield Promise(
            says=f"at least {percent(claims.at_least)} of requests are answered meanwhile",
            because="--at-least",
            guarantee=guarantees.availability(claims.at_least, phase=ROLLOUT),
        )


def _common(rollout: Rollout) -> Iterator[Promise]:
    before, after, ref = rollout.before, rollout.after, rollout.after.ref
    images = dict.fromkeys([*images_of(before.content), *images_of(after.content)])
    yield Promise(
        says=f"only {', '.join(images)} run",
        because="the images before and after",
        guarantee=guarantees.only_images(images, ref.name, kind=ref.kind),
    )
    if rollout.claims.versions:
        yield Promise(
            says=f"only {', '.join(rollout.claims.versions)} answer",
            because="--versions",
            guarantee=guarantees.only_versions(rollout.claims.versions),
        )
    if after.strategy == "OnDelete":
        return
    default = "progressDeadlineSeconds" if after.kind == "Deployment" else "as no deadline is given"
    yield Promise(
        says=f"complete within {rollout.within_s:g} s",
        because="--within" if rollout.claims.within_s is not None else default,
        guarantee=guarantees.rollout_completes_within(
            rollout.within_s, ref.name, kind=ref.kind, step=rollout.change.step
        ),
    )


def _budgets(rollout: Rollout) -> Iterator[Promise]:
    facts = rollout.after
    for budget in facts.budgets:
        name = budget["metadata"]["name"]
        if facts.replicas is None:
            continue
        wanted = desired_healthy(budget, facts.replicas)
        yield Promise(
            says=f"an eviction leaves at least {wanted} of {facts.replicas} healthy",
            because=f"PodDisruptionBudget {name}; a rollout evicts nothing",
        )
