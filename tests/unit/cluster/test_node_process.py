"""Processes that are started on a node by name; here the node is this machine's own shell."""

import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from chaoskit.cluster import node_process
from chaoskit.cluster.node import Completed, Node
from chaoskit.cluster.node_process import NodeProcess
from chaoskit.waiting import wait_until


class Here:
    """Runs what a node would."""

    name = "here"

    def execute(self, argv: Sequence[str], *, timeout_s: float) -> Completed:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=timeout_s)
        return Completed(exit_code=done.returncode, stdout=done.stdout, stderr=done.stderr)


def test_it_can_be_killed_as_soon_as_it_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_process, "_FOLDER", str(tmp_path))
    for number in range(20):
        process = NodeProcess(cast(Node, Here()), f"client-{number}")
        process.start(["sleep", "60"])
        process.kill()
        wait_until(partial(_is_gone, process), what=f"client-{number} to be gone", timeout_s=5)


def _is_gone(process: NodeProcess) -> bool:
    state = process.state()
    return state is not None and not state.is_living
