"""Updates whose client is killed half-way: one that it drove, and one that it only asked for."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.node_process import NodeProcess
from chaoskit.faults import RolloutClientKilled
from chaoskit.guarantees import (
    no_request_lost,
    only_new_pods_after_completion,
    only_versions,
    pods_stay,
    ready_endpoints_stay,
    rollout_bounds,
    rollout_outlives_its_client,
)
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.kube.kinds import Object
from chaoskit.run import Run
from chaoskit.run.sampled_load import SampledLoad
from chaoskit.waiting import wait_until
from chaoskit.workloads import specimen_manifests
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.replication_controller import ReplicationController
from chaoskit.workloads.service import Service
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import SpecimenPod

PODS = 3

#: As `kubectl rolling-update` was: from whatever counts it finds, one pod up, one pod down, until
#: nothing of the old one is left. $1: the namespace, $2: how many pods there are to be, $3 and $4:
#: from which ReplicationController to which.
ROLLING_UPDATE = """
kubectl="kubectl -n $1"
told() { $kubectl get rc "$1" -o 'jsonpath={.spec.replicas}'; }
ready() { $kubectl get rc "$1" -o 'jsonpath={.status.readyReplicas}'; }
while :; do
    old=$(told "$3") new=$(told "$4")
    if [ $((old + new)) -gt "$2" ]; then
        until [ "$(ready "$4")" = "$new" ]; do sleep 0.2; done
        $kubectl scale rc "$3" --replicas=$((old - 1)) || exit 1
    elif [ "$old" = 0 ]; then
        exit 0
    else
        $kubectl scale rc "$4" --replicas=$((new + 1)) || exit 1
    fi
done
"""
FORTH, BACK = ("web", "next"), ("next", "web")
SET_IMAGE = """
kubectl -n "$1" set image deployment/web specimen=chaoskit/specimen:v2 &&
    kubectl -n "$1" rollout status deployment/web
"""


def controller(cluster: K3sCluster, chaos: Run, name: str) -> ReplicationController:
    """A handle on the ReplicationController of that name."""
    ref = ObjectRef("ReplicationController", chaos.setup.namespace, name)
    return ReplicationController(kube=cluster.kube, ref=ref, steps=chaos.steps)


def manifest(chaos: Run, name: str, version: str, replicas: int) -> Object:
    """One of that name behind the Service web; by its version its selector differs."""
    pod = SpecimenPod(version=version)
    made = specimen_manifests.controller(chaos.setup.namespace, "web", replicas=replicas, pod=pod)
    made[1]["metadata"]["name"] = name
    made[1]["spec"]["selector"]["version"] = version
    made[1]["spec"]["template"]["metadata"]["labels"]["version"] = version
    return made[1]


def started(
    cluster: K3sCluster, chaos: Run, name: str, script: str, way: tuple[str, str] = FORTH
) -> NodeProcess:
    """A client on the server node that runs this script."""
    namespace = chaos.setup.namespace
    client = NodeProcess(cluster.servers[0], f"{name}-{namespace}")
    client.start(["sh", "-c", script, "sh", namespace, str(PODS), *way])
    return client


def wait_ended(client: NodeProcess) -> None:
    """Wait until it has ended well."""
    wait_until(
        lambda: (state := client.state()) is not None and state.exit_code == 0,
        what=f"client {client.name} to end well",
        timeout_s=60,
    )


def left_half_done(cluster: K3sCluster, chaos: Run, load: SampledLoad) -> list[Guarantee]:
    """Kill the client that moves the counts at the second pod, and leave it so for 5 s.

    What must hold meanwhile: nothing moves.
    """
    old, new = controller(cluster, chaos, "web"), controller(cluster, chaos, "next")
    client = started(cluster, chaos, "first", ROLLING_UPDATE)
    new.wait_replicas(2, timeout_s=60)
    with chaos.inject(RolloutClientKilled(client.node.name, client.name)):
        load.run_for(seconds=4)
    left = {"v1": old.replicas}, {"v2": new.replicas}
    with chaos.phase("half done"):
        load.run_for(seconds=5)
    return [
        pods_stay(old, left[0], phase="half done"),
        pods_stay(new, left[1], phase="half done"),
    ]


@pytest.fixture
def behind_web(cluster: K3sCluster, chaos: Run) -> Service:
    """Three pods of v1 by the ReplicationController web, and none yet by `next`, of v2."""
    namespace = chaos.setup.namespace
    cluster.kube.apply(specimen_manifests.controller(namespace, "web")[0])
    for name, version, replicas in (("web", "v1", PODS), ("next", "v2", 0)):
        cluster.kube.apply(manifest(chaos, name, version, replicas))
    controller(cluster, chaos, "web").wait_ready(timeout_s=60)
    service = Service.named(cluster.kube, namespace, "web", chaos.steps)
    service.wait_answering(timeout_s=15)
    return service


@pytest.mark.row("R13")
def test_an_update_that_its_client_drives_is_left_half_done(
    cluster: K3sCluster, chaos: Run, behind_web: Service
) -> None:
    """A client moves the counts of two ReplicationControllers, and is killed half-way.

    Goal: know why updates are driven by the cluster: what a client drives stops with it.
    Method: one pod up, one pod down, from web to next; kill it at the second; leave it for 5 s; let
    another client go on; then delete both, next without its pods, and create web anew over them.
    Expectation: nothing moves without the client; with another one it ends, three pods of v2 are
    left and are those of web. No request is lost throughout.
    """
    old, new = controller(cluster, chaos, "web"), controller(cluster, chaos, "next")
    with chaos.load(behind_web, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        nothing_moved = left_half_done(cluster, chaos, load)
        wait_ended(started(cluster, chaos, "second", ROLLING_UPDATE))
        for each, orphan in ((old, False), (new, True)):
            each.delete(orphan=orphan)
            each.wait_gone(timeout_s=30)
        old.apply(manifest(chaos, "web", "v2", PODS))
        old.wait_ready(timeout_s=30)
        with chaos.phase("after"):
            load.run_for(seconds=4)
    chaos.check(
        *nothing_moved,
        pods_stay(old, {"v2": PODS}, phase="after"),
        ready_endpoints_stay(behind_web, {"v2": PODS}, phase="after"),
        only_versions(["v1", "v2"]),
        no_request_lost(),
    )


@pytest.mark.long
@pytest.mark.row("R13")
def test_what_was_left_half_done_is_rolled_back(
    cluster: K3sCluster, chaos: Run, behind_web: Service
) -> None:
    """Another client moves the counts the other way, from where the killed one left them.

    Goal: know that what a client left half done can be taken back, too, at no request's cost.
    Method: as when it is resumed, but the second client goes from next to web; then delete next.
    Expectation: nothing moves without a client; in the end the three pods of v1 are those of web,
    which was there throughout, and only v1 answers. No request is lost throughout.
    """
    old, new = controller(cluster, chaos, "web"), controller(cluster, chaos, "next")
    with chaos.load(behind_web, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        nothing_moved = left_half_done(cluster, chaos, load)
        wait_ended(started(cluster, chaos, "second", ROLLING_UPDATE, BACK))
        new.delete()
        new.wait_gone(timeout_s=30)
        old.wait_ready(timeout_s=30)
        load.run_for(seconds=5)  # the last pod of v2 answers on while it drains
        with chaos.phase("after"):
            load.run_for(seconds=4)
    chaos.check(
        *nothing_moved,
        pods_stay(old, {"v1": PODS}, phase="after"),
        ready_endpoints_stay(behind_web, {"v1": PODS}, phase="after"),
        only_versions(["v1"], phase="after"),
        only_versions(["v1", "v2"]),
        no_request_lost(),
    )


@pytest.mark.row("R13")
def test_a_deployment_needs_its_client_no_more(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """The client that asked for a Deployment's rollout is killed while it waits for its end.

    Goal: a rollout that the cluster drives is safe from whatever becomes of who asked for it.
    Method: kubectl sets the image and waits on the server node; kill it during the rollout.
    Expectation: the rollout is complete within 60 s of that; the bounds hold; no request is lost.
    """
    web = start_web(min_ready_s=3)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=200) as load:
        load.wait_steady(timeout_s=30)
        with chaos.steps.step("set_image", web.ref, detail="by a client on the server node"):
            client = started(cluster, chaos, "asks", SET_IMAGE)
            web.deployment.wait_revision(2, timeout_s=30)
        with chaos.inject(RolloutClientKilled(client.node.name, client.name)):
            web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=3)
    chaos.check(
        rollout_outlives_its_client(60, web, fault="rollout_client_killed"),
        rollout_bounds(web, max_surge=1, max_unavailable=0),
        only_new_pods_after_completion(web),
        only_versions(["v1", "v2"]),
        no_request_lost(),
    )
