"""A free address range for a cluster's own network, and the fixed addresses in it."""

import ipaddress
import random
from collections.abc import Iterable
from pathlib import Path

from chaoskit.errors import EngineError

# 10.42/16 and 10.43/16 are the pods' and services'; docker's own pool is 172.17 to 31 and 192.168.
_POOL = ipaddress.IPv4Network("10.200.0.0/14")
_FIRST_SERVER = 11
_FIRST_AGENT = 31
# Behind all nodes, and far from the low addresses that the engine hands out by itself.
_REGISTRY = 250
_ROUTES = Path("/proc/net/route")


def choose(used: Iterable[ipaddress.IPv4Network], *, seed: int | None = None) -> str:
    """A /24 of the pool that overlaps none of `used`; two callers seldom choose the same."""
    taken = list(used)
    candidates = list(_POOL.subnets(new_prefix=24))
    random.Random(seed).shuffle(candidates)
    for candidate in candidates:
        if not any(candidate.overlaps(other) for other in taken):
            return str(candidate)
    raise EngineError(
        "no free address range for a cluster's network",
        subject=str(_POOL),
        seen=f"{len(taken)} ranges in use",
        next_step="chaoskit cluster sweep; docker network ls",
    )


def host_routes(table: Path = _ROUTES) -> list[ipaddress.IPv4Network]:
    """The ranges this machine already routes, its default route apart."""
    found = []
    for row in table.read_text().splitlines()[1:]:
        fields = row.split()
        address, mask = (int.from_bytes(bytes.fromhex(fields[at]), "little") for at in (1, 7))
        if mask:
            found.append(ipaddress.IPv4Network((address, mask.bit_count()), strict=False))
    return found


def gateway(subnet: str) -> str:
    """The host's own address in the network."""
    return str(ipaddress.IPv4Network(subnet)[1])


def server_address(subnet: str, index: int) -> str:
    """The address of server `index`, counted from 0."""
    return str(ipaddress.IPv4Network(subnet)[_FIRST_SERVER + index])


def agent_address(subnet: str, index: int) -> str:
    """The address of agent `index`, counted from 0."""
    return str(ipaddress.IPv4Network(subnet)[_FIRST_AGENT + index])


def registry_address(subnet: str) -> str:
    """The address of the private registry, whether it runs or not."""
    return str(ipaddress.IPv4Network(subnet)[_REGISTRY])
