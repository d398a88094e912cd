"""What counts as a revision, which ones are kept, and why each was made."""

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    change_causes,
    no_request_lost,
    only_new_pods_after_completion,
    only_versions,
    pods_named_by_template,
    revision_numbers,
    revision_semantics,
    rollout_bounds,
    undo_restores,
)
from chaoskit.run import Run
from chaoskit.workloads import specimen_manifests
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import SpecimenPod, image


@pytest.mark.row("R5")
def test_only_changes_of_the_template_are_revisions(
    cluster: K3sCluster, chaos: Run, web: Web
) -> None:
    """The template is changed in five ways, then the Deployment in two others.

    Goal: know which changes roll pods, and how the pods are named after them.
    Method: a label, a variable, the image by set image, by edit, a setting by apply, each as soon
    as the one before has its revision; then scale, and another strategy.
    Expectation: a revision for each of the first five, none for the last two; each pod is named by
    Deployment, hash of its template and five random characters, and carries the hash as a label.
    """
    deployment = web.deployment
    changed = SpecimenPod(version="v3", drain_s=1.5)
    manifest = specimen_manifests.web(chaos.setup.namespace, "web", pod=changed)[1]
    container = {"name": specimen_manifests.CONTAINER, "image": image("v3")}
    with chaos.load(web.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        deployment.edit({"spec": {"template": {"metadata": {"labels": {"tier": "front"}}}}})
        deployment.wait_revision(2, timeout_s=10)
        deployment.set_env(COLOUR="green")
        deployment.wait_revision(3, timeout_s=10)
        deployment.set_image(image("v2"))
        deployment.wait_revision(4, timeout_s=10)
        deployment.edit({"spec": {"template": {"spec": {"containers": [container]}}}})
        deployment.wait_revision(5, timeout_s=10)
        deployment.apply(manifest)
        deployment.wait_complete(timeout_s=60)
        deployment.scale(4)
        deployment.edit({"spec": {"strategy": {"rollingUpdate": {"maxSurge": 2}}}})
        deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=2)
    numbers = [list(range(1, last + 1)) for last in (1, 2, 3, 4, 5, 6, 6, 6)]
    chaos.check(
        revision_numbers(web, *numbers),
        revision_semantics(web),
        pods_named_by_template(web),
        rollout_bounds(web),
        no_request_lost(),
    )


@pytest.mark.row("R6")
def test_history_says_why(cluster: K3sCluster, chaos: Run, web: Web) -> None:
    """Several updates, some with a change cause, and an undo.

    Goal: the history tells an operator what was done and why.
    Method: v2 with a cause; v3, which inherits it until it gets its own; a variable; undo to v2.
    Expectation: a ReplicaSet kept for each template, the old ones without pods; each revision with
    its own or the inherited cause, the first with none; undo brings back the cause of what it
    restores; status says complete.
    """
    with chaos.load(web.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        for version in ("v2", "v3"):
            web.deployment.set_image(image(version))
            web.deployment.wait_complete(timeout_s=60)
            web.deployment.set_change_cause(f"to {version}")
            web.deployment.wait_observed(timeout_s=10)
        web.deployment.set_env(COLOUR="green")
        web.deployment.wait_revision(4, timeout_s=10)
        web.deployment.undo(to_revision=2)
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=2)
    assert web.deployment.status().text == "successfully rolled out"
    chaos.check(
        revision_numbers(web, [1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [1, 3, 4, 5]),
        change_causes(web, {1: None, 3: "to v3", 4: "to v3", 5: "to v2"}),
        undo_restores(web, to_revision=2),
        only_new_pods_after_completion(web),
        only_versions(["v1", "v2", "v3"]),
        no_request_lost(),
    )


@pytest.mark.everyday
@pytest.mark.row("R7")
def test_undo_moves_numbers_forward(cluster: K3sCluster, chaos: Run, web: Web) -> None:
    """Undo, undo again, and undo to the first revision.

    Goal: an operator who undoes under pressure gets what was there before, and knows which.
    Method: v1, v2, v3; undo; undo; undo to revision 1; each complete before the next, under load.
    Expectation: histories {1,2,3}, {1,3,4}, {1,4,5} (undo goes to and fro between the last two) and
    {4,5,6}; template and ReplicaSet are those of before; the answers follow; no request is lost.
    """
    with chaos.load(web.service, via=cluster.agents, rate_per_s=200) as load:
        load.wait_steady(timeout_s=30)
        for version in ("v2", "v3"):
            web.deployment.set_image(image(version))
            web.deployment.wait_complete(timeout_s=60)
        for to_revision in (None, None, 1):
            web.deployment.undo(to_revision)
            web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=3)
    chaos.check(
        revision_numbers(web, [1, 2], [1, 2, 3], [1, 3, 4], [1, 4, 5], [4, 5, 6]),
        undo_restores(web),
        revision_semantics(web),
        rollout_bounds(web),
        only_new_pods_after_completion(web),
        only_versions(["v1", "v2", "v3"]),
        no_request_lost(),
    )
