"""Inotify instances: how many are held, and a cluster that would get none."""

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaoskit.cluster.launch import inotify
from chaoskit.errors import ClusterError


@pytest.fixture
def instance() -> Iterator[int]:
    """One that this process holds."""
    descriptor = ctypes.CDLL(None).inotify_init1(0)
    assert descriptor >= 0
    yield descriptor
    os.close(descriptor)


def test_those_of_a_process_are_counted(instance: int) -> None:
    with_it = inotify.in_use([os.getpid()])
    os.dup2(os.open(os.devnull, os.O_RDONLY), instance)
    assert inotify.in_use([os.getpid()]) == with_it - 1
    assert inotify.in_use() >= with_it - 1
    assert inotify.in_use([4_194_305]) == 0, "no process can have that number"


@pytest.mark.skipif(os.geteuid() != 0, reason="another user sees nothing of the nodes")
def test_a_cluster_that_would_get_too_few_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    limit = tmp_path / "limit"
    monkeypatch.setattr(inotify, "LIMIT", limit)
    inotify.require("shop", 1, 2)  # a kernel without a limit
    monkeypatch.setattr(inotify, "in_use", lambda: 100)
    limit.write_text("137\n")
    inotify.require("shop", 1, 2)
    limit.write_text("136\n")
    with pytest.raises(ClusterError, match="100 of 136 are in use, 1 \\+ 2 nodes") as refused:
        inotify.require("shop", 1, 2)
    assert "max_user_instances=1088" in str(refused.value)
