"""How long a cluster takes to be ready: `python -m benchmarks.cluster_start`.

From the command to all nodes Ready, DNS answering, storage classes there and every node agent
heard, with the image present; and how long a namespace of its own costs the next scenario.
"""

import argparse
import os
import statistics
import time

from chaoskit.cluster import images
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.cluster.provider import ClusterSpec
from chaoskit.workloads.namespace import Namespace

_RUNS = 5
_NAMESPACES = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=_RUNS)
    runs = parser.parse_args().runs
    provider = K3sProvider()
    specimens = images.ensure(provider.client, ("specimen",))["specimen"]
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    started, removed, next_scenario = [], [], []
    for _ in range(runs):
        begun = time.monotonic()
        cluster = provider.start(ClusterSpec(images=specimens))
        started.append(time.monotonic() - begun)
        next_scenario += [_namespace_s(cluster) for _ in range(_NAMESPACES)]
        begun = time.monotonic()
        provider.stop(cluster)
        removed.append(time.monotonic() - begun)
        print(f"  start {started[-1]:.1f} s, removal {removed[-1]:.1f} s")
    for what, took_s in (
        ("start of 1 + 2 nodes", started),
        ("removal", removed),
        ("namespace made and given back", next_scenario),
    ):
        print(
            f"{what}: median {statistics.median(took_s):.2f} s, "
            f"min {min(took_s):.2f} s, max {max(took_s):.2f} s over {len(took_s)}"
        )
    provider.close()


def _namespace_s(cluster: K3sCluster) -> float:
    begun = time.monotonic()
    namespace = Namespace.create(cluster.kube, "bench")
    namespace.wait_usable(timeout_s=30.0)
    namespace.delete()
    return time.monotonic() - begun


if __name__ == "__main__":
    main()
