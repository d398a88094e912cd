"""What every component of every node said, as files: for a run that failed."""

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

import docker

from chaoskit.cluster.launch.engine_errors import engine_errors
from chaoskit.errors import ChaoskitError, ClusterError

# The built image keeps its components' logs in the first; k3s keeps containerd's in the second.
_PLACES = (
    "/var/log/chaoskit",
    "/var/log/chaoskit-agent.log",
    "/var/lib/rancher/k3s/agent/containerd/containerd.log",
)
_LARGEST_BYTES = 50_000_000


def collect(client: docker.DockerClient, nodes: Iterable[str], into: Path) -> None:
    """Write each node's logs into a folder of its own under `into`.

    Never raises for what is not there: what could not be read stands in `missing.txt` beside.
    Raises `ClusterError` when they cannot be written.
    """
    try:
        _collect(client, nodes, into)
    except OSError as error:
        raise ClusterError(
            "the nodes' logs could not be kept",
            subject=str(into),
            seen=error,
            next_step="free disk space, or name another folder with --chaos-report-dir",
        ) from error


def _collect(client: docker.DockerClient, nodes: Iterable[str], into: Path) -> None:
    for node in nodes:
        folder = into / node
        folder.mkdir(parents=True, exist_ok=True)
        missing = []
        try:
            with engine_errors(f"node {node}"):
                log = client.api.logs(node, timestamps=True)
            (folder / "container.log").write_bytes(log)
        except ChaoskitError as error:
            missing.append(f"container.log: {error}")
        for place in _PLACES:
            try:
                _copy(client, node, place, folder)
            except ChaoskitError as error:
                missing.append(f"{place}: {error}")
        if missing:
            (folder / "missing.txt").write_text("\n".join(missing) + "\n")


def _copy(client: docker.DockerClient, node: str, place: str, folder: Path) -> None:
    with engine_errors(f"node {node}: {place}"):
        pieces, _ = client.api.get_archive(node, place)
        data = b"".join(pieces)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive.getmembers():
            file = archive.extractfile(member) if member.isfile() else None
            if file is None:
                continue
            # Flattened to one level: a name in an archive must not lead out of the folder.
            target = folder / Path(member.name).name
            if member.size > _LARGEST_BYTES:
                file.seek(member.size - _LARGEST_BYTES)
            target.write_bytes(file.read())
