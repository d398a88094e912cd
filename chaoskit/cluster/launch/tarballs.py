"""Workload images as tarballs, saved from the engine once per image id."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import docker

from chaoskit.cluster.launch.engine_errors import engine_errors
from chaoskit.cluster.launch.state import cache_folder


def saved(client: docker.DockerClient, references: Sequence[str]) -> tuple[Path, ...]:
    """A tarball for each reference, from the cache where it is there.

    Raises `ImageError` for a reference the engine does not have, `EngineError` if it fails.
    """
    return tuple(_saved(client, reference) for reference in dict.fromkeys(references))


def _saved(client: docker.DockerClient, reference: str) -> Path:
    with engine_errors(f"image {reference}"):
        image = client.images.get(reference)
        # The name belongs to the key: a tarball carries the names under which it was saved.
        key = hashlib.sha256(f"{reference} {image.id}".encode()).hexdigest()[:24]
        folder = cache_folder() / "images"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{key}.tar"
        if not file.exists():
            beside = folder / f".{key}.{os.getpid()}"
            try:
                with beside.open("wb") as out:
                    out.writelines(image.save(chunk_size=1 << 20, named=reference))
                beside.replace(file)
            finally:
                beside.unlink(missing_ok=True)
    return file
