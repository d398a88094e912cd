"""Rollouts that are held: refused, paused, past their deadline, or by a version that fails."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.errors import KubernetesError
from chaoskit.guarantees import (
    failures_attributed,
    no_needless_restart,
    no_request_lost,
    nothing_rolls_while_paused,
    only_new_pods_after_completion,
    only_versions,
    progress_deadline_reported,
    requests_lost,
    revision_numbers,
    rollout_blocked,
    rollout_bounds,
    rollout_stalled,
    step_refused,
    template_restored,
)
from chaoskit.run import Run
from chaoskit.workloads import specimen_manifests
from chaoskit.workloads.deployment import Deployment
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import image
from chaoskit.workloads.steps import StepRefused

#: What the API server says of both bounds at 0.
BOTH_ZERO = "may not be 0 when `maxSurge` is 0"


@pytest.mark.row("R3")
def test_no_surge_and_none_unavailable_is_refused(
    cluster: K3sCluster, chaos: Run, web: Web
) -> None:
    """A strategy that allows no pod more and no pod fewer.

    Goal: a rollout that could never move is refused before it begins, with its reason.
    Method: edit a running Deployment to surge 0 and 0 unavailable, and create another one so.
    Expectation: both refused with the API server's own words; the first is left as it was, the
    second does not exist.
    """
    nothing = {"spec": {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}}}
    namespace = chaos.setup.namespace
    manifest = specimen_manifests.web(namespace, "never", max_surge=0, max_unavailable=0)[1]
    never = Deployment.named(cluster.kube, namespace, "never", chaos.steps)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        with pytest.raises(KubernetesError, match=BOTH_ZERO):
            web.deployment.edit(nothing)
        with pytest.raises(KubernetesError, match=BOTH_ZERO):
            never.apply(manifest)
        load.run_for(seconds=3)
    chaos.check(
        step_refused(web, "edit", BOTH_ZERO),
        step_refused(never, "apply", BOTH_ZERO),
        revision_numbers(web, [1]),
        no_request_lost(),
    )


@pytest.mark.row("R10")
@pytest.mark.parametrize("deadline_s", [20, pytest.param(600, marks=pytest.mark.soak)])
def test_a_passed_deadline_is_reported_and_nothing_undone(
    deadline_s: int, cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """A rollout to a tag that does not exist is left until its progress deadline has passed.

    Goal: a stuck rollout is reported in time, and is left to the operator.
    Method: progressDeadlineSeconds 20 (in the long form 600, Kubernetes' default); set an image
    that no registry has; wait for the report, and 5 s more.
    Expectation: ProgressDeadlineExceeded after the deadline, at most 5 s late; nothing is undone
    and nothing goes further; the old pods answer everything.
    """
    web = start_web(progress_deadline_s=deadline_s)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.set_image("chaoskit/specimen:no-such-tag")
        web.deployment.wait_deadline_exceeded(timeout_s=deadline_s + 20)
        load.run_for(seconds=5)
    chaos.check(
        progress_deadline_reported(web, deadline_s=deadline_s, slack_s=5),
        rollout_stalled(web),
        revision_numbers(web, [1], [1, 2]),
        rollout_bounds(web),
        only_versions(["v1"]),
        no_request_lost(),
    )


@pytest.mark.row("R11")
def test_a_version_that_fails_is_held_by_its_first_pod(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """A version that answers 500 after five requests, and then says that it is not ready.

    Goal: readiness and minReadySeconds keep a bad version from going everywhere.
    Method: roll it out with minReadySeconds 10, leave it for 12 s, undo.
    Expectation: one pod of it is made and none of the old ones taken; it costs no more requests
    than one of four pods gets in the second until its probe and 2 s until all nodes know; undo
    restores the template.
    """
    rate_per_s, until_taken_out_s = 200, 1 + 2
    web = start_web(min_ready_s=10)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=rate_per_s) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.set_env(SPECIMEN_VERSION="bad", SPECIMEN_DEFECTS="fail-after=5")
        load.run_for(seconds=12)
        web.deployment.undo()
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=3)
    chaos.check(
        rollout_blocked(web, step="set_env", pods=1, at_least_s=12),
        requests_lost(at_least=1, at_most=rate_per_s * until_taken_out_s // 4),
        rollout_bounds(web, max_surge=1, max_unavailable=0),
        no_needless_restart(web, step="set_env"),
        template_restored(web, step="set_env"),
        only_versions(["v1", "bad"]),
        failures_attributed(),
    )


@pytest.mark.row("R16")
def test_edits_while_paused_become_one_revision(cluster: K3sCluster, chaos: Run, web: Web) -> None:
    """A rollout is paused, edited three times, and resumed.

    Goal: several changes can be made ready and rolled out as one.
    Method: pause; set the image, a variable and a label; leave it for 4 s; undo; resume.
    Expectation: nothing rolls while paused, and the undo is refused with its reason; then one new
    revision for all three edits; no request is lost.
    """
    with chaos.load(web.service, via=cluster.agents, rate_per_s=200) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.pause()
        web.deployment.set_image(image("v2"))
        web.deployment.set_env(COLOUR="green")
        web.deployment.edit({"spec": {"template": {"metadata": {"labels": {"tier": "front"}}}}})
        load.run_for(seconds=4)
        with pytest.raises(StepRefused):
            web.deployment.undo(to_revision=1)
        web.deployment.resume()
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=3)
    chaos.check(
        nothing_rolls_while_paused(web),
        revision_numbers(web, [1], [1], [1], [1], [1], [1, 2]),
        step_refused(web, "undo", "you cannot rollback a paused deployment"),
        only_new_pods_after_completion(web),
        only_versions(["v1", "v2"]),
        no_request_lost(),
    )
