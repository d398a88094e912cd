"""What killed runs left behind: found by label, judged by owner, removed."""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import docker

from chaoskit.cluster.launch import labels
from chaoskit.cluster.launch.engine_errors import BeingRemoved, Gone, engine_errors
from chaoskit.cluster.launch.state import ClusterState
from chaoskit.waiting import wait_until

_REMOVED_AT_ONCE = 4
#: The engine ends what runs in a container by force, which takes about a second.
_GONE_WITHIN_S = 60.0
_ENDED = ("exited", "dead")


@dataclass(frozen=True, kw_only=True)
class Thing:
    """One labelled object of the engine: a container, volume or network."""

    kind: str
    id: str
    name: str
    labels: dict[str, str]
    status: str = ""


@dataclass(frozen=True, kw_only=True)
class Found:
    """All that the engine holds of one cluster."""

    cluster: str
    things: tuple[Thing, ...]

    @property
    def containers(self) -> tuple[Thing, ...]:
        return tuple(thing for thing in self.things if thing.kind == "container")

    @property
    def nodes(self) -> tuple[Thing, ...]:
        return tuple(thing for thing in self.containers if labels.NODE in thing.labels)

    @property
    def keep(self) -> bool:
        return any(thing.labels.get(labels.KEEP) == "true" for thing in self.things)

    @property
    def owner(self) -> labels.Owner | None:
        owners = (labels.parse_owner(thing.labels.get(labels.OWNER, "")) for thing in self.things)
        return next((owner for owner in owners if owner is not None), None)

    @property
    def spec_text(self) -> str | None:
        """The make of the cluster, as written on its nodes."""
        return next((node.labels.get(labels.SPEC) for node in self.nodes), None)

    @property
    def facts(self) -> dict[str, str] | None:
        """What it is; None if it did not come up whole (yet)."""
        for thing in self.things:
            if labels.FACTS in thing.labels:
                facts: dict[str, str] = json.loads(thing.labels[labels.FACTS])
                return facts
        return None

    def abandoned(self) -> str | None:
        """Why nobody needs it any more; None if somebody may.

        A kept cluster is needed as long as it once came up whole. One whose owner cannot be
        seen from here ends its own nodes when its owner is gone, so it is judged by them.
        """
        owner = self.owner
        life = "dead" if owner is None else labels.life_of(owner)
        if life == "alive":
            return None
        if life == "dead":
            if self.keep and self.facts is not None:
                return None
            return f"its owner, process {owner.pid if owner else '?'}, is gone"
        nodes = self.nodes
        if nodes and all(node.status in _ENDED for node in nodes) and not self.keep:
            return "all its nodes have ended"
        return None


def found(client: docker.DockerClient, cluster: str | None = None) -> tuple[Found, ...]:
    """Everything with chaoskit's labels, by cluster; of one cluster only if it is named."""
    label = labels.CLUSTER if cluster is None else f"{labels.CLUSTER}={cluster}"
    filters = {"label": label}
    things: list[Thing] = []
    with engine_errors("the engine's containers, volumes and networks"):
        for row in client.api.containers(all=True, filters=filters):
            things.append(_container(row))
        for row in client.api.volumes(filters=filters).get("Volumes") or ():
            name = row["Name"]
            things.append(Thing(kind="volume", id=name, name=name, labels=row["Labels"] or {}))
        for row in client.api.networks(filters=filters):
            things.append(
                Thing(kind="network", id=row["Id"], name=row["Name"], labels=row["Labels"] or {})
            )
    by_cluster: dict[str, list[Thing]] = {}
    for thing in things:
        by_cluster.setdefault(thing.labels[labels.CLUSTER], []).append(thing)
    return tuple(
        Found(cluster=name, things=tuple(things)) for name, things in sorted(by_cluster.items())
    )


def write_facts(
    client: docker.DockerClient, cluster: str, tags: dict[str, str], facts: dict[str, str]
) -> None:
    """Note at the engine that the cluster came up whole, for whoever looks, as whatever user.

    The engine has no verb to label what exists, so an empty volume carries the note.
    """
    with engine_errors(f"volume {cluster}-facts"):
        client.api.create_volume(
            name=f"{cluster}-facts", labels={**tags, labels.FACTS: json.dumps(facts)}
        )


def remove(client: docker.DockerClient, cluster: str) -> int:
    """Remove everything of one cluster; how many objects that were. Harmless when repeated.

    Raises `EngineError` if something stays behind.
    """
    removed = 0
    # Containers first: volumes and networks in use cannot go. Anonymous volumes go with them,
    # so the rest is listed afresh.
    for kinds in (("container",), ("volume", "network")):
        for one in found(client, cluster):
            things = [thing for thing in one.things if thing.kind in kinds]
            with ThreadPoolExecutor(_REMOVED_AT_ONCE) as pool:
                removed += sum(pool.map(lambda thing: _removed(client, thing), things))
    ClusterState(cluster=cluster).forget()
    return removed


def sweep(client: docker.DockerClient, *, owner: labels.Owner | None = None) -> tuple[str, ...]:
    """Remove what nobody needs any more, of one owner or of all; a sentence for each cluster."""
    said = []
    for one in found(client):
        if owner is not None and one.owner != owner:
            continue
        if (reason := one.abandoned()) is not None:
            count = remove(client, one.cluster)
            said.append(f"{one.cluster}: removed {count} objects, as {reason}")
    return tuple(said)


def ended(nodes: Iterable[Thing]) -> tuple[Thing, ...]:
    """Those of the nodes that no longer run."""
    return tuple(node for node in nodes if node.status in _ENDED)


def _container(row: dict[str, Any]) -> Thing:
    names = row["Names"] or [row["Id"]]
    return Thing(
        kind="container",
        id=row["Id"],
        name=names[0].lstrip("/"),
        labels=row["Labels"] or {},
        status=row["State"],
    )


def _removed(client: docker.DockerClient, thing: Thing) -> int:
    """Remove one object; 0 if somebody else was faster."""
    try:
        with engine_errors(f"{thing.kind} {thing.name}"):
            if thing.kind == "container":
                client.api.remove_container(thing.id, v=True, force=True)
            elif thing.kind == "volume":
                client.api.remove_volume(thing.id, force=True)
            else:
                client.api.remove_network(thing.id)
    except Gone:
        return 0
    except BeingRemoved:
        wait_until(
            lambda: _is_gone(client, thing),
            what=f"container {thing.name}, which somebody else removes, to be gone",
            timeout_s=_GONE_WITHIN_S,
            next_step="chaoskit cluster sweep",
        )
        return 0
    return 1


def _is_gone(client: docker.DockerClient, container: Thing) -> bool:
    try:
        with engine_errors(f"container {container.name}"):
            client.api.inspect_container(container.id)
    except Gone:
        return True
    return False
