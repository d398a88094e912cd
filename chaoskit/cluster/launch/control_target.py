"""A server beside the nodes that no fault touches: what fails there is the harness's own trouble.

It stands on the cluster's own network, so that requests to it take the bridge and the machine's
processors as all others do, and no node.
"""

import docker

from chaoskit.cluster.launch.engine_errors import engine_errors
from chaoskit.errors import EngineError

PORT = 8080
_SUFFIX = "-control"
_MEMORY_BYTES = 64 << 20


def start(
    client: docker.DockerClient, *, cluster: str, tags: dict[str, str], image: str
) -> tuple[str, int]:
    """Run `image`, which serves HTTP on port 8080, on the cluster's network; where it answers.

    One that a kept cluster has from before is used again. Raises `EngineError`, `ImageError`.
    """
    name = f"{cluster}{_SUFFIX}"
    with engine_errors(f"control target {name}"):
        rows = client.api.containers(all=True, filters={"name": f"^/{name}$"})
        if not rows:
            host = client.api.create_host_config(network_mode=cluster, mem_limit=_MEMORY_BYTES)
            client.api.create_container(image, name=name, labels=tags, host_config=host)
        client.api.start(name)  # harmless for one that runs
        found = client.api.inspect_container(name)
    address = found["NetworkSettings"]["Networks"].get(cluster, {}).get("IPAddress")
    if not address:
        raise EngineError(
            "the control target has no address",
            subject=name,
            seen=f"{found['State']['Status']}, exit code {found['State']['ExitCode']}",
            next_step=f"docker logs {name}",
        )
    return str(address), PORT
