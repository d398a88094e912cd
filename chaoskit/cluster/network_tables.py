"""The nftables tables of a network namespace, asked of the kernel from outside the node.

Node images need no tool for it. Only where the engine runs on this machine and this process may
enter its containers' networks, which `tables_in` says by an error.
"""

import ctypes
import os
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_NETLINK_NETFILTER = 12
_CLONE_NEWNET = 0x40000000
_GET_TABLE = (10 << 8) | 1  # NFNL_SUBSYS_NFTABLES, NFT_MSG_GETTABLE
_REQUEST_DUMP = 0x301
_DONE, _ERROR = 3, 2
_TABLE_NAME = 1
_FAMILIES = {1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"}
_ANSWER_BYTES = 1 << 16
_ANSWER_WITHIN_S = 5.0
_HEADER = struct.Struct("=IHHII")
_FAMILY = struct.Struct("=BBH")
_ATTRIBUTE = struct.Struct("=HH")


def tables_in(namespace: Path) -> list[str]:
    """Family and name of each table there ("inet chaoskit"). Raises `OSError`."""
    # A namespace is a thread's own matter: this one enters it and is gone afterwards.
    with ThreadPoolExecutor(1, thread_name_prefix="chaoskit-nft") as pool:
        return pool.submit(_tables, namespace).result()


def network_namespaces(container_id: str) -> dict[int, Path]:
    """The network namespaces of a container's processes: inode and one path to each."""
    found: dict[int, Path] = {}
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal():
            continue
        try:
            if container_id in (process / "cgroup").read_text():
                path = process / "ns" / "net"
                found.setdefault(path.stat().st_ino, path)
        except OSError:
            continue  # it ended meanwhile
    return found


def _tables(namespace: Path) -> list[str]:
    handle = os.open(namespace, os.O_RDONLY)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(handle, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(namespace))
    finally:
        os.close(handle)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as kernel:
        kernel.settimeout(_ANSWER_WITHIN_S)
        kernel.bind((0, 0))
        body = _FAMILY.pack(0, 0, 0)
        kernel.send(_HEADER.pack(_HEADER.size + len(body), _GET_TABLE, _REQUEST_DUMP, 1, 0) + body)
        tables: list[str] = []
        while True:
            data = kernel.recv(_ANSWER_BYTES)
            while len(data) >= _HEADER.size:
                length, kind, *_ = _HEADER.unpack_from(data)
                if kind == _DONE:
                    return sorted(tables)
                if kind == _ERROR:
                    number = -struct.unpack_from("=i", data, _HEADER.size)[0]
                    raise OSError(number, os.strerror(number), str(namespace))
                tables.append(_table(data[_HEADER.size : length]))
                data = data[_aligned(length) :]


def _table(message: bytes) -> str:
    family, *_ = _FAMILY.unpack_from(message)
    at = _FAMILY.size
    while at + _ATTRIBUTE.size <= len(message):
        length, kind = _ATTRIBUTE.unpack_from(message, at)
        if kind == _TABLE_NAME:
            name = message[at + _ATTRIBUTE.size : at + length].rstrip(b"\0").decode()
            return f"{_FAMILIES.get(family, family)} {name}"
        at += _aligned(max(length, _ATTRIBUTE.size))
    return f"{_FAMILIES.get(family, family)} ?"


def _aligned(length: int) -> int:
    return (length + 3) & ~3
