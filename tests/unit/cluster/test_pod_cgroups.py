"""The reading of cgroup trees, on trees of plain files laid out as the kubelet does."""

import os
import shutil
from pathlib import Path

import pytest

from chaoskit.cluster.pod_cgroups import Change, PodCgroups

UID = "0a1b2c3d-1111-2222-3333-444455556666"
ONE, TWO, SANDBOX = "a" * 64, "b" * 64, "c" * 64
LAYOUTS = {
    "cgroupfs": "kubepods/burstable/pod{uid}/{id}",
    "cgroupfs guaranteed": "kubepods/pod{uid}/{id}",
    "systemd": (
        "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{slug}.slice"
        "/cri-containerd-{id}.scope"
    ),
    "systemd guaranteed": "kubepods.slice/kubepods-pod{slug}.slice/cri-containerd-{id}.scope",
}


class Tree:
    """A node's cgroup and the processes in it."""

    def __init__(self, root: Path, layout: str = "kubepods/burstable/pod{uid}/{id}") -> None:
        self.root = root / "node"
        self.root.mkdir()
        self.proc = root / "proc"
        self.proc.mkdir()
        self.layout = layout
        self.next_pid = 100

    def path(self, container: str, uid: str = UID) -> Path:
        slug = uid.replace("-", "_")
        return self.root / self.layout.format(uid=uid, slug=slug, id=container)

    def name(self, pid: int, comm: str) -> None:
        (self.proc / str(pid)).mkdir(exist_ok=True)
        (self.proc / str(pid) / "comm").write_text(f"{comm}\n")

    def add(self, container: str, *, comm: str = "specimen", uid: str = UID) -> int:
        self.next_pid += 1
        self.name(self.next_pid, comm)
        path = self.path(container, uid)
        path.mkdir(parents=True)
        (path / "cgroup.procs").write_text(f"{self.next_pid}\n")
        return self.next_pid

    def end(self, container: str) -> None:
        (self.path(container) / "cgroup.procs").write_text("")

    def scanner(self) -> PodCgroups:
        return PodCgroups(self.root, proc=self.proc)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def running(container: str, uid: str = UID) -> Change:
    return Change(pod_uid=uid, container_id=container, state="running")


def gone(container: str, uid: str = UID) -> Change:
    return Change(pod_uid=uid, container_id=container, state="gone")


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_containers_are_found_in_every_layout(tmp_path: Path, layout: str) -> None:
    tree = Tree(tmp_path, layout)
    tree.add(ONE)
    assert tree.scanner().scan() == [running(ONE)]


def test_each_change_is_said_once(tree: Tree) -> None:
    scan = tree.scanner()
    assert scan.scan() == []
    tree.add(ONE)
    assert scan.scan() == [running(ONE)]
    assert scan.scan() == []
    tree.end(ONE)
    assert scan.scan() == [gone(ONE)]
    assert scan.scan() == []


def test_a_container_whose_cgroup_vanished_at_once_is_gone(tree: Tree) -> None:
    tree.add(ONE)
    scan = tree.scanner()
    scan.scan()
    shutil.rmtree(tree.path(ONE).parent)
    assert scan.scan() == [gone(ONE)]


def test_a_restarted_container_is_another_one(tree: Tree) -> None:
    tree.add(ONE)
    scan = tree.scanner()
    scan.scan()
    tree.add(TWO)
    assert scan.scan() == [running(TWO)]
    tree.end(ONE)
    assert scan.scan() == [gone(ONE)]


def test_sandboxes_are_left_out(tree: Tree) -> None:
    tree.add(SANDBOX, comm="pause")
    tree.add(ONE)
    scan = tree.scanner()
    assert scan.scan() == [running(ONE)]
    tree.end(SANDBOX)
    assert scan.scan() == []


def test_a_container_that_is_only_created_does_not_run_yet(tree: Tree) -> None:
    pid = tree.add(ONE, comm="runc:[2:INIT]")
    scan = tree.scanner()
    assert scan.scan() == []
    tree.name(pid, "specimen")
    assert scan.scan() == [running(ONE)]


def test_a_container_that_never_started_never_ends(tree: Tree) -> None:
    tree.add(ONE, comm="runc:[2:INIT]")
    scan = tree.scanner()
    scan.scan()
    shutil.rmtree(tree.path(ONE))
    assert scan.scan() == []


def test_processes_in_cgroups_below_keep_a_container_alive(tree: Tree) -> None:
    pid = tree.add(ONE)
    scan = tree.scanner()
    scan.scan()
    tree.end(ONE)
    (tree.path(ONE) / "init.scope").mkdir()
    (tree.path(ONE) / "init.scope" / "cgroup.procs").write_text(f"{pid}\n")
    assert scan.scan() == []
    (tree.path(ONE) / "init.scope" / "cgroup.procs").write_text("")
    assert scan.scan() == [gone(ONE)]


def test_a_node_that_ended_and_came_back_starts_anew(tree: Tree) -> None:
    tree.add(ONE)
    scan = tree.scanner()
    scan.scan()
    shutil.rmtree(tree.root / "kubepods")
    assert scan.scan() == [gone(ONE)]
    tree.add(TWO)
    assert scan.scan() == [running(TWO)]


def test_foreign_folders_are_no_pods(tree: Tree) -> None:
    (tree.root / "kubepods" / "besteffort" / "podium").mkdir(parents=True)
    (tree.root / "system.slice" / ONE).mkdir(parents=True)
    assert tree.scanner().scan() == []


def test_closing_gives_every_file_back(tree: Tree) -> None:
    before = set(os.listdir("/proc/self/fd"))
    scan = tree.scanner()
    tree.add(ONE)
    tree.add(TWO, uid=UID.replace("0a", "0b"))
    scan.scan()
    assert set(os.listdir("/proc/self/fd")) > before
    scan.close()
    assert set(os.listdir("/proc/self/fd")) == before
