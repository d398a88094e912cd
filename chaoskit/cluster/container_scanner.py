"""Starts and ends the container scan of a cluster of node containers."""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec

from chaoskit.cluster.container_scan import Orders
from chaoskit.errors import ClusterError
from chaoskit.history.folder import RecordFolder
from chaoskit.waiting import wait_until

_START_TIMEOUT_S = 15.0
_STOP_TIMEOUT_S = 5.0
# One hierarchy is enough; where there are many, one that everybody mounts.
_HIERARCHIES = ("pids", "memory", "cpu", "name=systemd")
_CGROUPS = Path("/sys/fs/cgroup")


@runtime_checkable
class NodeContainersCluster(Protocol):
    """A cluster whose nodes are containers of this machine's engine."""

    @property
    def name(self) -> str: ...

    def node_inspections(self) -> Sequence[dict[str, Any]]: ...


class ContainerScanner:
    """A running scan."""

    def __init__(self, process: subprocess.Popen[bytes], log_path: Path) -> None:
        self._process = process
        self._log_path = log_path
        self._stopped = False

    @classmethod
    def start(
        cls, cluster: NodeContainersCluster, record_folder: Path, log_path: Path
    ) -> "ContainerScanner":
        """Start scanning the nodes of `cluster` into `record_folder`.

        Returns when the first scan is under way. What the process itself has to say goes to
        `log_path`. Raises `ClusterError` where the nodes' cgroups cannot be seen from here.
        """
        inspections = cluster.node_inspections()
        cgroups = {row["Name"].lstrip("/"): node_cgroup(row) for row in inspections}
        orders = Orders(
            cgroups={name: str(path) for name, path in cgroups.items()},
            cpu_cgroups=_cpu_cgroups(inspections),
            events_file=str(RecordFolder(record_folder).new_events_file("container-scan")),
            parent_pid=os.getpid(),
        )
        with log_path.open("ab") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "chaoskit.cluster.container_scan",
                    msgspec.json.encode(orders),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the harness, which then stops it
            )
        scanner = cls(process, log_path)
        scanner._wait_scanning()
        return scanner

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it still scans."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the scan; the record is complete afterwards. A second call does nothing.

        Raises `ClusterError` when it had ended by itself before: identity since then is unknown.
        """
        if self._stopped:
            return
        self._stopped = True
        died = not self.is_alive
        assert self._process.stdin is not None  # asked for in `start`
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        if died or self._process.returncode != 0:
            raise self._ended("the container scan ended by itself before the run did")

    def _wait_scanning(self) -> None:
        assert self._process.stdout is not None  # asked for in `start`
        os.set_blocking(self._process.stdout.fileno(), False)
        said = bytearray()

        def scanning() -> bool:
            assert self._process.stdout is not None
            said.extend(self._process.stdout.read() or b"")
            return b"scanning" in said

        try:
            wait_until(
                scanning,
                what="the container scan to begin",
                timeout_s=_START_TIMEOUT_S,
                interval_s=0.02,
                hopeless=lambda: None if self.is_alive else f"exit code {self._process.poll()}",
                next_step=f"read {self._log_path}",
            )
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    def _ended(self, problem: str) -> ClusterError:
        return ClusterError(
            problem,
            subject=f"container scan, process {self.pid}",
            seen=f"exit code {self._process.returncode}",
            next_step=f"read {self._log_path}; the record names the gap",
        )


def _cpu_cgroups(inspections: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Where the processors of each node are limited; what cannot be seen is left out."""
    found: dict[str, str] = {}
    for row in inspections:
        with suppress(ClusterError):
            found[row["Name"].lstrip("/")] = str(node_cgroup(row, hierarchies=("cpu",)))
    return found


def node_cgroup(
    inspection: dict[str, Any],
    *,
    hierarchies: Sequence[str] = _HIERARCHIES,
    proc: Path = Path("/proc"),
    cgroups: Path = _CGROUPS,
) -> Path:
    """A node container's own cgroup on this machine, in the first of the hierarchies that has it
    (version 2 has one for all); raises `ClusterError`.

    The container's process must be visible here, and its cgroup name must hold the container's
    id: otherwise the engine runs elsewhere, or this process lives in a container itself.
    """
    name, pid = inspection["Name"].lstrip("/"), inspection["State"]["Pid"]
    try:
        rows = (proc / str(pid) / "cgroup").read_text().splitlines()
    except FileNotFoundError:
        rows = []
    paths: dict[str, str] = {}
    for row in rows:
        _, controllers, path = row.split(":", 2)
        for controller in controllers.split(","):
            paths[controller] = path.lstrip("/")
    for hierarchy in hierarchies:
        mount = cgroups / hierarchy.removeprefix("name=")
        if inspection["Id"] in paths.get(hierarchy, "") and (mount / paths[hierarchy]).is_dir():
            return _container_level(mount / paths[hierarchy], inspection["Id"])
    if inspection["Id"] in paths.get("", "") and (cgroups / paths[""]).is_dir():
        return _container_level(cgroups / paths[""], inspection["Id"])
    raise ClusterError(
        "its cgroups cannot be seen from here",
        subject=f"node {name}",
        seen=f"process {pid} in {paths or 'no cgroup of this machine'}",
        next_step="run chaoskit on the engine's own machine, outside of containers",
    )


def _container_level(path: Path, container_id: str) -> Path:
    """Up from where process 1 may have moved itself to the container's own cgroup."""
    return next(one for one in (path, *path.parents) if container_id in one.name)
