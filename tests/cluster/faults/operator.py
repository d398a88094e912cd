"""Samples of the faults of who operates the cluster."""

from chaoskit.cluster.node_process import NodeProcess
from chaoskit.faults import RolloutClientKilled
from tests.cluster.faults.stage import Sample, Stage


def _client_killed(stage: Stage) -> RolloutClientKilled:
    client = NodeProcess(stage.server, f"watch-{stage.namespace.name}")
    client.start(["kubectl", "-n", stage.namespace.name, "get", "deployments", "--watch"])
    return RolloutClientKilled(stage.server.name, client.name)


SAMPLES = {"rollout_client_killed": Sample(make=_client_killed)}
