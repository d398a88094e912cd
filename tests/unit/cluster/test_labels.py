"""Whose things are whose."""

import dataclasses
import os
import subprocess
import sys

import pytest

from chaoskit.cluster.launch import labels
from chaoskit.errors import UsageError


def test_this_process_is_alive_and_its_label_reads_back() -> None:
    owner = labels.this_process()
    assert labels.parse_owner(str(owner)) == owner
    assert labels.life_of(owner) == "alive"


def test_a_process_that_ended_is_dead() -> None:
    code = "from chaoskit.cluster.launch import labels; print(labels.this_process())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    owner = labels.parse_owner(said.stdout.strip())
    assert owner is not None
    assert labels.life_of(owner) == "dead"


def test_a_zombie_is_dead() -> None:
    code = "from chaoskit.cluster.launch import labels; print(labels.this_process(), flush=True)"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    owner = labels.parse_owner(child.stdout.read().strip())  # its end: the child has ended
    assert owner is not None
    try:
        # Not reaped yet, so still in the table of processes.
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert labels.life_of(owner) == "dead"
    finally:
        child.wait()
        child.stdout.close()


def test_a_reused_pid_is_not_the_owner() -> None:
    other = dataclasses.replace(labels.this_process(), started_ticks=1)
    assert labels.life_of(other) == "dead"


def test_an_owner_elsewhere_is_not_taken_for_dead() -> None:
    here = labels.this_process()
    rebooted = dataclasses.replace(here, boot_id="another")
    in_a_container = dataclasses.replace(here, pid_namespace="1")
    assert labels.life_of(rebooted) == labels.life_of(in_a_container) == "out of sight"


@pytest.mark.parametrize("text", ["", "1:2:3", "x:1:b:n", "1:2:b:n:more"])
def test_what_is_no_owner_is_none(text: str) -> None:
    assert labels.parse_owner(text) is None


@pytest.mark.parametrize("name", ["a", "chaoskit-3f2a", "a" * 40])
def test_names_that_nodes_can_have(name: str) -> None:
    assert labels.checked_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a_b", "a.b", "a" * 41, "a b"])
def test_names_that_nodes_cannot_have(name: str) -> None:
    with pytest.raises(UsageError, match="not a name"):
        labels.checked_name(name)


def test_random_names_are_names() -> None:
    assert labels.checked_name(labels.random_name()).startswith("chaoskit-")
