"""netem on a node's interface, and a flow that shows what it does to single packets."""

import math

from chaoskit.cluster.provider import Cluster
from chaoskit.faults.network._flows import Flow, flows
from chaoskit.faults.network._path import INTERFACE
from chaoskit.faults.network._rates import ends_from

#: The least share that a measurement of reasonable length tells from none.
LEAST_SHARE = 0.01
#: So many of the packets sent are to be hit: that none of them is, is out of the question.
_EXPECTED = 30


def put(cluster: Cluster, node: str, parameter: str, share: float, heal_after_s: float) -> None:
    """Have this happen to that share of what the node sends. Raises `ClusterError`."""
    parameters = {"interface": INTERFACE, parameter: share}
    cluster.node(node).agent.call(
        "inject", kind="netem", parameters=parameters, heal_after_s=heal_after_s
    )


def take_away(cluster: Cluster, node: str, parameter: str, share: float) -> None:
    """The interface's queueing is the default again; what another fault put there stays.

    Raises `ClusterError`.
    """
    parameters = {"interface": INTERFACE, parameter: share}
    cluster.node(node).agent.call("heal", kind="netem", parameters=parameters)


def flow_from(cluster: Cluster, node: str, share: float) -> Flow:
    """Datagrams from the node to another, so many that some of them are hit."""
    count = math.ceil(_EXPECTED / share)
    (flow,) = flows(cluster, [ends_from(cluster, node)], count=count, spacing_ms=0.1)
    return flow
