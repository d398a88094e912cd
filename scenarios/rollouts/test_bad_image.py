"""Rollouts to images that cannot be had."""

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    no_needless_restart,
    no_request_lost,
    only_versions,
    rollout_bounds,
    rollout_stalled,
    template_restored,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import Web


@pytest.mark.demo
@pytest.mark.everyday
@pytest.mark.row("R9")
def test_rollout_to_an_absent_tag_stalls_and_undo_restores(
    cluster: K3sCluster, chaos: Run, web: Web
) -> None:
    """A rollout to a tag that does not exist stalls; undo puts everything back.

    Goal: a bad image harms nobody, for as long as it is left.
    Method: set an image that no registry has, leave it for 15 s under load, undo.
    Expectation: the new pod says why it cannot start; the old ones answer everything and are
    never touched; bounds hold at every instant; undo restores the template exactly.
    """
    with chaos.load(web.service, via=cluster.agents, rate_per_s=200) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.set_image("chaoskit/specimen:no-such-tag")
        load.run_for(seconds=15)
        web.deployment.undo()
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=3)
    chaos.check(
        rollout_stalled(web),
        rollout_bounds(web),
        no_request_lost(),
        only_versions(["v1"]),
        no_needless_restart(web),
        template_restored(web),
    )
