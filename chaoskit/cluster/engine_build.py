"""What every image build needs of the engine: a workspace, the build itself, what is there."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import docker
from docker.errors import APIError, BuildError, ImageNotFound

from chaoskit.errors import EngineError, ImageError

#: The label that all images of chaoskit's carry; its value is their kind.
LABEL = "chaoskit.image"
_INPUTS_LABEL = f"{LABEL}.inputs"
_LEAST_FREE_BYTES = 6 << 30
#: Of what a failed build wrote, its last lines say why.
_TOLD_LINES = 10


class Progress(Protocol):
    """Told of each step: what it is, and how far it is where that is known."""

    def begin(self, step: str) -> None: ...

    def advance(self, done: int, total: int) -> None: ...

    def end(self, note: str) -> None: ...


@contextmanager
def workspace() -> Iterator[Path]:
    """An empty folder, removed at the end. Raises `EngineError` where the disk is too full."""
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < _LEAST_FREE_BYTES:
        raise EngineError(
            "too little disk to build images",
            subject=tempfile.gettempdir(),
            seen=f"{free / (1 << 30):.1f} GiB free of the {_LEAST_FREE_BYTES >> 30} needed",
            next_step="free some, or name another folder with TMPDIR",
        )
    with tempfile.TemporaryDirectory(prefix="chaoskit-image-") as folder:
        yield Path(folder)


def build(
    client: docker.DockerClient,
    context: Path,
    reference: str,
    *,
    kind: str,
    arguments: dict[str, str],
    inputs: str = "",
) -> None:
    """Build `context` as `reference`, labelled with its kind and the hash of its inputs.

    Raises `ImageError` with what the engine said.
    """
    try:
        client.images.build(
            path=str(context),
            tag=reference,
            rm=True,
            forcerm=True,
            buildargs=arguments,
            labels={LABEL: kind, _INPUTS_LABEL: inputs},
        )
    except BuildError as error:
        told = "".join(line.get("stream", "") for line in error.build_log).splitlines()
        seen = "\n".join([str(error), *told[-_TOLD_LINES:]])
        raise ImageError("the engine could not build it", subject=reference, seen=seen) from error
    except APIError as error:
        raise ImageError("the engine could not build it", subject=reference, seen=error) from error


def has(client: docker.DockerClient, reference: str, inputs: str = "") -> bool:
    """Whether the engine has that image, made of those inputs."""
    try:
        image = client.images.get(reference)
    except ImageNotFound:
        return False
    return inputs_of(image.labels) == inputs


def inputs_of(labels: dict[str, str]) -> str:
    """The hash of an image's inputs, as `build` noted it."""
    return labels.get(_INPUTS_LABEL, "")
