"""What will be started for a spec."""

import json
from typing import Any

import pytest

from chaoskit.cluster.launch import plan
from chaoskit.cluster.launch.node_image import NodeImage, require_size
from chaoskit.cluster.provider import ClusterSpec
from chaoskit.errors import UsageError


def made(**changes: Any) -> plan.ClusterPlan:
    cgroup_v1 = changes.pop("cgroup_v1", False)
    spec = ClusterSpec(**changes)
    return plan.make(spec, name="c", subnet="10.200.1.0/24", cgroup_v1=cgroup_v1)


def values_of(node: plan.NodePlan, flag: str) -> list[str]:
    return [node.command[at + 1] for at, word in enumerate(node.command) if word == flag]


def test_default_is_one_server_and_two_agents() -> None:
    assert [node.name for node in made().nodes] == ["c-server-0", "c-agent-0", "c-agent-1"]


def test_nodes_have_their_own_fixed_addresses() -> None:
    nodes = made(servers=3, agents=4).nodes
    assert len({node.address for node in nodes}) == 7
    for node in nodes:
        assert values_of(node, "--node-ip") == [node.address]
        assert values_of(node, "--node-name") == [node.name]


def test_agents_join_the_first_server_with_its_token() -> None:
    made_plan = made()
    server, *agents = made_plan.nodes
    for agent in agents:
        assert agent.command[0] == "agent"
        assert agent.environment["K3S_URL"] == f"https://{server.address}:6443"
        assert agent.environment["K3S_TOKEN"] == made_plan.token == server.environment["K3S_TOKEN"]


def test_token_is_new_each_time_and_never_printed() -> None:
    first, second = made(), made()
    assert first.token != second.token
    assert first.token not in repr(first)


def test_token_is_not_on_a_command_line() -> None:
    made_plan = made()
    assert not any(made_plan.token in word for node in made_plan.nodes for word in node.command)


def test_server_certificate_covers_the_published_address() -> None:
    server = made().nodes[0]
    assert {"127.0.0.1", server.address} <= set(values_of(server, "--tls-san"))


def test_one_server_needs_no_etcd_cluster_and_more_do() -> None:
    assert "--cluster-init" not in made().nodes[0].command
    first, second, third = made(servers=3, agents=0).nodes
    assert "--cluster-init" in first.command
    for other in (second, third):
        assert values_of(other, "--server") == [f"https://{first.address}:6443"]
    assert [node.first for node in (first, second, third)] == [True, False, False]


def test_fast_profile_reaches_every_component() -> None:
    server = made(profile="fast").nodes[0]
    assert "node-monitor-grace-period=16s" in values_of(server, "--kube-controller-manager-arg")
    assert set(values_of(server, "--kube-apiserver-arg")) == {
        "default-not-ready-toleration-seconds=20",
        "default-unreachable-toleration-seconds=20",
    }
    for node in made(profile="fast").nodes:
        kubelet = json.loads(node.environment["CHAOSKIT_KUBELET_CONFIG"])
        assert kubelet["nodeLeaseDurationSeconds"] == 12


def test_default_profile_passes_no_timing() -> None:
    for node in made(profile="default").nodes:
        assert not any("grace" in word or "toleration" in word for word in node.command)
        assert "nodeLeaseDurationSeconds" not in node.environment["CHAOSKIT_KUBELET_CONFIG"]


@pytest.mark.parametrize("cgroup_v1", [True, False])
def test_cgroup_v1_is_allowed_only_where_it_is(cgroup_v1: bool) -> None:
    node = made(cgroup_v1=cgroup_v1).nodes[0]
    assert ("failCgroupV1" in json.loads(node.environment["CHAOSKIT_KUBELET_CONFIG"])) == cgroup_v1


@pytest.mark.parametrize(
    "changes, match",
    [
        ({"servers": 0}, "0 servers"),
        ({"agents": -1}, "-1 agents"),
        ({"agents": 201}, "201 agents"),
        ({"name": "Not_A_Name"}, "Not_A_Name"),
        ({"profile": "slow"}, "slow"),
        ({"image": ""}, "no name"),
    ],
)
def test_specs_no_cluster_can_be_made_of(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        plan.checked(ClusterSpec(**changes))


def test_the_built_image_makes_clusters_of_one_server() -> None:
    built = NodeImage(reference="chaoskit/node:v1", id="sha256:1", built=True)
    pulled = NodeImage(reference="rancher/k3s:v1", id="sha256:2", built=False)

    require_size(built, ClusterSpec(servers=1, agents=4))
    require_size(pulled, ClusterSpec(servers=3))
    with pytest.raises(UsageError, match="one server") as caught:
        require_size(built, ClusterSpec(servers=3))
    assert "3 servers" in str(caught.value)
