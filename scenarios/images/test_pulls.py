"""Images that cannot be pulled, until somebody does something about it."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.registry import Registry
from chaoskit.faults import RegistryStopped
from chaoskit.guarantees import (
    no_request_lost,
    only_versions,
    reason_shown,
    revision_numbers,
    rollout_bounds,
    runs_untouched,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import SpecimenPod, image

StartWeb = Callable[..., Web]

PULL_FAILS = ("ErrImagePull", "ImagePullBackOff")
#: Both reasons are there after some 14 s; a second pull has failed by then on a slow machine.
BACK_OFF_S = 20
RECOVERED_WITHIN_S = 60 + BACK_OFF_S
#: Longer than anything here takes: a passed deadline is not what these rows are about.
DEADLINE_S = 600
WITH_PASSWORD = SpecimenPod(pod_spec={"imagePullSecrets": [{"name": "registry"}]})


@pytest.mark.row("I1")
def test_a_tag_that_appears_later_runs_untouched(
    cluster: K3sCluster, chaos: Run, registry: Registry, start_web: StartWeb
) -> None:
    """A rollout to a tag that is pushed only afterwards.

    Goal: a tag that comes late costs time, and nothing else.
    Method: set an image that the registry does not have, wait for the back-off, push it.
    Expectation: the new pod says that the image is not found, and runs by itself within 60 s and
    the back-off; the rollout goes on from there; no request is lost.
    """
    tag = f"{chaos.setup.namespace}/web:v2"
    cluster.kube.create(registry.pull_secret(chaos.setup.namespace))
    web = start_web(replicas=2, progress_deadline_s=DEADLINE_S, pod=WITH_PASSWORD)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=50) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.set_image(registry.reference(tag))
        web.deployment.wait_reasons(*PULL_FAILS, timeout_s=60)
        with chaos.steps.step("push", web.ref, detail=tag):
            registry.push(image("v2"), tag)
        web.deployment.wait_complete(timeout_s=RECOVERED_WITHIN_S + 30)
        load.run_for(seconds=1)
    chaos.check(
        reason_shown(web, *PULL_FAILS, message="not found"),
        runs_untouched(RECOVERED_WITHIN_S, web, after="push"),
        revision_numbers(web, [1], [1, 2]),
        rollout_bounds(web),
        only_versions(["v1", "v2"]),
        no_request_lost(),
    )


@pytest.mark.alone
@pytest.mark.row("I4")
def test_a_registry_that_is_down_delays_a_rollout(
    cluster: K3sCluster, chaos: Run, registry: Registry, start_web: StartWeb
) -> None:
    """A rollout while the registry does not run.

    Goal: an outage of the registry holds a rollout, and harms nothing that runs.
    Method: stop the registry, set an image that it has, wait for the back-off, start it again.
    Expectation: the new pod says that the connection is refused, and runs by itself within 60 s
    and the back-off after the heal; no request is lost.
    """
    tag = f"{chaos.setup.namespace}/web:v2"
    registry.push(image("v2"), tag)
    cluster.kube.create(registry.pull_secret(chaos.setup.namespace))
    web = start_web(replicas=2, progress_deadline_s=DEADLINE_S, pod=WITH_PASSWORD)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=50) as load:
        load.wait_steady(timeout_s=30)
        with chaos.inject(RegistryStopped()):
            web.deployment.set_image(registry.reference(tag))
            web.deployment.wait_reasons(*PULL_FAILS, timeout_s=60)
        web.deployment.wait_complete(timeout_s=RECOVERED_WITHIN_S + 30)
        load.run_for(seconds=1)
    chaos.check(
        reason_shown(web, *PULL_FAILS, message="connection refused"),
        runs_untouched(RECOVERED_WITHIN_S, web, fault="registry_stopped"),
        rollout_bounds(web),
        only_versions(["v1", "v2"]),
        no_request_lost(),
    )


#: Without a Secret the runtime has nothing to answer the registry's 401 with, and says that.
REFUSED = ("no basic auth credentials", "401", "403")


@pytest.mark.row("I5")
@pytest.mark.parametrize("password", [None, "wrong"], ids=["no password", "wrong password"])
def test_the_right_password_lets_a_rollout_go_on(
    password: str | None, cluster: K3sCluster, chaos: Run, registry: Registry, start_web: StartWeb
) -> None:
    """A rollout to a private image with no password, or a wrong one.

    Goal: a forgotten or mistaken Secret is put right without touching a pod.
    Method: name a Secret that is not there, or holds a wrong password; set a private image, wait
    for the back-off; then put the right Secret in its place.
    Expectation: the new pod says that it was refused, and runs by itself within 60 s and the
    back-off after the Secret; no request is lost.
    """
    namespace, tag = chaos.setup.namespace, f"{chaos.setup.namespace}/web:v2"
    registry.push(image("v2"), tag)
    if password is not None:
        cluster.kube.apply(registry.pull_secret(namespace, password=password))
    web = start_web(replicas=2, progress_deadline_s=DEADLINE_S, pod=WITH_PASSWORD)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=50) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.set_image(registry.reference(tag))
        web.deployment.wait_reasons(*PULL_FAILS, timeout_s=60)
        with chaos.steps.step("apply_secret", web.ref):
            cluster.kube.apply(registry.pull_secret(namespace))
        web.deployment.wait_complete(timeout_s=RECOVERED_WITHIN_S + 30)
        load.run_for(seconds=1)
    chaos.check(
        reason_shown(web, *PULL_FAILS, message=REFUSED),
        runs_untouched(RECOVERED_WITHIN_S, web, after="apply_secret"),
        rollout_bounds(web),
        only_versions(["v1", "v2"]),
        no_request_lost(),
    )
