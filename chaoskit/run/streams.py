"""Streams of a load from what a scenario names: a Service, or a key-value store's members."""

from collections.abc import Sequence
from typing import Protocol

from chaoskit.load.profile import Operation, Stream
from chaoskit.workloads.service import Service
from chaoskit.workloads.specimen import KeyValue

_WRITE = Operation(name="write", method="PUT", path="/kv/{key}")
#: Reads outnumber the writes to one member: availability is judged by them, identity by both.
_READ_SHARE = 4


class Way(Protocol):
    """Where requests come in: a node, or a Service's own address. `name` is how a record calls it.

    `address` is numeric.
    """

    @property
    def name(self) -> str: ...

    @property
    def address(self) -> str: ...


def service_streams(
    service: Service, via: Sequence[Way], connections: Sequence[str], *, path: str = "/"
) -> tuple[Stream, ...]:
    """Reads of `path`: one stream for each way in and kind of connection."""
    port = service.client_port
    read = Operation(name="read", method="GET", path=path)
    return tuple(
        Stream(
            name=f"{connection} via {node.name}",
            connection="new" if connection == "new" else "kept",
            entry=node.name,
            host=node.address,
            port=port,
            operations=(read,),
            service=service.ref.name,
            share=_READ_SHARE,
        )
        for node in via
        for connection in connections
    )


def store_streams(
    store: KeyValue, via: Sequence[Way], connections: Sequence[str]
) -> tuple[Stream, ...]:
    """Reads through the common Service, and acknowledged writes to each member through its own.

    Writes use new connections: a kept one would stay with a process after its pod is gone.
    """
    members = range(store.stateful_set.read()["spec"]["replicas"])
    writes = tuple(
        Stream(
            name=f"writes to {store.pod(ordinal).name}",
            connection="new",
            entry=store.pod(ordinal).name,
            host=via[0].address,
            port=store.member_service(ordinal).node_port,
            operations=(_WRITE,),
            service=store.member_service(ordinal).ref.name,
        )
        for ordinal in members
    )
    return service_streams(store.service, via, connections) + writes
