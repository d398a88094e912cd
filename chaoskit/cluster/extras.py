"""What runs in a cluster only while a scenario asks for it: metrics-server, and KWOK's controller.

Each has a namespace of its own. Manifests and pins stand in images/extras.
"""

from pathlib import Path

import yaml

from chaoskit.cluster.image_sources import FOLDER
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object, Objects
from chaoskit.kube.refusal import NotFound
from chaoskit.waiting import wait_until

_AVAILABLE_WITHIN_S = 90.0
_GONE_WITHIN_S = 60.0


def start(cluster: K3sCluster, name: str, image: str) -> None:
    """Run it on the server nodes, whose container runtimes get the image; returns when it answers.

    What is there already stays. Raises `ImageError`, `WaitTimeout`.
    """
    cluster.load_image(image, nodes=cluster.servers)
    for manifest in manifests(name):
        cluster.kube.apply(manifest)
        if manifest["kind"] == "Deployment":
            _wait_available(cluster.kube, manifest)
        elif manifest["kind"] == "APIService":
            _wait_condition(cluster.kube, manifest)


def stop(cluster: K3sCluster, name: str) -> None:
    """Take all of it away, what was made last first; returns when nothing of it is left."""
    kube = cluster.kube
    made = list(reversed(manifests(name)))
    for manifest in made:
        try:
            kube.delete(*_place(manifest), propagation="Background")
        except NotFound:
            continue
    for manifest in made:
        _wait_gone(kube, manifest)


def manifests(name: str) -> Objects:
    """All its objects, in the order in which they are made."""
    file: Path = FOLDER / "extras" / f"{name}.yaml"
    return list(yaml.safe_load_all(file.read_text()))


def _place(manifest: Object) -> tuple[str, str, str | None]:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata["name"], metadata.get("namespace")


def _wait_available(kube: Kube, manifest: Object) -> None:
    _, name, namespace = _place(manifest)
    last: Object = {}

    def attempt() -> bool:
        nonlocal last
        last = kube.get("Deployment", name, namespace).get("status", {})
        return bool(last.get("availableReplicas", 0) >= manifest["spec"]["replicas"])

    wait_until(
        attempt,
        what=f"Deployment {name} in {namespace} to be available",
        timeout_s=_AVAILABLE_WITHIN_S,
        seen=lambda: [
            pod.get("status", {}).get("containerStatuses") for pod in kube.list("Pod", namespace)
        ],
        next_step=f"kubectl -n {namespace} logs deployment/{name}",
    )


def _wait_gone(kube: Kube, manifest: Object) -> None:
    kind, name, namespace = _place(manifest)
    wait_until(
        lambda: kube.find(kind, name, namespace) is None,
        what=f"{kind} {name} to be gone",
        timeout_s=_GONE_WITHIN_S,
        seen=lambda: "still there",
        next_step="see its finalizers, and those of what is in its namespace",
    )


def _wait_condition(kube: Kube, manifest: Object) -> None:
    _, name, _ = _place(manifest)
    last: list[Object] = []

    def attempt() -> bool:
        nonlocal last
        last = kube.get("APIService", name).get("status", {}).get("conditions", [])
        return any(each["type"] == "Available" and each["status"] == "True" for each in last)

    wait_until(
        attempt,
        what=f"APIService {name} to be available",
        timeout_s=_AVAILABLE_WITHIN_S,
        seen=lambda: last,
        next_step="see the log of what serves it",
    )
