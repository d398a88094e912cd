"""Whose is it: the labels on everything that the launcher creates, and the owner behind them."""

import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chaoskit import clock
from chaoskit.errors import UsageError

CLUSTER = "chaoskit.cluster"
OWNER = "chaoskit.owner"
KEEP = "chaoskit.keep"
NODE = "chaoskit.node"
ROLE = "chaoskit.role"
ADDRESS = "chaoskit.address"
SPEC = "chaoskit.spec"
FACTS = "chaoskit.facts"

# A cluster's name is the front of its node names, which are DNS labels of at most 63 characters.
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")

Life = Literal["alive", "dead", "out of sight"]


@dataclass(frozen=True, kw_only=True)
class Owner:
    """A process, named so that no later one can be taken for it."""

    pid: int
    started_ticks: int
    boot_id: str
    pid_namespace: str

    def __str__(self) -> str:
        return f"{self.pid}:{self.started_ticks}:{self.boot_id}:{self.pid_namespace}"


def this_process() -> Owner:
    """The owner of what this process creates."""
    return _owner(os.getpid())


def parent_process() -> Owner:
    """The process that started this one, for workers that create things in its name."""
    return _owner(os.getppid())


def _owner(pid: int) -> Owner:
    started = _started_ticks(pid)
    assert started is not None  # this process, or one that waits for it, is alive
    return Owner(
        pid=pid,
        started_ticks=started,
        boot_id=clock.boot_id(),
        pid_namespace=_pid_namespace(),
    )


def parse_owner(text: str) -> Owner | None:
    """The owner in a label's value; None if it is not one."""
    parts = text.split(":")
    if len(parts) != 4 or not parts[0].isdecimal() or not parts[1].isdecimal():
        return None
    return Owner(
        pid=int(parts[0]), started_ticks=int(parts[1]), boot_id=parts[2], pid_namespace=parts[3]
    )


def life_of(owner: Owner) -> Life:
    """Whether that process still runs; "out of sight" if it cannot be seen from here.

    An owner in another pid namespace (a CI job's container on the same engine) or on another
    machine must not be taken for dead.
    """
    if owner.boot_id != clock.boot_id() or owner.pid_namespace != _pid_namespace():
        return "out of sight"
    return "alive" if _started_ticks(owner.pid) == owner.started_ticks else "dead"


def labels(*, cluster: str, owner: Owner, keep: bool) -> dict[str, str]:
    """The labels that every container, volume and network of a cluster carries."""
    return {CLUSTER: cluster, OWNER: str(owner), KEEP: "true" if keep else "false"}


def random_name() -> str:
    """A name for a cluster that nobody named."""
    return f"chaoskit-{secrets.token_hex(2)}"


def checked_name(name: str) -> str:
    """The name itself if nodes can be called by it; raises `UsageError`."""
    if _NAME.fullmatch(name) is None:
        raise UsageError(
            "not a name for a cluster",
            seen=name,
            next_step="lower-case letters, digits and dashes, at most 40, no dash at either end",
        )
    return name


def _started_ticks(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # Fields after the command's name, which may hold spaces: state is the 3rd, start the 22nd.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


def _pid_namespace() -> str:
    return os.readlink("/proc/self/ns/pid").strip("pid:[]")
