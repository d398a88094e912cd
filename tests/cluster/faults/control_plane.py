"""Samples of the faults of the control plane."""

from chaoskit.faults import ApiLatency, WatchCut
from tests.cluster.faults.stage import Sample

SAMPLES = {
    "api_latency": Sample(make=lambda stage: ApiLatency(delay_ms=100.0)),
    "watch_cut": Sample(make=lambda stage: WatchCut()),
}
