"""Random steps on a Deployment, and the shortest sequence of them where one fails."""

from collections.abc import Sequence

import pytest

from chaoskit.guarantees import (
    ends_complete,
    failures_attributed,
    only_versions,
    rollout_bounds,
)
from chaoskit.run import Run
from chaoskit.run.session import ChaosSession
from chaoskit.run.shrinking import check_or_shrink
from chaoskit.workloads import specimen, specimen_manifests
from chaoskit.workloads.random_steps import RandomStep, drawn, settle

STEPS = 20
COMPLETE_WITHIN_S = 60
SHRUNK_WITHIN_S = 900


def taken(chaos: Run, plan: Sequence[RandomStep]) -> None:
    """Take these steps on a Deployment of three pods under load, and judge what came of it."""
    manifests = specimen_manifests.web(chaos.setup.namespace, "web")
    web = specimen.start_web(chaos.cluster.kube, manifests, steps=chaos.steps)
    web.deployment.wait_complete(timeout_s=60)
    web.service.wait_answering(timeout_s=15)
    with chaos.load(web.service, via=chaos.cluster.nodes, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        for step in plan:
            step.take(web.deployment)
            load.run_for(seconds=step.then_s)
        settle(web.deployment, timeout_s=COMPLETE_WITHIN_S)
        load.run_for(seconds=3)
    chaos.check(
        ends_complete(web, within_s=COMPLETE_WITHIN_S),
        rollout_bounds(web, max_surge=1, max_unavailable=0),
        only_versions(["v1", "v2", "v3"]),
        failures_attributed(),
    )


@pytest.mark.long
@pytest.mark.row("R18")
def test_twenty_random_steps_end_complete(chaos: Run, chaos_session: ChaosSession) -> None:
    """Updates, undos, scalings, pauses and deleted pods, at random, one upon the other.

    Goal: whatever an operator does to a rollout that is under way, it ends, within its bounds.
    Method: draw twenty steps from the seed and take them under load, 0.5 to 3 s apart; resume it
    if it is left paused. Where that violates a guarantee, run parts of the plan again, until no
    step can be left out.
    Expectation: complete within 60 s of the last step; the bounds hold at every instant; each
    failed request has its cause; `--chaos-seed` takes the same steps again.
    """
    plan = drawn(chaos.random, STEPS)
    check_or_shrink(chaos, plan, taken, within_s=SHRUNK_WITHIN_S, say=chaos_session.say)
