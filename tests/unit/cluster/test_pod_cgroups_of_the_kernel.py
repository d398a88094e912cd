"""The reading of cgroups that the kernel keeps. Needs root, as nodes do."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chaoskit.cluster.pod_cgroups import Change, PodCgroups

UID = "0a1b2c3d-1111-2222-3333-444455556666"
CONTAINER = "a" * 64


@pytest.fixture
def node(cgroup_of: Callable[[str], Path]) -> Path:
    """A node's cgroup, where processes are counted."""
    return cgroup_of("pids")


@pytest.fixture
def container(node: Path) -> Path:
    path = node / "kubepods" / f"pod{UID}" / CONTAINER
    path.mkdir(parents=True)
    return path


@contextmanager
def process_in(cgroup: Path, name: str) -> Iterator[None]:
    """A process of that name, waiting in the cgroup."""
    code = f"open('/proc/self/comm', 'w').write({name!r}); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (cgroup / "cgroup.procs").write_text(str(process.pid))
        yield
        process.kill()


def test_process_that_came_after_the_first_look_is_seen(node: Path, container: Path) -> None:
    """Starting a container, the runtime's own short-lived processes are in its cgroup first.

    Version 1 of cgroups goes on showing them to a reader that keeps the file open.
    """
    cgroups = PodCgroups(node)
    with process_in(container, "runc:[0:PARENT]"):
        assert cgroups.scan() == []
        with process_in(container, "specimen"):
            assert cgroups.scan() == [Change(pod_uid=UID, container_id=CONTAINER, state="running")]


def test_process_that_ended_is_gone_though_its_cgroup_stays(node: Path, container: Path) -> None:
    """With containerd dead, nobody removes the cgroup of a container that ended."""
    cgroups = PodCgroups(node)
    with process_in(container, "specimen"):
        assert [change.state for change in cgroups.scan()] == ["running"]
        assert cgroups.scan() == []

    assert [change.state for change in cgroups.scan()] == ["gone"]
