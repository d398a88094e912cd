"""Where the images that a user's pods name come from: the engine, or tars that it saved."""

import json
import tarfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import docker
from docker.errors import ImageNotFound

from chaoskit.cluster.engine import Engine
from chaoskit.cluster.images import connect
from chaoskit.cluster.launch.engine_errors import engine_errors
from chaoskit.errors import ImageError, UsageError


def images_in(archive: Path) -> list[str]:
    """The images of a tar that `docker save` wrote. Raises `UsageError`."""
    try:
        with tarfile.open(archive) as tar:
            member = tar.extractfile("manifest.json")
            listed = json.load(member) if member is not None else []
    except (OSError, KeyError, tarfile.TarError, ValueError) as error:
        raise UsageError(
            "is no archive of images",
            subject=str(archive),
            seen=f"{type(error).__name__}: {error}",
            next_step="docker save --output FILE.tar IMAGE…",
        ) from error
    return [tag for each in listed for tag in each.get("RepoTags") or []]


def images_of_engine(
    engine: Engine, wanted: Sequence[str], archives: Sequence[Path]
) -> tuple[str, ...]:
    """Those of `wanted` that no archive has. Raises `ImageError` for what is nowhere."""
    archived = {full_name(image) for archive in archives for image in images_in(archive)}
    left = tuple(image for image in wanted if full_name(image) not in archived)
    with closing(connect(engine)) as client:
        missing = [image for image in left if not _is_there(client, image)]
    if missing:
        raise ImageError(
            f"{'is' if len(missing) == 1 else 'are'} neither in the engine nor in an archive",
            subject=", ".join(missing),
            seen=f"archives: {', '.join(map(str, archives)) or 'none'}",
            next_step="docker build or docker pull it, or name its tar with --image-archive",
        )
    return left


def _is_there(client: docker.DockerClient, image: str) -> bool:
    with engine_errors("the engine's images"):
        try:
            client.images.get(image)
        except ImageNotFound:
            return False
    return True


def full_name(image: str) -> str:
    """The name in full, as container runtimes compare it: web is docker.io/library/web:latest."""
    head, slash, _ = image.partition("/")
    if not slash:
        image = f"library/{image}"
    if not slash or not ("." in head or ":" in head or head == "localhost"):
        image = f"docker.io/{image}"
    return image if "@" in image or ":" in image.rpartition("/")[2] else f"{image}:latest"
