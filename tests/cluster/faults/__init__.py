"""One sample of every fault, by family."""

from tests.cluster.faults import (
    control_plane,
    network,
    node,
    node_api,
    operator,
    pod,
    pod_api,
    surroundings,
    surroundings_registry,
)
from tests.cluster.faults.stage import Sample

SAMPLES: dict[str, Sample] = {
    **control_plane.SAMPLES,
    **network.SAMPLES,
    **node.SAMPLES,
    **node_api.SAMPLES,
    **operator.SAMPLES,
    **pod.SAMPLES,
    **pod_api.SAMPLES,
    **surroundings.SAMPLES,
    **surroundings_registry.SAMPLES,
}
