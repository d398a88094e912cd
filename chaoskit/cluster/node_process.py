"""A process of the user's on a node, by name: started, looked at and killed from any process."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chaoskit.cluster.node import Node
from chaoskit.errors import ClusterError, UsageError

_FOLDER = "/run/chaoskit/clients"
_COMMAND_S = 10.0

# The first shell returns at once; the second outlives it and waits for the process, so that its id
# stays its own until the exit code is written. The process leads a group, and goes with its
# children.
_START = """
mkdir -p "${1%/*}" && mkdir "$1" || exit 1
setsid sh -c '
    cd "$1" && shift
    setsid "$@" >log 2>&1 </dev/null &
    echo $! >pid.new && mv pid.new pid
    wait $!
    echo $? >exit.new && mv exit.new exit
' sh "$@" >/dev/null 2>&1 </dev/null &
# Whoever has started it may signal it at once: until it leads its group nobody could.
is_there() { [ -f "$1/exit" ] || kill -s 0 -- "-$(cat "$1/pid" 2>/dev/null)" 2>/dev/null; }
tries=0
until is_there "$1" || [ $tries -ge 500 ]; do tries=$((tries + 1)); sleep 0.01; done
is_there "$1"
"""
_LOOK = """
cd "$1" 2>/dev/null || { echo absent; exit; }
[ -f pid ] || { echo starting; exit; }
kill -s 0 -- "-$(cat pid)" 2>/dev/null && group=living || group=gone
echo "started $(cat exit 2>/dev/null || echo none) $group"
"""
_KILL = 'cd "$1" && [ ! -f exit ] && kill -s "$2" -- "-$(cat pid)"'


@dataclass(frozen=True, kw_only=True)
class ProcessState:
    """`exit_code` None: it has not ended; `is_living`: it, or a child of it, still runs."""

    exit_code: int | None
    is_living: bool


@dataclass(frozen=True)
class NodeProcess:
    """The process called `name` on a node, such as a kubectl that drives a rollout."""

    node: Node
    name: str

    def __post_init__(self) -> None:
        """Raises `UsageError` for a name that cannot be a file's."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.name):
            raise UsageError(
                "cannot be the name of a process here",
                subject=repr(self.name),
                next_step="use letters, digits, '.', '_' and '-'",
            )

    def start(self, argv: Sequence[str]) -> None:
        """Run `argv`, apart from us; returns as soon as it runs.

        kubectl finds the cluster by itself on a node with a control plane. Raises `ClusterError`
        if the name is taken.
        """
        done = self._run(_START, *argv)
        if done[0] != 0:
            raise ClusterError(
                "the process was not started",
                subject=self._subject,
                seen=done[1],
                next_step="give each process a name of its own, or `forget` the one before",
            )

    def state(self) -> ProcessState | None:
        """How it is; None when there is none of that name, or it is only just starting."""
        words = self._run(_LOOK)[1].split()
        if not words or words[0] != "started":
            return None
        code = None if words[1] == "none" else int(words[1])
        return ProcessState(exit_code=code, is_living=words[2] == "living")

    def kill(self, signal: str = "KILL") -> None:
        """Send a signal to it and its children. Raises `ClusterError` if it has ended already."""
        code, said = self._run(_KILL, signal)
        if code != 0:
            raise ClusterError(
                "has ended already, or was never started",
                subject=self._subject,
                seen=f"{self.state()} {said}".strip(),
                next_step="start it, or kill it sooner",
            )

    def log(self) -> str:
        """What it wrote so far."""
        return self._run('cat "$1/log"')[1]

    def forget(self) -> None:
        """Remove what is kept of it; it is not ended by that."""
        self._run('rm -rf "$1"')

    @property
    def _subject(self) -> str:
        return f"process {self.name} on node {self.node.name}"

    def _run(self, script: str, *arguments: str) -> tuple[int, str]:
        argv = ["sh", "-c", script, "sh", f"{_FOLDER}/{self.name}", *arguments]
        done = self.node.execute(argv, timeout_s=_COMMAND_S)
        return done.exit_code, f"{done.stdout}{done.stderr}".strip()
