"""How many revisions are kept, and what can no longer be undone."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    no_request_lost,
    revision_numbers,
    revision_semantics,
    step_refused,
    step_skipped,
    undo_restores,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.steps import StepRefused


@pytest.mark.row("R8")
def test_ten_old_revisions_are_kept_by_default(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """Twelve templates of a Deployment that says nothing about its history.

    Goal: know how far back an undo can go when nobody thought about it.
    Method: eleven changes of a variable, each when the one before has its revision; undo to the
    first.
    Expectation: exactly 10 old ReplicaSets and the current one are kept, the newest; the undo is
    refused, as revision 1 is gone, and changes nothing.
    """
    web = start_web(replicas=1, revision_history_limit=None)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        for number in range(2, 13):
            web.deployment.set_env(NUMBER=str(number))
            web.deployment.wait_revision(number, timeout_s=10)
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=2)
        with pytest.raises(StepRefused):
            web.deployment.undo(to_revision=1)
        load.run_for(seconds=2)
    chaos.check(
        revision_numbers(web, range(2, 13)),
        revision_semantics(web, settle_s=3),
        step_refused(web, "undo", "unable to find specified revision 1 in history"),
        no_request_lost(),
    )


@pytest.mark.row("R8")
def test_two_old_revisions_are_kept_and_undo_moves_them(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """Five templates of a Deployment that keeps two old ones; then undo in three ways.

    Goal: an undo that cannot be done says why, and one that has nothing to do says so.
    Method: four changes of a variable; undo to the present revision 5; to revision 4; to revision
    4 again, which has moved to 6.
    Expectation: revisions 3, 4, 5 are kept; the first undo is skipped, the second done, the third
    refused; those two change nothing.
    """
    web = start_web(replicas=1, revision_history_limit=2)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        for number in range(2, 6):
            web.deployment.set_env(NUMBER=str(number))
            web.deployment.wait_revision(number, timeout_s=10)
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=2)
        web.deployment.undo(to_revision=5)
        web.deployment.undo(to_revision=4)
        web.deployment.wait_complete(timeout_s=60)
        with pytest.raises(StepRefused, match="unable to find specified revision 4"):
            web.deployment.undo(to_revision=4)
        load.run_for(seconds=2)
    chaos.check(
        revision_numbers(web, [3, 4, 5], [3, 5, 6]),
        revision_semantics(web, settle_s=3),
        step_skipped(web, "undo", detail="to 5"),
        undo_restores(web),
        no_request_lost(),
    )


@pytest.mark.row("R8")
def test_without_a_history_nothing_can_be_undone(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """Three templates of a Deployment that keeps no old ones; then undo.

    Goal: an operator is told in plain words that there is nothing to go back to.
    Method: two changes of a variable with revisionHistoryLimit 0; undo.
    Expectation: only revision 3 is left; the undo is refused and changes nothing.
    """
    web = start_web(replicas=1, revision_history_limit=0)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        for number in (2, 3):
            web.deployment.set_env(NUMBER=str(number))
            web.deployment.wait_revision(number, timeout_s=10)
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=2)
        with pytest.raises(StepRefused):
            web.deployment.undo()
        load.run_for(seconds=2)
    chaos.check(
        revision_numbers(web, [3]),
        revision_semantics(web, settle_s=3),
        step_refused(web, "undo", 'no rollout history found for deployment "web"'),
        no_request_lost(),
    )
