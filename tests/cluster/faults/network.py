"""Samples of the faults of the network."""

from chaoskit.faults import (
    Bandwidth,
    Corrupt,
    DnsOutage,
    Duplicate,
    Latency,
    Loss,
    NicDown,
    Partition,
    Reorder,
)
from tests.cluster.faults.stage import Sample

_WITHOUT_NETEM = frozenset({"netem"})

SAMPLES = {
    "nic_down": Sample(make=lambda stage: NicDown(stage.agent.name), whole_node=True),
    "partition": Sample(
        make=lambda stage: Partition(
            (stage.agent.name,), (stage.cluster.agents[0].name, "control plane")
        )
    ),
    "loss": Sample(
        make=lambda stage: Loss((stage.agent.name,), (stage.cluster.agents[0].name,), share=0.3)
    ),
    "latency": Sample(
        make=lambda stage: Latency((stage.agent.name,), delay_ms=200.0, jitter_ms=20.0)
    ),
    "reorder": Sample(make=lambda stage: Reorder((stage.agent.name,), ("control plane",))),
    "bandwidth": Sample(make=lambda stage: Bandwidth(stage.agent.name, rate_mbit=1.0)),
    "dns_outage": Sample(make=lambda stage: DnsOutage((stage.agent.name,))),
    "duplicate": Sample(
        make=lambda stage: Duplicate(stage.agent.name, share=0.2), lacking=_WITHOUT_NETEM
    ),
    "corrupt": Sample(
        make=lambda stage: Corrupt(stage.agent.name, share=0.2), lacking=_WITHOUT_NETEM
    ),
}
