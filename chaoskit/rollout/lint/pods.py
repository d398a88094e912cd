"""What a pod template cannot promise."""

import re
from collections.abc import Iterator

from chaoskit.rollout.facts import WorkloadFacts, pre_stop_s
from chaoskit.rollout.lint.finding import Finding, finding

#: Classes whose volumes are folders of one node: k3s', minikube's, and no provisioner at all.
_NODE_CLASSES = ("local-path", "hostpath", "local-storage")
_SHARED_MODES = {"ReadWriteMany", "ReadOnlyMany"}


def readiness(facts: WorkloadFacts) -> Iterator[Finding]:
    """Containers that serve and do not say when they can."""
    if facts.kind == "Job":
        return
    for item in facts.serving:
        if not item.get("readinessProbe"):
            yield finding(
                facts,
                "no-readiness-probe",
                f"containers[{item['name']}].readinessProbe",
                "requests reach a pod as soon as its process runs, and a bad version goes out "
                "everywhere",
                "a probe of what clients need, every second or two",
                "R11",
                "P9",
            )
        elif item.get("livenessProbe") == item["readinessProbe"]:
            yield finding(
                facts,
                "liveness-as-readiness",
                f"containers[{item['name']}].livenessProbe",
                "a pod that should only be left alone for a while is restarted",
                "a liveness probe that fails only for what a restart cures",
                "P8",
            )


def termination(facts: WorkloadFacts) -> Iterator[Finding]:
    """Endings that cut requests off."""
    if facts.kind == "Job":
        return
    for item in facts.serving:
        wait_s = pre_stop_s(item)
        if wait_s == 0:
            yield finding(
                facts,
                "no-pre-stop-wait",
                f"containers[{item['name']}].lifecycle.preStop",
                "new connections still come for up to some seconds after TERM; whether they are "
                "answered is up to the program",
                "preStop: {sleep: {seconds: 5}}, unless the program serves on after TERM",
                "P1",
            )
        elif wait_s >= facts.grace_s:
            yield finding(
                facts,
                "pre-stop-over-grace",
                f"containers[{item['name']}].lifecycle.preStop",
                f"it waits {wait_s:g} s of a grace period of {facts.grace_s} s: the program is "
                "killed without having been asked to end",
                "terminationGracePeriodSeconds well above the wait",
                "P3",
            )
    if facts.grace_s == 0:
        yield finding(
            facts,
            "no-grace",
            "terminationGracePeriodSeconds",
            "every pod is killed without having been asked to end",
            "the default, 30",
            "P2",
        )


def resources(facts: WorkloadFacts) -> Iterator[Finding]:
    """Containers that claim no resources."""
    of_pod = facts.pod_spec.get("resources") or {}  # set aside for all its containers together
    for item in facts.containers:
        wanted = item.get("resources") or {}
        # Where only limits stand, requests are set to them.
        asked = {
            name
            for part in (of_pod, wanted)
            for group in ("limits", "requests")
            for name in part.get(group) or {}
        }
        if missing := [name for name in ("cpu", "memory") if name not in asked]:
            yield finding(
                facts,
                "no-resource-requests",
                f"containers[{item['name']}].resources.requests",
                f"no {' and no '.join(missing)} is set aside for it: it is among the first that go "
                "when a node runs short, and nodes are filled without counting it",
                "what it needs in a busy hour",
                "Q3",
                "R19",
            )


def images(facts: WorkloadFacts) -> Iterator[Finding]:
    """Image names that do not say what they are."""
    for item in [*facts.containers, *(facts.pod_spec.get("initContainers") or [])]:
        name = str(item.get("image") or "")
        if name and is_moving(name):
            yield finding(
                facts,
                "moving-tag",
                f"containers[{item['name']}].image",
                f"{name} may be another image tomorrow: nodes may differ, and undo may bring back "
                "nothing",
                "a tag that is never pushed again, or a digest",
                "R20",
            )


def is_moving(image: str) -> bool:
    """Whether an image has no tag, or the tag latest, and no digest."""
    if "@" in image:
        return False
    tag = re.search(r":([^/:]+)$", image)
    return tag is None or tag[1] == "latest"


def volumes(facts: WorkloadFacts) -> Iterator[Finding]:
    """Volumes that tie a pod to a node."""
    for volume in facts.pod_spec.get("volumes") or []:
        if volume.get("hostPath") and facts.kind != "DaemonSet":
            yield finding(
                facts,
                "node-bound-volume",
                f"volumes[{volume['name']}].hostPath",
                "its data stays on one node: a pod that starts elsewhere does not see it",
                "a claim of a class that follows the pod",
                "V3",
            )
    for claim in facts.claims():
        modes = set((claim.get("spec") or {}).get("accessModes") or [])
        if (
            facts.kind == "Deployment"
            and not modes & _SHARED_MODES
            and facts.strategy != "Recreate"
        ):
            yield finding(
                facts,
                "one-node-claim",
                f"volumes[{claim['metadata']['name']}]",
                "its claim is for one node at a time: the new pod of an update may have to wait "
                "for the old one, which waits for it",
                "a StatefulSet, Recreate, or a claim that many nodes may mount",
                "V4",
                "R19",
            )
    for claim in [*facts.claims(), *(facts.spec.get("volumeClaimTemplates") or [])]:
        if (claim.get("spec") or {}).get("storageClassName") in _NODE_CLASSES:
            yield finding(
                facts,
                "node-bound-volume",
                f"claim {claim['metadata']['name']}, storageClassName",
                "its volume is a folder of one node: the pod cannot move when that node is lost",
                "a class whose volumes follow the pod",
                "N1",
                "V3",
            )


def ports(facts: WorkloadFacts) -> Iterator[Finding]:
    """Host ports: one pod a node."""
    held = [
        port["hostPort"]
        for item in facts.containers
        for port in item.get("ports") or []
        if port.get("hostPort")
    ]
    # Where old pods end first, the new one takes their place.
    makes_room = facts.strategy == "Recreate" or (facts.bounds or (0, 0))[0] == 0
    if held and facts.kind == "Deployment" and not makes_room:
        yield finding(
            facts,
            "host-port",
            "ports.hostPort",
            f"each node has room for one pod with host port {held[0]}: the new pod of an update "
            "waits for an empty node",
            "a Service, or maxSurge: 0",
            "R19",
        )


RULES = (readiness, termination, resources, images, volumes, ports)
