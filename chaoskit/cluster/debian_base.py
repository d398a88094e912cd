"""A small Debian as an image, by mmdebstrap, or from the engine's registry where that is absent."""

import shutil
import subprocess
from collections.abc import Sequence

import docker

from chaoskit.cluster import engine_build
from chaoskit.cluster.engine_build import LABEL, Progress
from chaoskit.errors import ImageError


def ensure(
    client: docker.DockerClient,
    progress: Progress,
    *,
    reference: str,
    suite: str,
    packages: Sequence[str],
) -> str:
    """Make the image `reference` of that suite and those packages unless it is there; its name.

    Raises `ImageError` when Debian's archive cannot be reached.
    """
    if engine_build.has(client, reference):
        return reference
    if shutil.which("mmdebstrap") is None:
        _from_registry(client, progress, reference, suite, packages)
    else:
        _from_archive(client, progress, reference, suite, packages)
    return reference


def _from_archive(
    client: docker.DockerClient,
    progress: Progress,
    reference: str,
    suite: str,
    packages: Sequence[str],
) -> None:
    progress.begin(f"Debian {suite} root file system")
    with engine_build.workspace() as work:
        archive = work / "base.tar"
        command = [
            "mmdebstrap",
            "--variant=minbase",
            f"--include={','.join(packages)}",
            # Nothing in a container reads them, and they are half of its size.
            "--dpkgopt=path-exclude=/usr/share/doc/*",
            "--dpkgopt=path-exclude=/usr/share/locale/*",
            "--dpkgopt=path-exclude=/usr/share/man/*",
            suite,
            str(archive),
        ]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise ImageError(
                f"mmdebstrap failed with status {made.returncode}",
                subject=reference,
                seen="\n".join(made.stderr.splitlines()[-10:]),
                next_step="is a Debian package archive reachable, and are you root?",
            )
        repository, tag = reference.split(":")
        client.api.import_image_from_file(
            str(archive), repository=repository, tag=tag, changes=[f"LABEL {LABEL}=base"]
        )
    progress.end("")


def _from_registry(
    client: docker.DockerClient,
    progress: Progress,
    reference: str,
    suite: str,
    packages: Sequence[str],
) -> None:
    progress.begin(f"Debian {suite} base, from an image registry")
    with engine_build.workspace() as work:
        (work / "Dockerfile").write_text(
            f"FROM debian:{suite}-slim\n"
            "RUN apt-get update && apt-get install -y --no-install-recommends "
            f"{' '.join(packages)} && rm -rf /var/lib/apt/lists/*\n"
        )
        try:
            engine_build.build(client, work, reference, kind="base", arguments={})
        except ImageError as error:
            raise ImageError(
                "a Debian base is needed, and none can be had",
                subject=reference,
                seen=error.seen,
                next_step="apt-get install mmdebstrap, or an engine that can pull images",
            ) from error
    progress.end("")
