"""What tests that start clusters of their own share."""

import os

from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.cluster.launch import leftovers
from chaoskit.cluster.provider import ClusterSpec

IMAGE = os.environ.get("CHAOSKIT_NODE_IMAGE", "auto")
SMALL = ClusterSpec(image=IMAGE, servers=1, agents=0)


def things(provider: K3sProvider, name: str) -> list[str]:
    """All that the engine holds of a cluster, by label and by name."""
    by_label = [
        f"{thing.kind} {thing.name}"
        for found in leftovers.found(provider.client, name)
        for thing in found.things
    ]
    api = provider.client.api
    by_name = [
        *(f"container {row['Names']}" for row in api.containers(all=True, filters={"name": name})),
        *(f"volume {row['Name']}" for row in api.volumes(filters={"name": name})["Volumes"] or ()),
        *(f"network {row['Name']}" for row in api.networks(names=[name])),
    ]
    return [*by_label, *by_name]


def volumes(provider: K3sProvider) -> set[str]:
    return {row["Name"] for row in provider.client.api.volumes()["Volumes"] or ()}
