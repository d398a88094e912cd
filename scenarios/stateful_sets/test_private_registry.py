"""A StatefulSet whose image is in a private registry."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.registry import Registry
from chaoskit.faults import RegistryStopped
from chaoskit.guarantees import (
    halted,
    members_run,
    no_request_lost,
    reason_shown,
    recovers_within,
    runs_untouched,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import KeyValue
from chaoskit.workloads.specimen_manifests import SpecimenPod, image

StartKv = Callable[..., KeyValue]

PULL_FAILS = ("ErrImagePull", "ImagePullBackOff")
#: Both reasons are there after some 14 s; a second pull has failed by then on a slow machine.
RECOVERED_WITHIN_S = 60 + 20
#: Without a Secret the runtime has nothing to answer the registry's 401 with, and says that.
REFUSED = ("no basic auth credentials", "401", "403")
SECRETS = {"imagePullSecrets": [{"name": "registry"}]}
WITH_PASSWORD = SpecimenPod(pod_spec=SECRETS)


@pytest.mark.row("S11")
@pytest.mark.parametrize("password", [None, "wrong"], ids=["no password", "wrong password"])
def test_a_secret_that_is_put_right_heals_the_set_untouched(
    password: str | None, cluster: K3sCluster, chaos: Run, registry: Registry, start_kv: StartKv
) -> None:
    """The Secret that the template names is not there yet, or holds a wrong password.

    Goal: the Secret alone is enough; neither the set nor a pod has to be deleted.
    Method: set a private image, wait for the back-off of the last member, then create or correct
    the Secret.
    Expectation: the member says that it was refused, and runs by itself within 60 s and the
    back-off; then the other one follows; no read is lost.
    """
    namespace, tag = chaos.setup.namespace, f"{chaos.setup.namespace}/kv:v2"
    registry.push(image("v2"), tag)
    if password is not None:
        cluster.kube.apply(registry.pull_secret(namespace, password=password))
    kv = start_kv(replicas=2, pod=WITH_PASSWORD)
    with chaos.load(kv.service, via=cluster.agents, rate_per_s=50) as load:
        load.wait_steady(timeout_s=30)
        kv.stateful_set.set_image(registry.reference(tag))
        kv.pod(1).wait_reason("ImagePullBackOff", timeout_s=60)
        with chaos.steps.step("apply_secret", kv.ref):
            cluster.kube.apply(registry.pull_secret(namespace))
        kv.stateful_set.wait_complete(timeout_s=RECOVERED_WITHIN_S + 30)
        load.run_for(seconds=1)
    chaos.check(
        reason_shown(kv, *PULL_FAILS, message=REFUSED),
        runs_untouched(RECOVERED_WITHIN_S, kv, after="apply_secret"),
        members_run(kv, {0: "v2", 1: "v2"}),
        no_request_lost(connection="new"),
    )


@pytest.mark.row("S11")
def test_secrets_added_to_the_template_need_the_broken_pod_deleted(
    cluster: K3sCluster, chaos: Run, registry: Registry, start_kv: StartKv
) -> None:
    """The template names no Secret; it is added when the pull has failed.

    Goal: know the second step that such a repair needs.
    Method: set a private image, wait for the back-off, add imagePullSecrets to the template, wait
    6 s, delete the broken pod.
    Expectation: the edit alone moves nothing, as the set waits for the broken member; with its pod
    deleted all members run the image within 60 s. The set itself is not deleted.
    """
    namespace, tag = chaos.setup.namespace, f"{chaos.setup.namespace}/kv:v2"
    registry.push(image("v2"), tag)
    cluster.kube.create(registry.pull_secret(namespace))
    kv = start_kv(replicas=2, pod=SpecimenPod())
    with chaos.load(kv.service, via=cluster.agents, rate_per_s=50) as load:
        load.wait_steady(timeout_s=30)
        kv.stateful_set.set_image(registry.reference(tag))
        kv.pod(1).wait_reason("ImagePullBackOff", timeout_s=60)
        with chaos.phase("edited"):
            kv.stateful_set.edit({"spec": {"template": {"spec": SECRETS}}})
            load.run_for(seconds=6)
        kv.pod(1).delete()
        kv.stateful_set.wait_complete(timeout_s=60)
        load.run_for(seconds=1)
    chaos.check(
        reason_shown(kv, *PULL_FAILS, message=REFUSED),
        halted(kv, phase="edited", at_least_s=6),
        recovers_within(60, kv, after="delete"),
        members_run(kv, {0: "v2", 1: "v2"}),
        no_request_lost(connection="new"),
    )


@pytest.mark.alone
@pytest.mark.row("S11")
def test_a_registry_that_is_down_delays_an_update(
    cluster: K3sCluster, chaos: Run, registry: Registry, start_kv: StartKv
) -> None:
    """An update while the registry does not run.

    Goal: an outage of the registry costs one member for that time, and heals by itself.
    Method: stop the registry, set a private image, wait for the back-off, start it again.
    Expectation: the last member says that the connection is refused, and runs by itself within
    60 s and the back-off after the heal; then the other one follows; no read is lost.
    """
    tag = f"{chaos.setup.namespace}/kv:v2"
    registry.push(image("v2"), tag)
    cluster.kube.create(registry.pull_secret(chaos.setup.namespace))
    kv = start_kv(replicas=2, pod=WITH_PASSWORD)
    with chaos.load(kv.service, via=cluster.agents, rate_per_s=50) as load:
        load.wait_steady(timeout_s=30)
        with chaos.inject(RegistryStopped()):
            kv.stateful_set.set_image(registry.reference(tag))
            kv.pod(1).wait_reason("ImagePullBackOff", timeout_s=60)
        kv.stateful_set.wait_complete(timeout_s=RECOVERED_WITHIN_S + 30)
        load.run_for(seconds=1)
    chaos.check(
        reason_shown(kv, *PULL_FAILS, message="connection refused"),
        runs_untouched(RECOVERED_WITHIN_S, kv, fault="registry_stopped"),
        members_run(kv, {0: "v2", 1: "v2"}),
        no_request_lost(connection="new"),
    )
