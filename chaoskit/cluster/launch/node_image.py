"""Which node image: the one named, or the best that is at hand."""

from collections.abc import Callable
from dataclasses import dataclass

import docker
from docker.errors import ImageNotFound

from chaoskit.cluster import images
from chaoskit.cluster.image_build import Builder
from chaoskit.cluster.launch.engine_errors import engine_errors
from chaoskit.cluster.provider import ClusterSpec
from chaoskit.errors import ChaoskitError, ImageError, UsageError

_BUILT = "chaoskit/node:"
#: The pinned release of rancher/k3s: from v1.35.4 on, StatefulSets with the Parallel policy are
#: as before again (kubernetes #137409).
K3S = "rancher/k3s:v1.35.5-k3s1"
_NEXT_STEP = "chaoskit image build, or --image with a node image that this engine has"


@dataclass(frozen=True, kw_only=True)
class NodeImage:
    """A node image that the engine holds. `built` says that it is chaoskit's own."""

    reference: str
    id: str
    built: bool


def resolve(
    client: docker.DockerClient, reference: str, progress: Callable[[str], None]
) -> NodeImage:
    """The image to start nodes from; "auto" is what is present, else pulled, else built.

    Present means of today's sources, or the pinned rancher/k3s: an older built image may lack
    what this chaoskit needs, and is used only if it is named. Raises `ImageError`.
    """
    if reference != "auto":
        return _held(client, reference) or _pulled(client, reference)
    for candidate in (Builder(client, images.Silent()).node_reference, K3S):
        if (image := _held(client, candidate)) is not None:
            return image
    progress(f"no node image is present: asking the registry for {K3S}")
    try:
        return _pulled(client, K3S)
    except ImageError as error:
        progress(f"it cannot be pulled ({error.seen}): building one, which takes minutes")
    (built,) = images.ensure(client, ("node",), images.Lines(progress))["node"]
    image = _held(client, built)
    assert image is not None  # `ensure` returns what the engine holds
    return image


def require_size(image: NodeImage, spec: ClusterSpec) -> None:
    """Raise `UsageError` for a cluster that this image cannot make."""
    if image.built and spec.servers > 1:
        raise UsageError(
            "the built node image makes clusters of one server",
            subject=image.reference,
            seen=f"{spec.servers} servers wanted",
            next_step="one server and more agents, or --image with a rancher/k3s image",
        )


def _held(client: docker.DockerClient, reference: str) -> NodeImage | None:
    try:
        with engine_errors(f"image {reference}"):
            found = client.api.inspect_image(reference)
    except ImageError as error:
        if isinstance(error.__cause__, ImageNotFound):
            return None
        raise
    return NodeImage(reference=reference, id=found["Id"], built=reference.startswith(_BUILT))


def _pulled(client: docker.DockerClient, reference: str) -> NodeImage:
    name, separator, tag = reference.rpartition(":")
    if not separator or "/" in tag:
        name, tag = reference, "latest"
    try:
        with engine_errors(f"image {reference}"):
            client.api.pull(name, tag=tag)
            image = _held(client, reference)
    except ChaoskitError as error:
        raise ImageError(
            "no node image: it is not present and cannot be pulled",
            subject=reference,
            seen=str(error.seen).strip(),
            next_step=_NEXT_STEP,
        ) from error
    if image is None:
        raise ImageError(
            "the registry answered, but the image is not there",
            subject=reference,
            next_step=_NEXT_STEP,
        )
    return image
