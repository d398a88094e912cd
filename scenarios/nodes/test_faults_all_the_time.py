"""Faults all the time: one after the other and two at a time, under steady load."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from chaoskit.cluster import profiles
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.faults import (
    ComponentPaused,
    ComponentStopped,
    CpuStressed,
    Latency,
    Loss,
    NicDown,
    NodePaused,
    Partition,
)
from chaoskit.faults.fault import Fault
from chaoskit.guarantees import (
    acknowledged_writes_survive,
    failures_attributed,
    forced_deletion_overlap,
    nothing_left,
    one_process_per_identity,
    outage,
    recovers_within,
)
from chaoskit.run import Run
from chaoskit.run.drawing import drawn_rounds
from chaoskit.workloads.namespace import MANAGED_BY, Namespace
from chaoskit.workloads.service import Service
from chaoskit.workloads.specimen import KeyValue, Web
from chaoskit.workloads.specimen_manifests import SpecimenPod

#: What new connections may be without at most: the server's pods are never cut, so it is chance
#: and their deadline (2 s) alone, some times in a row.
OUT_AT_MOST_S = 10


def menu(cluster: K3sCluster) -> list[Fault]:
    """What may happen to this cluster while its server is spared as a way in."""
    one, other = (node.name for node in cluster.agents)
    server = cluster.servers[0].name
    return [
        *(NicDown(name) for name in (one, other)),
        *(NodePaused(name) for name in (one, other)),
        *(ComponentStopped(one, name) for name in ("kubelet", "containerd", "kube-proxy")),
        *(ComponentPaused(server, name) for name in ("kube-apiserver", "kube-scheduler")),
        ComponentStopped(server, "kube-controller-manager"),
        CpuStressed(other, workers=1, share=0.5),
        Latency((other,), (server,), delay_ms=100),
        Loss((one,), (other,), share=0.3),
        Partition((one,), (other,)),
    ]


def start_daemon_set(cluster: K3sCluster, namespace: Namespace) -> None:
    """One pod of the specimen on each node."""
    labels = {"app": "each", **MANAGED_BY}
    cluster.kube.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "each", "namespace": namespace.name, "labels": labels},
            "spec": {
                "selector": {"matchLabels": {"app": "each"}},
                "template": SpecimenPod().template(labels),
            },
        }
    )


@pytest.mark.soak
@pytest.mark.row("N15")
@pytest.mark.alone
def test_faults_all_the_time(
    cluster: K3sCluster, chaos: Run, namespace: Namespace, soak_s: float,
    web: Web, kv: KeyValue, start_service: Callable[[str, dict[str, str]], Service],
) -> None:  # fmt: skip
    """Faults drawn from the seed for half an hour, under load on workloads of three kinds.

    Goal: whatever comes, in whatever order, safety holds throughout, and all recovers after it.
    Method: round by round one fault, or two that overlap, healed and left time to recover; load on
    a Deployment, a StatefulSet and a DaemonSet behind one Service, and on each member.
    Expectation: never two processes of one member, no acknowledged write lost, no failed request
    unexplained; all three have their pods again in time after each round; nothing is left.
    """
    start_daemon_set(cluster, namespace)
    recovered_s = profiles.ready_again_within_s(cluster.profile) + 12
    everything = replace(kv, service=start_service("everything", MANAGED_BY))
    rounds = drawn_rounds(chaos.random, menu(cluster), length_s=soak_s, rest_s=recovered_s + 1)
    with (
        chaos.compare_traces(),
        chaos.load(everything, via=cluster.servers[0], rate_per_s=60) as load,
    ):
        load.wait_steady(timeout_s=30)
        for one in rounds:
            chaos.steps.note("info", f"round: {one}")
            chaos.play(one.plan)
            load.run_for(seconds=one.rest_s)
    chaos.read_store(kv, via=cluster.servers[0])
    overlap = forced_deletion_overlap()
    chaos.check(
        one_process_per_identity(kv, allowing=overlap),
        acknowledged_writes_survive(kv, allowing=overlap),
        outage(OUT_AT_MOST_S, connection="new", operation="read"),
        *(recovers_within(recovered_s, each) for each in (web, kv)),
        recovers_within(recovered_s, "each", kind="DaemonSet"),
        failures_attributed(settle_s=5),
        nothing_left(faults=len(rounds)),
    )
