"""A throw-away cluster with the user's manifests and images in it."""

from collections.abc import Callable, Sequence
from pathlib import Path

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.errors import KubernetesError, UsageError
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object
from chaoskit.rollout.facts import POD_HOLDERS, ROLLED, workloads_in
from chaoskit.rollout.lint.pods import is_moving
from chaoskit.rollout.workloads import images_of, workload
from chaoskit.workloads.manifest import Manifest, refusal_of, require_valid
from chaoskit.workloads.namespace import Namespace
from chaoskit.workloads.ref import ObjectRef

Say = Callable[[str], None]

#: What others need comes first; workloads come last. (Helm installs in this order as well.)
_FIRST = (
    "Namespace", "PriorityClass", "ResourceQuota", "LimitRange", "PodDisruptionBudget",
    "ServiceAccount", "Secret", "ConfigMap", "StorageClass", "PersistentVolume",
    "PersistentVolumeClaim", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding",
    "Role", "RoleBinding", "Service",
)  # fmt: skip
_USABLE_WITHIN_S = 30.0


def in_order(manifests: Sequence[Manifest]) -> list[Manifest]:
    """As they are applied: what others need first, otherwise as they stand."""
    ranks = {kind: rank for rank, kind in enumerate(_FIRST)}
    return sorted(manifests, key=lambda each: ranks.get(each.content["kind"], len(ranks)))


def adapted(manifests: Sequence[Manifest], say: Say) -> list[Manifest]:
    """Manifests for nodes that were given the images and can pull none: each change is said."""
    return [_adapted(each, say) for each in manifests]


def images_wanted(objects: Sequence[Object]) -> list[str]:
    """Every image that a pod of these objects needs."""
    found = [image for facts in workloads_in(objects) for image in _images(facts.content)]
    return list(dict.fromkeys(found))


def load(cluster: K3sCluster, images: Sequence[str], archives: Sequence[Path], say: Say) -> None:
    """Make images of the engine and of archives known to every node. Raises `ImageError`."""
    for image in images:
        if image in cluster.spec.images:
            continue  # it was there before they joined
        say(f"loading image {image} into the nodes")
        cluster.load_image(image)
    for archive in archives:
        say(f"loading the images of {archive} into the nodes")
        cluster.load_archive(archive)


def apply(kube: Kube, namespace: str, manifests: Sequence[Manifest], say: Say) -> None:
    """Make the namespace, let the server check everything, then apply it.

    Raises `UsageError` naming object and field for what the server refuses; then nothing but the
    namespace was made.
    """
    if kube.find("Namespace", namespace) is None:
        kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    Namespace(kube=kube, name=namespace).wait_usable(_USABLE_WITHIN_S)
    ordered = in_order(manifests)
    require_valid(kube, [each for each in ordered if each.content["kind"] != "Namespace"])
    say(f"applying {len(ordered)} objects to namespace {namespace}")
    for each in ordered:
        try:
            kube.apply(each.content)
        except KubernetesError as error:
            raise UsageError(
                "the API server refuses it",
                subject=each.place,
                seen=refusal_of(each, error),
                next_step="correct the named field",
            ) from error


def wait_everything_ready(
    kube: Kube, manifests: Sequence[Manifest], say: Say, *, timeout_s: float
) -> None:
    """Wait until every workload of the manifests has all its pods available."""
    for each in manifests:
        if each.content["kind"] in ROLLED and not _is_paused(each.content):
            say(f"waiting for {each.ref}")
            workload(kube, ObjectRef.of(each.content)).wait_ready(timeout_s)


def _is_paused(content: Object) -> bool:
    spec = content.get("spec") or {}
    return spec.get("replicas") == 0


def _images(content: Object) -> list[str]:
    pod = content if content["kind"] == "Pod" else None
    return images_of({"spec": {"template": pod}} if pod is not None else content)


def _adapted(each: Manifest, say: Say) -> Manifest:
    content = each.content
    template = (content.get("spec") or {}).get("template")
    if not isinstance(template, dict) or content["kind"] not in POD_HOLDERS:
        return each
    spec, pulling = dict(template.get("spec") or {}), []
    for group in ("initContainers", "containers"):
        items = spec.get(group) or []
        pulling += [item["name"] for item in items if _pulls(item)]
        if items:
            spec[group] = [
                {**item, "imagePullPolicy": "IfNotPresent"} if _pulls(item) else item
                for item in items
            ]
    if not pulling:
        return each
    say(f"{each.ref}: imagePullPolicy IfNotPresent for {', '.join(pulling)}, as nodes pull nothing")
    made = {**content, "spec": {**content["spec"], "template": {**template, "spec": spec}}}
    return Manifest(content=made, file=each.file, document=each.document)


def _pulls(container: Object) -> bool:
    policy = container.get("imagePullPolicy")
    return policy == "Always" or (policy is None and is_moving(str(container.get("image"))))
