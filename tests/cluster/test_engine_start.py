"""Starting, crashing and stopping a real engine, away from the machine's own.

It runs in mount, network and process namespaces of its own, with its own /run and data, and the
namespace takes every process along when it ends.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chaoskit.cluster.engine_state import which

ROOT = Path(__file__).parents[2]
NAMESPACES = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
STAGE = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/lib/docker
mount -t proc proc /proc
ip link set lo up
exec "$@"
"""
STALE = """
import os, socket
from pathlib import Path
from chaoskit.cluster import engine_process
# As after a reboot: the numbers of the dead engine belong to somebody who lives.
for file in ("/run/docker.pid", "/run/docker/containerd/containerd.pid"):
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text(str(os.getpid()))
Path("/run/containerd").mkdir()
for file in ("/run/containerd/containerd.sock", "/run/docker.sock"):
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(file)
"""
START = """
from chaoskit.cluster import engine, engine_install, engine_process
found = engine_install.ensure_engine(print)
assert engine_process.started_engine().pid == found.daemon_pid
print("answers:", found.version)
"""
CRASH = """
import os, signal
os.kill(found.daemon_pid, signal.SIGKILL)
os.waitpid(found.daemon_pid, 0)
print("crashed")
again = engine_install.ensure_engine(print)
assert again.daemon_pid != found.daemon_pid
print("answers again:", again.version)
"""
DYING = """
import shutil, subprocess
from pathlib import Path
# What a containerd is in the moments between its dockerd's death and its own.
Path("/run/bin").mkdir()
shutil.copy(shutil.which("sleep"), "/run/bin/containerd")
dying = subprocess.Popen(["/run/bin/containerd", "3"])
Path("/run/docker/containerd").mkdir(parents=True)
Path("/run/docker/containerd/containerd.pid").write_text(str(dying.pid))
"""
STOP = """
engine_process.stop(print)
assert isinstance(engine.find(), tuple)
"""


def run_apart(*parts: str) -> str:
    needs = ("unshare", "dockerd", "ip")
    lacking = [one for one in needs if which(one) is None]
    if os.geteuid() != 0 or lacking:
        pytest.skip(f"needs root and programs that are absent: {lacking}")
    Path("/var/lib/docker").mkdir(exist_ok=True)
    done = subprocess.run(
        [*NAMESPACES, "sh", "-c", STAGE, "stage", sys.executable, "-c", "".join(parts)],
        cwd=ROOT,
        env={
            **{key: value for key, value in os.environ.items() if key != "DOCKER_HOST"},
            "CHAOSKIT_STATE_DIR": "/run/chaoskit",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_engine_starts_over_what_a_dead_one_left_and_is_stopped() -> None:
    said = run_apart(STALE, START, STOP)
    assert "removed /var/run/docker.pid: left by a dockerd that is gone" in said
    assert "removed /run/containerd/containerd.sock: nobody listens there" in said
    assert "answers: " in said
    assert "its containers and images stay" in said


def test_an_engine_that_was_killed_is_replaced() -> None:
    said = run_apart(START, CRASH, STOP)
    assert "removed /var/run/docker.pid" in said
    assert "answers again: " in said


def test_an_engine_waits_for_the_containerd_of_a_killed_one_to_follow_it() -> None:
    said = run_apart(DYING, START, STOP)
    assert "removed /var/run/docker/containerd/containerd.pid: left by a containerd" in said
    assert "answers: " in said


def test_an_engine_that_cannot_start_shows_the_end_of_its_log() -> None:
    broken = """
from pathlib import Path
Path("/run/docker").write_text("a file where dockerd needs a folder")
from chaoskit.cluster import engine_install
from chaoskit.errors import Hopeless
try:
    engine_install.ensure_engine(print)
except Hopeless as error:
    print(error)
"""
    said = run_apart(broken)
    assert "dockerd ended with status 1" in said
    assert "not a directory" in said
