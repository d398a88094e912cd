"""The private registry beside the nodes: where it stands, what nodes know of it, its container.

Every node's registries.yaml names it from the start, so that it can be started when a test first
asks for it, and costs the others nothing. Nodes hold no credentials: pods bring theirs.
"""

from contextlib import suppress

import docker
import yaml

from chaoskit.cluster.launch import labels, subnets
from chaoskit.cluster.launch.engine_errors import Gone, NameTaken, engine_errors
from chaoskit.waiting import wait_until

PORT = 5000
#: The front of its images' names, on every cluster.
HOST = f"registry.chaoskit.internal:{PORT}"
#: Where nodes read which registries there are, when they start.
FILE = "/etc/rancher/k3s/registries.yaml"
#: Where containers find the images and accounts; the image declares it.
_FOLDER = "/var/lib/registry"
_MEMORY_BYTES = 512 << 20
_THERE_WITHIN_S = 30.0


def registries_yaml(subnet: str) -> bytes:
    """The file of the nodes on `subnet`.

    The address stands in for the name, which no DNS server has to know; it is plain HTTP, as the
    network is the cluster's own.
    """
    endpoint = f"http://{subnets.registry_address(subnet)}:{PORT}"
    return yaml.safe_dump({"mirrors": {HOST: {"endpoint": [endpoint]}}}).encode()


def container_of(cluster: str) -> str:
    """The name of the registry's container, and of its volume."""
    return f"{cluster}-registry"


def start(client: docker.DockerClient, *, cluster: str, tags: dict[str, str], image: str) -> None:
    """Run the registry on the cluster's network, or again the one that is there from before.

    Raises `EngineError`, `ImageError`, `WaitTimeout`.
    """
    name = container_of(cluster)
    with engine_errors(f"registry {name}"):
        if address_of(client, cluster) is None:
            # Of two processes that share a cluster one may be faster; its registry is as good.
            with suppress(NameTaken):
                _create(client, name, cluster=cluster, tags=tags, image=image)
    # Its name is taken a moment before it is there.
    wait_until(
        lambda: _is_started(client, name),
        what=f"container {name}, which somebody else creates, to be there",
        timeout_s=_THERE_WITHIN_S,
        next_step="chaoskit cluster ls",
    )


def _is_started(client: docker.DockerClient, name: str) -> bool:
    """Start it, which is harmless for one that runs; False if there is none."""
    try:
        with engine_errors(f"registry {name}"):
            client.api.start(name)
    except Gone:
        return False
    return True


def _create(
    client: docker.DockerClient, name: str, *, cluster: str, tags: dict[str, str], image: str
) -> None:
    api = client.api
    with engine_errors(f"registry {name}"):
        network = api.inspect_network(cluster)
        address = subnets.registry_address(network["IPAM"]["Config"][0]["Subnet"])
        api.create_volume(name=name, labels=tags)
        endpoint = api.create_endpoint_config(ipv4_address=address)
        api.create_container(
            image,
            name=name,
            labels={**tags, labels.ADDRESS: address},
            networking_config=api.create_networking_config({cluster: endpoint}),
            host_config=api.create_host_config(
                network_mode=cluster,
                mem_limit=_MEMORY_BYTES,
                binds={name: {"bind": _FOLDER, "mode": "rw"}},
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
            ),
        )


def address_of(client: docker.DockerClient, cluster: str) -> str | None:
    """Host and port of that cluster's registry; None without one. Raises `EngineError`."""
    name = container_of(cluster)
    with engine_errors(f"registry {name}"):
        rows = client.api.containers(all=True, filters={"name": f"^/{name}$"})
    return f"{rows[0]['Labels'][labels.ADDRESS]}:{PORT}" if rows else None
