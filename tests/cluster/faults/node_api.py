"""Samples of the faults of nodes that are made through the Kubernetes API."""

from chaoskit.faults import (
    NodeCordoned,
    NodeDeleted,
    NodeDrained,
    NodeOutOfService,
    NodeTainted,
)
from tests.cluster.faults.stage import Sample, Stage


def _tainted(stage: Stage) -> NodeTainted:
    assert stage.pod().name  # three pods, one of which runs on the node as a rule
    return NodeTainted(stage.agent.name, effect="NoExecute")


def _drained(stage: Stage) -> NodeDrained:
    assert stage.pod().name
    return NodeDrained(stage.agent.name)


SAMPLES = {
    "node_cordoned": Sample(make=lambda stage: NodeCordoned(stage.agent.name)),
    "node_deleted": Sample(make=lambda stage: NodeDeleted(stage.agent.name), whole_node=True),
    "node_drained": Sample(make=_drained),
    "node_out_of_service": Sample(make=lambda stage: NodeOutOfService(stage.agent.name)),
    "node_tainted": Sample(make=_tainted),
}
