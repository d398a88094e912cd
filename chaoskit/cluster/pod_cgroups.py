"""Which containers live on a node, read from its pod cgroups on the host.

The kubelet makes one cgroup per pod and containerd one per container below it; a container is
alive as long as a process is in its cgroup, whatever the node's network, kubelet or containerd do.
Both of the kubelet's layouts are known: cgroupfs (`kubepods/burstable/pod<uid>/<id>`) and systemd
(`kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid>.slice/cri-containerd-<id>.scope`).
"""

import errno
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

_POD = re.compile(r"(?:kubepods-(?:besteffort-|burstable-)?)?pod([0-9a-f][0-9a-f_-]*)(?:\.slice)?")
_CONTAINER = re.compile(r"(?:cri-containerd-|crio-)?([0-9a-f]{64})(?:\.scope)?")
_PARENTS = (
    "kubepods",
    "kubepods/besteffort",
    "kubepods/burstable",
    "kubepods.slice",
    "kubepods.slice/kubepods-besteffort.slice",
    "kubepods.slice/kubepods-burstable.slice",
)
# The process that holds a pod's namespaces: rancher/k3s' pause image, and catatonit as pause.
_SANDBOX = ("pause", "catatonit")
# A container that is created, not started: the runtime waits in it under its own name.
_NOT_STARTED = ("runc", "crun")

# What the kernel answers for a cgroup that was removed, by path and by open file.
_GONE = (errno.ENOENT, errno.ENODEV)

State = Literal["running", "gone"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """A container came to life or ended since the scan before."""

    pod_uid: str
    container_id: str
    state: State


@dataclass(frozen=True, kw_only=True)
class Running:
    """A container that lives: its cgroup below the node's, and some of its processes."""

    pod_uid: str
    container_id: str
    place: str
    pids: list[str]


@dataclass(kw_only=True)
class _Container:
    id: str
    path: str
    # An open pids.current (reading it again costs a tenth of opening it again), where there is one.
    # Not cgroup.procs: version 1 shows a file that is kept open the processes of its first read
    # for as long as it is read at least once a second.
    count: int | None
    kind: Literal["not started", "sandbox", "running"] = "not started"


@dataclass(kw_only=True)
class _Pod:
    uid: str
    path: str
    folder: int
    links: int = -1
    containers: dict[str, _Container] = field(default_factory=dict)


class PodCgroups:
    """The live containers of one node; sandboxes are left out."""

    def __init__(self, cgroup: Path, *, proc: Path = Path("/proc")) -> None:
        """`cgroup` is the node container's own cgroup, in one hierarchy of the host."""
        self._cgroup = cgroup
        self._proc = proc
        self._pods: dict[str, _Pod] = {}

    def scan(self) -> list[Change]:
        """What changed since the scan before; the first one reports all that runs."""
        changes: list[Change] = []
        self._follow_pods(changes)
        for pod in self._pods.values():
            self._follow_containers(pod, changes)
        return changes

    def running(self) -> Iterator[Running]:
        """The containers that ran when they were last scanned."""
        for pod in self._pods.values():
            for one in pod.containers.values():
                if one.kind == "running":
                    yield Running(
                        pod_uid=pod.uid,
                        container_id=one.id,
                        place=one.path.removeprefix(f"{self._cgroup}/"),
                        pids=self._pids(one) or [],
                    )

    def close(self) -> None:
        """Close all files."""
        for pod in self._pods.values():
            self._close_pod(pod, [])
        self._pods.clear()

    def _follow_pods(self, changes: list[Change]) -> None:
        present = dict(self._pod_folders())
        for path in self._pods.keys() - present.keys():
            self._close_pod(self._pods.pop(path), changes)
        for path in present.keys() - self._pods.keys():
            folder = _opened(path, os.O_DIRECTORY)
            if folder is not None:
                self._pods[path] = _Pod(uid=present[path], path=path, folder=folder)

    def _pod_folders(self) -> "list[tuple[str, str]]":
        found = []
        for parent in _PARENTS:
            folder = f"{self._cgroup}/{parent}"
            for name in _listed(folder):
                if (match := _POD.fullmatch(name)) is not None:
                    found.append((f"{folder}/{name}", match[1].replace("_", "-")))
        return found

    def _follow_containers(self, pod: _Pod, changes: list[Change]) -> None:
        """Ask each known container; look into the folder only if something came or went.

        A cgroup folder's link count is its number of sub-folders plus two. A swap within one
        period keeps it, but then a known container is gone, which is seen on that one.
        """
        gone = [one for one in pod.containers.values() if not self._lives(pod, one, changes)]
        for one in gone:
            del pod.containers[one.id]
        try:
            links = os.fstat(pod.folder).st_nlink
        except OSError as error:
            if error.errno not in _GONE:
                raise
            links = 0
        if links == pod.links and not gone:
            return
        pod.links = links
        for name in _listed(pod.path):
            match = _CONTAINER.fullmatch(name)
            if match is None or match[1] in pod.containers:
                continue
            path = f"{pod.path}/{name}"
            one = _Container(id=match[1], path=path, count=_opened(f"{path}/pids.current", 0))
            pod.containers[one.id] = one
            if not self._lives(pod, one, changes):
                del pod.containers[one.id]
                pod.links = -1  # made or removed under our eyes: look again next time

    def _lives(self, pod: _Pod, one: _Container, changes: list[Change]) -> bool:
        """Whether its cgroup is still there; notes its start and its end."""
        processes = self._processes(one)
        if processes and one.kind == "not started":
            one.kind = self._kind(self._pids(one) or [])
            if one.kind == "running":
                changes.append(_change(pod, one, "running"))
        if not processes and one.kind == "running":
            changes.append(_change(pod, one, "gone"))
            one.kind = "not started"
        if processes is None and one.count is not None:
            os.close(one.count)
        return processes is not None

    def _processes(self, one: _Container) -> int | None:
        """How many it has, in cgroups below its own too; None if its cgroup is gone."""
        if one.count is None:  # a hierarchy without the pids controller
            pids = self._pids(one)
            return None if pids is None else len(pids)
        try:
            return int(os.pread(one.count, 32, 0))
        except OSError as error:
            if error.errno not in _GONE:
                raise
            return None

    def _pids(self, one: _Container) -> list[str] | None:
        """Some of its processes, or of a cgroup below (a container may run an init system).

        None if its cgroup is gone.
        """
        found: list[str] | None = None
        for folder, _, _ in os.walk(one.path):
            procs = _opened(f"{folder}/cgroup.procs", os.O_RDONLY)
            if procs is None:
                continue
            try:
                found = [pid.decode() for pid in os.read(procs, 256).split()]
            except OSError as error:
                if error.errno not in _GONE:
                    raise
            finally:
                os.close(procs)
            if found:
                break
        return found

    def _kind(self, pids: list[str]) -> Literal["not started", "sandbox", "running"]:
        for pid in pids:
            try:
                name = (self._proc / pid / "comm").read_text().strip()
            except (FileNotFoundError, ProcessLookupError):
                continue  # ended since
            if name.startswith(_NOT_STARTED):
                continue
            return "sandbox" if name in _SANDBOX else "running"
        return "not started"

    def _close_pod(self, pod: _Pod, changes: list[Change]) -> None:
        for one in pod.containers.values():
            if one.kind == "running":
                changes.append(_change(pod, one, "gone"))
            if one.count is not None:
                os.close(one.count)
        os.close(pod.folder)


def _change(pod: _Pod, one: _Container, state: State) -> Change:
    return Change(pod_uid=pod.uid, container_id=one.id, state=state)


def _listed(folder: str) -> list[str]:
    """The names in a folder; none if it is not there (any more)."""
    try:
        return os.listdir(folder)
    except OSError as error:
        if error.errno in _GONE:
            return []
        raise


def _opened(path: str, flags: int) -> int | None:
    try:
        return os.open(path, flags | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _GONE:
            return None
        raise
