"""What every fault promises, tried on a real cluster, once for all of them.

Not effective before; effective throughout, measured at 1 Hz or more; not after; healed twice, and
healed without having been injected, it does no harm.
"""

from collections.abc import Set

import pytest

from chaoskit import clock
from chaoskit.cluster.provider import Cluster
from chaoskit.errors import FaultError
from chaoskit.faults.catalogue import fault_of, fault_types, fields_of, parameters_of
from chaoskit.faults.fault import Fault
from chaoskit.run import CapabilityAbsent
from chaoskit.run.blast_radius import EVERYTHING
from chaoskit.waiting import wait_until
from tests.cluster.faults import SAMPLES
from tests.cluster.faults.stage import Sample, Stage
from tests.cluster.planting import Planting

pytestmark = pytest.mark.alone  # faults, and the whole cluster is compared before and after

#: How long a sample is kept in effect: enough for several measurements.
_HELD_S = 2.0
_MEASURED_EVERY_S = 0.3
#: A second between measurements is what is promised; half a one is what a busy machine may add.
_LONGEST_UNMEASURED_S = 1.5
_HEAL_AFTER_S = 120.0
_NODE_READY_WITHIN_S = 90.0
#: One of each mechanism: what `make test` tries too.
_EVERYDAY = {
    "component_paused", "config_map_withdrawn", "container_frozen", "disk_filled", "latency",
    "nic_down", "node_cordoned", "node_paused", "partition", "pod_deleted", "registry_stopped",
}  # fmt: skip
_each_fault = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in _EVERYDAY else [pytest.mark.long])
        for name in sorted(SAMPLES)
    ],
)


def test_every_fault_has_a_sample() -> None:
    assert SAMPLES.keys() == fault_types().keys()


@_each_fault
def test_fault_keeps_its_contract(name: str, stage: Stage, request: pytest.FixtureRequest) -> None:
    sample = SAMPLES[name]
    fault = sample.make(stage)
    if lacking := fault.requires - stage.cluster.capabilities:
        _is_refused(sample, fault, lacking, request.getfixturevalue("planting"))
        return
    assert fault_of(fault.name, parameters_of(fault)) == fault
    try:
        if not fault.one_shot:
            fault.heal(stage.cluster)
        assert not fault.is_effective(stage.cluster), "in effect before it was injected"
        fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
        _becomes_effective(fault, stage.cluster, sample.effective_within_s)
        if not fault.one_shot:
            _stays_effective(fault, stage.cluster)
    finally:
        fault.heal(stage.cluster)
        fault.heal(stage.cluster)
        if sample.whole_node:
            stage.agent.wait_ready(timeout_s=_NODE_READY_WITHIN_S)
    if not fault.one_shot:
        assert not fault.is_effective(stage.cluster), "in effect after it was healed"


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(_EVERYDAY, id="everyday"),
        pytest.param(SAMPLES.keys() - _EVERYDAY, id="all others", marks=pytest.mark.long),
    ],
)
def test_an_injection_that_does_nothing_concludes_nothing(
    names: Set[str], stage: Stage, planting: Planting
) -> None:
    """Each fault's own measurement sees that it is not there; one run is enough for all."""
    faults = [SAMPLES[name].make(stage) for name in sorted(names)]
    tried = [fault for fault in faults if fault.requires <= stage.cluster.capabilities]
    assert tried
    assert {fault.name: said for fault in tried if (said := _concluded(fault, planting))} == {}


def _concluded(fault: Fault, planting: Planting) -> str | None:
    """What a scenario was told of this fault without an effect; None where that was the truth."""
    try:
        with planting.run.inject(_sabotaged(fault), effective_within_s=1.5, allow=EVERYTHING):
            return "the scenario went on without its fault"
    except FaultError as error:
        return None if "its effect was not seen" in error.problem else str(error)


def _is_refused(sample: Sample, fault: Fault, lacking: frozenset[str], planting: Planting) -> None:
    assert lacking <= sample.lacking, f"this cluster lacks {sorted(lacking)}"
    with (
        pytest.raises(CapabilityAbsent, match=rf"lacks {sorted(lacking)[0]}"),
        planting.run.inject(fault),
    ):
        pytest.fail("a fault without what it requires was injected")


def _becomes_effective(fault: Fault, cluster: Cluster, within_s: float) -> None:
    wait_until(
        lambda: fault.is_effective(cluster),
        what=f"{fault.name} on {fault.target} to be in effect",
        timeout_s=within_s,
        interval_s=0.05,
    )


def _stays_effective(fault: Fault, cluster: Cluster) -> None:
    begun_ns = last_ns = clock.now_ns()

    def held() -> bool:
        nonlocal last_ns
        assert fault.is_effective(cluster), "no longer in effect"
        now_ns = clock.now_ns()
        assert now_ns - last_ns < _LONGEST_UNMEASURED_S * 1e9, "takes too long to measure"
        last_ns = now_ns
        return now_ns - begun_ns >= _HELD_S * 1e9

    wait_until(
        held, what="its time in effect", timeout_s=10 * _HELD_S, interval_s=_MEASURED_EVERY_S
    )


def _sabotaged(fault: Fault) -> Fault:
    """The same fault with an injection that does nothing."""

    def inject(self: Fault, cluster: Cluster, *, heal_after_s: float) -> None:
        pass

    def heal(self: Fault, cluster: Cluster) -> None:
        pass

    kind = type(fault)
    made = type(f"Sabotaged{kind.__name__}", (kind,), {"inject": inject, "heal": heal})
    values = {field.name: getattr(fault, field.name) for field in fields_of(kind)}
    sabotaged: Fault = made(**values)
    return sabotaged
