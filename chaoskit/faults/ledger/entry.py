"""One injected fault as it stands on disk: all that any other process needs to heal it."""

import os
import secrets
from typing import Any

import msgspec

from chaoskit import clock
from chaoskit.cluster.launch import labels
from chaoskit.errors import FaultError, UsageError
from chaoskit.faults.catalogue import fault_of, parameters_of
from chaoskit.faults.fault import Fault

#: The layout of an entry; a file of another one is not understood, and said to be so.
VERSION = 1
#: An entry is names and numbers. What is longer holds content, which has no place in it.
MOST_BYTES = 4096
#: By how much two clocks, or a node's timer and its message, may be late.
_MARGIN_NS = 60_000_000_000


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault that may be in effect. Written before it is injected, gone once seen healed.

    `heal_at_ns` is when the other side heals by itself at the latest, if it can, on the clock of
    this boot; `heal_at_wall_ns` the same for whoever does not share it.
    """

    version: int
    id: str
    fault: str
    parameters: dict[str, Any]
    target: str
    cluster: str
    #: Which engine runs the cluster; empty where that is not known.
    engine: str
    owner: str
    boot_id: str
    requested_ns: int
    requested_wall_ns: int
    heal_at_ns: int
    heal_at_wall_ns: int

    def __str__(self) -> str:
        return f"{self.fault} on {self.target} of cluster {self.cluster}"

    @property
    def life(self) -> labels.Life:
        """Whether the process that injected it still runs.

        One of another boot, or in another pid namespace, is out of sight: it may live on another
        machine that shares this folder, or in a container of this one.
        """
        owner = labels.parse_owner(self.owner)
        return "dead" if owner is None else labels.life_of(owner)

    @property
    def is_overdue(self) -> bool:
        """Whether the time is over at which it should have been healed, whoever owns it."""
        if self.boot_id == clock.boot_id():
            return clock.now_ns() > self.heal_at_ns + _MARGIN_NS
        return clock.wall_ns() > self.heal_at_wall_ns + _MARGIN_NS

    def rebuilt(self) -> Fault:
        """The fault itself; raises `UsageError` when this version of chaoskit has it not."""
        return fault_of(self.fault, self.parameters)


def entry_for(
    fault: Fault, *, cluster: str, engine: str, heal_after_s: float, owner: labels.Owner
) -> Entry:
    """The entry of a fault that is about to be injected. Raises `UsageError`."""
    try:
        parameters = parameters_of(fault)
    except TypeError as error:
        raise UsageError(
            f"its fields are no plain values, so no other process could heal it: {error}",
            subject=f"fault {fault.name}",
        ) from error
    after_ns = round(heal_after_s * 1e9)
    now_ns, wall_ns = clock.now_ns(), clock.wall_ns()
    return Entry(
        version=VERSION,
        id=f"{fault.name}-{os.getpid()}-{secrets.token_hex(4)}",
        fault=fault.name,
        parameters=parameters,
        target=fault.target,
        cluster=cluster,
        engine=engine,
        owner=str(owner),
        boot_id=clock.boot_id(),
        requested_ns=now_ns,
        requested_wall_ns=wall_ns,
        heal_at_ns=now_ns + after_ns,
        heal_at_wall_ns=wall_ns + after_ns,
    )


def encoded(entry: Entry) -> bytes:
    """The entry as it is written. Raises `FaultError` for one that holds more than names."""
    data = msgspec.json.format(msgspec.json.encode(entry), indent=1) + b"\n"
    if len(data) > MOST_BYTES or b"-----BEGIN" in data:
        raise FaultError(
            "its parameters hold content, which the ledger does not keep",
            subject=f"fault {entry.fault} on {entry.target}",
            seen=f"{len(data)} bytes, at most {MOST_BYTES}",
            next_step="let it name an object of the cluster in place of its content",
        )
    return data


def decoded(data: bytes) -> Entry:
    """The entry in a file. Raises `ValueError` saying what is wrong with it."""
    if not data:
        raise ValueError("it is empty")
    head = msgspec.json.decode(data)
    version = head.get("version") if isinstance(head, dict) else None
    if version != VERSION:
        raise ValueError(f"its version is {version!r}, not {VERSION}")
    return msgspec.convert(head, Entry)
