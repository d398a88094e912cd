"""Clusters whose starter was stopped or killed, or went away on purpose."""

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from chaoskit.cli.statuses import EXIT_ENVIRONMENT
from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.cluster.launch import leftovers
from chaoskit.errors import ClusterError
from tests.cluster.clusters import IMAGE, SMALL, things

CLI = [sys.executable, "-m", "chaoskit.cli", "cluster"]

pytestmark = pytest.mark.long  # each starts a cluster of its own


def start_in_process(name: str, *, until: str) -> "subprocess.Popen[str]":
    """`chaoskit cluster up` in a process of its own, come as far as the step `until`."""
    # A shell's background jobs ignore interrupts, and so would all that they start.
    argv = ["env", "--default-signal=INT", *CLI, "up", "--name", name]
    argv += ["--agents", "0", "--image", IMAGE]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if until in line:
            return process
    raise AssertionError(f"it ended with {process.wait()} before {until!r}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=str)
@pytest.mark.parametrize("step", ["starting", "API server", "DNS"])
def test_a_signal_during_the_start_leaves_nothing(
    provider: K3sProvider, name: str, number: signal.Signals, step: str
) -> None:
    process = start_in_process(name, until=step)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert f"removing what was made of {name}" in said
    assert things(provider, name) == []


def test_an_impatient_second_interrupt_does_not_cut_the_removal_short(
    provider: K3sProvider, name: str
) -> None:
    process = start_in_process(name, until="API server")
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    for line in process.stderr:
        if "removing" in line:
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT
    assert things(provider, name) == []


@pytest.mark.parametrize("step", ["starting", "API server", "DNS"])
def test_what_a_killed_start_left_is_swept(provider: K3sProvider, name: str, step: str) -> None:
    process = start_in_process(name, until=step)
    process.kill()
    process.communicate(timeout=30)

    said = leftovers.sweep(provider.client)

    # Before its first step a start has made nothing.
    assert step == "starting" or [one for one in said if name in one], said
    assert things(provider, name) == []


def run_cli(*arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*CLI, *arguments], input=stdin, capture_output=True, text=True, timeout=180, check=False
    )


def test_a_kept_cluster_is_used_from_the_command_line(provider: K3sProvider, name: str) -> None:
    up = run_cli("up", "--name", name, "--agents", "0", "--image", IMAGE)
    assert up.returncode == 0, up.stderr
    assert f"chaoskit cluster down {name}" in up.stdout

    rows = {row["name"]: row for row in json.loads(run_cli("ls", "--json").stdout)}
    assert (rows[name]["kept"], rows[name]["nodes"]) == ("yes", "1/1 running")
    assert name in run_cli("ls").stdout
    assert not [one for one in leftovers.sweep(provider.client) if name in one]
    config = Path(run_cli("kubeconfig", name).stdout.strip())
    assert config.stat().st_mode & 0o777 == 0o600
    shell = run_cli("shell", f"{name}-server-0", stdin="hostname; exit 7\n")
    assert (shell.stdout.strip(), shell.returncode) == (f"{name}-server-0", 7)

    again = run_cli("up", "--name", name, "--agents", "0", "--image", IMAGE)
    assert "taking up kept cluster" in again.stderr
    other = run_cli("up", "--name", name, "--agents", "1", "--image", IMAGE)
    assert other.returncode == EXIT_ENVIRONMENT
    assert "of another make" in other.stderr

    down = run_cli("down", name)
    assert down.returncode == 0, down.stderr
    assert things(provider, name) == []
    assert not config.exists()


def test_a_kept_cluster_is_taken_up_after_a_reboot_without_this_machines_notes(
    provider: K3sProvider, name: str, state: Path
) -> None:
    kept = provider.start(replace(SMALL, name=name, keep=True))
    provider.stop(kept)
    assert things(provider, name) != []
    shutil.rmtree(state)
    provider.client.api.kill(f"{name}-server-0")

    found = provider.start(replace(SMALL, name=name, keep=True))

    assert found.facts == kept.facts
    assert found.kube.version()["gitVersion"] == kept.facts["kubernetes"]
    said = found.nodes[0].execute(["pgrep", "-af", "nodeagent serve"], timeout_s=10).stdout
    assert "-ttl-s 0" in said
    found.remove()


def test_unknown_names_list_the_known_ones(provider: K3sProvider) -> None:
    with pytest.raises(ClusterError, match="there are"):
        provider.find("no-such-cluster")
