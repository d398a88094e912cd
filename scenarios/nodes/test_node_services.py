"""What a node's own services are for: each is taken away from under pods that run."""

from collections.abc import Callable
from math import sqrt

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.errors import KubernetesError
from chaoskit.faults import ComponentStopped, ContainerSignalled
from chaoskit.guarantees import (
    failures_attributed,
    no_request_lost,
    nothing_starts,
    recovers_within,
    requests_lost,
    service_recovers_within,
    steps_fail,
)
from chaoskit.run import Run
from chaoskit.run.composition import Planned
from chaoskit.workloads.pod import Pod
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import SpecimenPod

StartPod = Callable[..., Pod]
FAULT = "component_stopped"
TRUE = ["/specimen", "exit", "0"]


@pytest.mark.row("N6")
@pytest.mark.alone
@pytest.mark.long
def test_a_container_stays_dead_without_kubelet(cluster: K3sCluster, chaos: Run, web: Web) -> None:
    """A node's kubelet is stopped; then one of its containers is killed.

    Goal: without the kubelet pods go on, but nobody looks after them.
    Method: stop the kubelet for 6 s under load; stop it again for 11 s and kill a container of the
    node meanwhile; both times for less than the node's grace.
    Expectation: as long as the container lives no request is lost; once killed it stays dead until
    the kubelet is back, and its share of new connections is refused; then it runs again.
    """
    pod = next(p for p in web.deployment.pods() if cluster.node_of(p) in cluster.agents)
    victim = cluster.node_of(pod)
    kubelet = ComponentStopped(victim.name, "kubelet")
    with chaos.load(web.service, via=cluster.any_node_except(victim), rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        with chaos.inject(kubelet), chaos.phase("unattended"):
            load.run_for(seconds=6)
        load.run_for(seconds=4)
        killed = ContainerSignalled.of(pod)
        chaos.play([Planned(kubelet, at_s=0, for_s=11), Planned(killed, at_s=2, for_s=11)])
        pod.wait_ready(timeout_s=30)
        load.run_for(seconds=8)
    chaos.check(
        no_request_lost(phase="unattended"),
        nothing_starts(victim, fault=FAULT),
        requests_lost(during="container_signalled", connection="new"),
        recovers_within(20, web, fault=FAULT),
        service_recovers_within(20, after=FAULT),
        failures_attributed(),
    )


@pytest.mark.row("N6")
@pytest.mark.alone
@pytest.mark.long
def test_nothing_starts_without_container_runtime(
    cluster: K3sCluster, chaos: Run, web: Web, start_pod: StartPod
) -> None:
    """A node's containerd is killed, and kept down for 12 s.

    Goal: without containerd pods go on, but none can be entered, and none started.
    Method: under load stop containerd, try to run a command in a pod of the node, and bind another
    pod to it.
    Expectation: no request is lost; the command fails, as it does not before and after; the new
    pod waits, and runs once containerd is back.
    """
    pod = next(p for p in web.deployment.pods() if cluster.node_of(p) in cluster.agents)
    victim = cluster.node_of(pod)
    with chaos.load(web.service, via=cluster.any_node_except(victim), rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        pod.execute(TRUE, timeout_s=10)
        with chaos.inject(ComponentStopped(victim.name, "containerd")):
            with pytest.raises(KubernetesError):
                pod.execute(TRUE, timeout_s=10)
            late = start_pod("late", victim, ready=False)
            load.run_for(seconds=12)
        late.wait_ready(timeout_s=60)
        pod.execute(TRUE, timeout_s=10)
        load.run_for(seconds=2)
    chaos.check(
        steps_fail("exec", pod, fault=FAULT),
        nothing_starts(victim, fault=FAULT),
        no_request_lost(),
    )


#: Of 120 requests a second a half goes through each of two nodes, on new connections.
RATE_PER_S, STALE_S = 120, 10


@pytest.mark.row("N6")
@pytest.mark.alone
@pytest.mark.long
def test_a_node_without_kube_proxy_sends_to_pods_that_are_gone(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """A node's kube-proxy is stopped while one of three pods is replaced.

    Goal: rules that nobody keeps up lead to where the pods were.
    Method: load through two nodes; stop kube-proxy on one, delete a pod, wait until it is gone and
    replaced, 10 s more, start it.
    Expectation: through that node a third of new connections is lost until kube-proxy is back, and
    5 s later none; through the other one none at all.
    """
    web = start_web(pod=SpecimenPod(pre_stop_s=2, drain_s=0.5))
    stale, sound = cluster.agents
    with chaos.load(
        web.service, via=[stale, sound], rate_per_s=RATE_PER_S, connections=("new",)
    ) as load:
        load.wait_steady(timeout_s=30)
        with chaos.inject(ComponentStopped(stale.name, "kube-proxy")):
            pod = web.deployment.pods()[0]
            pod.delete()
            pod.wait_gone(timeout_s=30)
            web.deployment.wait_ready(timeout_s=30)
            with chaos.phase("stale"):
                load.run_for(seconds=STALE_S)
        load.run_for(seconds=8)
    through = f"new via {stale.name}"
    planned, share = RATE_PER_S / 2 * STALE_S, 1 / 3
    slack = 3 * sqrt(planned * share * (1 - share)) + 0.02 * planned
    least, most = round(planned * share - slack), round(planned * share + slack)
    chaos.check(
        requests_lost(least, most, phase="stale", stream=through),
        service_recovers_within(5, after=FAULT, stream=through),
        no_request_lost(stream=f"new via {sound.name}"),
        failures_attributed(),
    )
