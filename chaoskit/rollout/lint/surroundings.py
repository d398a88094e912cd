"""What stands beside a workload, and what is missing there."""

from collections.abc import Iterator

from chaoskit.rollout.budget import desired_healthy, floor_of
from chaoskit.rollout.facts import ROLLED, WorkloadFacts
from chaoskit.rollout.lint.finding import Finding, finding


def single(facts: WorkloadFacts) -> Iterator[Finding]:
    """One pod alone."""
    if facts.kind in ("Deployment", "StatefulSet") and facts.replicas == 1 and not facts.scalers:
        yield finding(
            facts,
            "single-replica",
            "spec.replicas",
            "nobody answers from when its node is lost until a new pod runs elsewhere"
            + (", and during each update" if facts.always_available == 0 else ""),
            "2 or more",
            "N3" if facts.kind == "Deployment" else "N1",
        )


def budget(facts: WorkloadFacts) -> Iterator[Finding]:
    """Disruption budgets: none, or one that stops all drains, or one that updates ignore."""
    if facts.kind not in ("Deployment", "StatefulSet") or (facts.replicas or 0) < 2:
        return
    replicas = facts.replicas or 0
    if not facts.budgets:
        yield finding(
            facts,
            "no-budget",
            "PodDisruptionBudget",
            "a drain may take all its pods at once",
            f"one that selects its pods, with maxUnavailable: 1 (of {replicas})",
            "N7",
        )
    for item in facts.budgets:
        name, needed = item["metadata"]["name"], desired_healthy(item, replicas)
        if needed >= replicas:
            yield finding(
                facts,
                "budget-blocks-drains",
                f"PodDisruptionBudget {name}",
                f"it wants {needed} of {replicas} healthy: no node with a pod of it can be drained",
                "maxUnavailable: 1",
                "N7",
            )
        elif (left := floor_of(facts)) is not None and left < needed:
            yield finding(
                facts,
                "update-below-budget",
                f"PodDisruptionBudget {name}",
                f"it wants {needed} of {replicas} healthy, and an update may leave {left}: "
                "updates do not ask budgets",
                "a smaller maxUnavailable of the update",
                "R2",
            )


def spread(facts: WorkloadFacts) -> Iterator[Finding]:
    """Pods that may all share a node."""
    rules = facts.pod_spec
    spreads = rules.get("topologySpreadConstraints") or (rules.get("affinity") or {}).get(
        "podAntiAffinity"
    )
    if facts.kind in ("Deployment", "StatefulSet") and (facts.replicas or 0) > 1 and not spreads:
        yield finding(
            facts,
            "may-share-a-node",
            "topologySpreadConstraints",
            "all its pods may run on one node, and be lost with it",
            "a constraint on kubernetes.io/hostname",
            "N3",
        )


def scaler(facts: WorkloadFacts) -> Iterator[Finding]:
    """Two that set the number of replicas."""
    if facts.scalers and facts.spec.get("replicas") is not None:
        yield finding(
            facts,
            "replicas-beside-autoscaler",
            "spec.replicas",
            "each apply sets the number back that the autoscaler has found",
            "leave replicas out",
            "R17",
        )


def services(facts: WorkloadFacts) -> Iterator[Finding]:
    """Services that send requests too early, only to some nodes, or nowhere."""
    for item in facts.services:
        spec, name = item["spec"], item["metadata"]["name"]
        if spec.get("publishNotReadyAddresses") and spec.get("clusterIP") != "None":
            yield finding(
                facts,
                "not-ready-addresses",
                f"Service {name}, spec.publishNotReadyAddresses",
                "requests go to pods that are not ready",
                "leave it to a headless Service of its own",
                "P9",
            )
        if spec.get("externalTrafficPolicy") == "Local":
            yield finding(
                facts,
                "only-nodes-with-a-pod",
                f"Service {name}, spec.externalTrafficPolicy",
                "a node answers only while a pod runs there: requests through it fail when its "
                "last one moves",
                "Cluster, or a balancer that asks the health check port",
                "W2",
            )
    if facts.kind in ROLLED and not facts.services and _has_ports(facts):
        yield finding(
            facts,
            "no-service",
            "Service",
            "its ports are selected by no Service here: nobody can tell whether clients notice",
            "one whose selector its pods' labels match",
            "W1",
        )


def claims(facts: WorkloadFacts) -> Iterator[Finding]:
    """Members without anything of their own."""
    if facts.kind == "StatefulSet" and not facts.spec.get("volumeClaimTemplates"):
        yield finding(
            facts,
            "members-without-claims",
            "spec.volumeClaimTemplates",
            "what a member writes is lost with its pod",
            "a claim template, or a Deployment where nothing is to be kept",
            "S3",
        )


def _has_ports(facts: WorkloadFacts) -> bool:
    return any(item.get("ports") for item in facts.containers)


RULES = (single, budget, spread, scaler, services, claims)
