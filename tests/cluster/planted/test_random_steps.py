"""Random steps over a planted defect: what is found is cut down to the steps that it takes."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from chaoskit.guarantees import rollout_bounds
from chaoskit.run import NotHeld, Run
from chaoskit.run.session import ChaosSession
from chaoskit.run.shrinking import check_or_shrink
from chaoskit.workloads import specimen_manifests
from chaoskit.workloads.deployment import Deployment
from chaoskit.workloads.random_steps import RandomStep, drawn, settle
from chaoskit.workloads.service import Service
from chaoskit.workloads.specimen_manifests import SpecimenPod
from tests.cluster.planting import Planting

#: Draws two pauses, an update after the second, and five other steps.
SEED = 89
SHRUNK_WITHIN_S = 600


class Careless(Deployment):
    """Whoever pauses it lets it take all its pods at once when it goes on."""

    def pause(self) -> None:
        """Hold the rollout, and widen its bounds."""
        super().pause()
        rolling = {"maxSurge": 0, "maxUnavailable": "100%"}
        self.kube.patch(
            "Deployment",
            self.ref.name,
            self.ref.namespace,
            {"spec": {"strategy": {"rollingUpdate": rolling}}},
        )


def taken(run: Run, plan: Sequence[RandomStep]) -> None:
    """Take these steps on two pods under load, and judge the bounds that were promised."""
    namespace = run.setup.namespace
    pod = SpecimenPod(pre_stop_s=0, drain_s=0)
    for manifest in specimen_manifests.web(namespace, "web", replicas=2, pod=pod):
        run.cluster.kube.apply(manifest)
    web = Careless.named(run.cluster.kube, namespace, "web", run.steps)
    service = Service.named(run.cluster.kube, namespace, "web", run.steps)
    web.wait_complete(timeout_s=60)
    service.wait_answering(timeout_s=15)
    with run.load(service, via=run.cluster.nodes, rate_per_s=50) as load:
        load.wait_steady(timeout_s=30)
        for step in plan:
            step.take(web)
            load.run_for(seconds=step.then_s)
        settle(web, timeout_s=60)
    run.check(rollout_bounds(web, max_surge=1, max_unavailable=0))


@pytest.mark.long
@pytest.mark.row("R18")
def test_a_pause_that_widens_the_bounds(planting: Planting, chaos_session: ChaosSession) -> None:
    """A tool that widens the bounds when it pauses: found by random steps, and cut down to two."""
    plan = drawn(random.Random(SEED), 8, replicas=(2, 3), then_s=(0.3, 1.0))
    with pytest.raises(NotHeld) as caught:
        check_or_shrink(planting.run, plan, taken, within_s=SHRUNK_WITHIN_S, say=chaos_session.say)
    told = json.loads((Path(planting.run.record.path) / "shortest.json").read_text())
    assert told["violated"] == ["rollout_bounds"]
    assert told["is_minimal"], told
    verbs = [step.split()[0] for step in told["shortest"]]
    assert sorted(verbs) == ["pause", "set_image"], told
    assert f"shortest failing sequence, 2 of 8 steps, found by {len(told['runs'])} runs" in (
        "\n".join(caught.value.__notes__)
    )
    record = next(run["record"] for run in reversed(told["runs"]) if run["outcome"] == "VIOLATED")
    assert Path(record).is_dir()
