"""The judge on a real cluster: planted defects are found and named, their sound twins HELD.

The quick ones; `test_planted_services.py` and `test_planted_stores.py` hold many more.
"""

from dataclasses import dataclass
from typing import ClassVar

import pytest

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import FaultError
from chaoskit.faults.fault import Reach
from chaoskit.guarantees import (
    acknowledged_writes_survive,
    availability,
    forced_deletion_overlap,
    no_request_lost,
    one_process_per_identity,
    rollout_bounds,
)
from chaoskit.guarantees.objects.processes import processes_of
from chaoskit.guarantees.verdict import Outcome
from chaoskit.run import NotHeld
from chaoskit.waiting import wait_until
from chaoskit.workloads import specimen_manifests
from chaoskit.workloads.specimen_manifests import SpecimenPod
from tests.cluster.planting import Planting, twins


@twins
def test_rollout_that_takes_all_pods(planting: Planting, planted: bool) -> None:
    """A rollout that may take all pods away at once."""
    # Pods that drain answer on until the new ones are there: only the bounds are broken then.
    pod = SpecimenPod(pre_stop_s=0, drain_s=0) if planted else SpecimenPod()
    allowed = (0, "100%") if planted else (1, 0)
    web = planting.web(max_surge=allowed[0], max_unavailable=allowed[1], pod=pod)
    with planting.load(web.service, via=planting.cluster.agents) as load:
        web.deployment.set_image(specimen_manifests.image("v2"))
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=2)
    verdicts = planting.expect(
        planted,
        rollout_bounds(web, max_surge=1, max_unavailable=0),
        no_request_lost(connection="new"),
    )
    if planted:
        first = verdicts["rollout_bounds"].evidence.first
        assert first is not None
        assert "available" in first.text


@pytest.mark.everyday
@pytest.mark.row("S10")
@twins
def test_store_that_forgets(planting: Planting, planted: bool) -> None:
    """A store that forgets everything when it starts again."""
    settings = {"SPECIMEN_DEFECTS": "forget-on-restart"} if planted else {}
    kv = planting.kv(pod=SpecimenPod(settings=settings))
    with planting.load(kv, rate_per_s=50) as load:
        uid = kv.pod(0).delete()
        kv.pod(0).wait_gone(timeout_s=60, uid=uid)
        kv.pod(0).wait_ready(timeout_s=60)
        load.run_for(seconds=2)
    planting.run.read_store(kv, via=planting.cluster.servers[0])
    verdicts = planting.expect(planted, acknowledged_writes_survive(kv))
    if planted:
        first = verdicts["acknowledged_writes_survive"].evidence.first
        assert first is not None
        assert "kv-0 lost the acknowledged write" in first.text


@pytest.mark.everyday
@pytest.mark.row("S10")
def test_two_processes_of_one_identity(planting: Planting) -> None:
    """Two processes of one identity: TERM is ignored, and a forced deletion frees the name."""
    kv = planting.kv(pod=SpecimenPod(settings={"SPECIMEN_DEFECTS": "ignore-term"}))
    deleted: dict[str, str] = {}
    with planting.load(kv, rate_per_s=50):
        for _ in range(3):
            deleted[kv.pod(0).read()["metadata"]["uid"]] = "kv-0"
            kv.pod(0).delete(force=True)
            kv.pod(0).wait_ready(timeout_s=60)
        # The kubelet's KILL comes 2 s after TERM, and on a busy machine some seconds later.
        wait_until(
            lambda: (
                not any(
                    process.still_running
                    for process in processes_of(planting.run.history(), deleted).found
                )
            ),
            what="the processes of deleted pods to end",
            timeout_s=30,
            interval_s=0.5,
        )
    verdict = planting.expect(True, one_process_per_identity(kv))["one_process_per_identity"]
    assert verdict.figures["duplicate_at_least_s"] > 0.5
    allowed = one_process_per_identity(kv, allowing=forced_deletion_overlap())
    again = allowed.check(planting.run.history())
    assert again.outcome is Outcome.HELD, again.summary


def test_load_that_sends_nothing(planting: Planting) -> None:
    """Without a load nothing can be said of requests, neither good nor bad."""
    web = planting.web()
    web.deployment.set_image(specimen_manifests.image("v2"))
    web.deployment.wait_complete(timeout_s=60)
    with pytest.raises(NotHeld) as raised:
        planting.run.check(no_request_lost(), availability(at_least=0.999))
    assert {each.outcome for each in raised.value.judgement.verdicts} == {Outcome.UNKNOWN}


@dataclass(frozen=True)
class Sabotaged:
    """A fault whose injection does nothing."""

    target: str = "nothing"

    name: ClassVar[str] = "sabotaged"
    requires: ClassVar[frozenset[str]] = frozenset()
    one_shot: ClassVar[bool] = False
    reach: ClassVar[Reach] = Reach()

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Nothing."""

    def is_effective(self, cluster: Cluster) -> bool:
        """Never."""
        return False

    def heal(self, cluster: Cluster) -> None:
        """Nothing."""


def test_fault_that_does_nothing_concludes_nothing(planting: Planting) -> None:
    """An injection that does nothing is refused, so that nobody concludes from it."""
    with (
        pytest.raises(FaultError, match="its effect was not seen"),
        planting.run.inject(Sabotaged(), effective_within_s=1.5),
    ):
        pytest.fail("the scenario went on without its fault")
