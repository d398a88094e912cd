"""Whether the kernel has inotify instances left for more nodes.

It gives a user 128 of them where nobody raised that (Linux, inotify(7)), and root's containers
all take from root's. A kubelet that gets none does not start, and its node stays NotReady with
the reason in its own log alone.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from chaoskit.errors import ClusterError

LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
#: Counted on running nodes of Kubernetes 1.36 with what they run by themselves.
_OF_A_SERVER = 21
_OF_AN_AGENT = 8


def in_use(processes: Iterable[int] | None = None) -> int:
    """How many these processes hold (None: all that can be looked at)."""
    pids = os.listdir("/proc") if processes is None else map(str, processes)
    held = 0
    for pid in filter(str.isdigit, pids):
        try:
            descriptors = list(os.scandir(f"/proc/{pid}/fd"))
        except OSError:
            continue  # it ended, or is somebody else's
        for descriptor in descriptors:
            try:
                held += os.readlink(descriptor.path) == "anon_inode:inotify"
            except OSError:
                continue  # closed meanwhile
    return held


def limit() -> int | None:
    """How many a user may have; None on a kernel without such a limit."""
    try:
        return int(LIMIT.read_text())
    except FileNotFoundError:
        return None


def taken_by(servers: int, agents: int) -> int:
    """How many so many nodes take."""
    return servers * _OF_A_SERVER + agents * _OF_AN_AGENT


def require(cluster: str, servers: int, agents: int) -> None:
    """Raise `ClusterError` unless there are enough for so many nodes more on this machine.

    Nothing is said where that cannot be known: for another user than root, whose engine's
    processes it cannot see.
    """
    most = limit()
    if os.geteuid() != 0 or most is None:
        return
    held = in_use()
    wanted = taken_by(servers, agents)
    if held + wanted > most:
        raise ClusterError(
            "the kernel has too few inotify instances left for its nodes",
            subject=cluster,
            seen=f"{held} of {most} are in use, {servers} + {agents} nodes take some {wanted}",
            next_step=f"end another cluster, or sysctl fs.inotify.max_user_instances={8 * most}",
        )
