"""Rows N9, N10 and N15 with a planted defect: each is found, and named.

Their sound twins are the scenarios of those rows.
"""

import pytest

from chaoskit.faults import Bandwidth, DnsOutage, Latency, Loss, Partition
from chaoskit.faults.measuring import Datagrams
from chaoskit.guarantees import (
    names_answer_again,
    names_fail,
    nothing_left,
    other_paths_unchanged,
    path_delayed,
    path_loses,
    path_narrowed,
    paths_as_before,
    slow_node_named,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.workloads.service import Service
from tests.cluster.planting import Planting

pytestmark = [pytest.mark.long, pytest.mark.alone]

COUNTED = Datagrams(count=4_000, spacing_ms=0.2)
TIMED = Datagrams(count=300, spacing_ms=2.0)
CROWDED = Datagrams(count=60, spacing_ms=0.0, size_bytes=1400)


def said(verdict: Verdict) -> str:
    """What its first witness says."""
    assert verdict.evidence.first is not None
    return verdict.evidence.first.text


@pytest.mark.row("N10")
def test_a_cut_that_goes_both_ways(planting: Planting) -> None:
    """A link that is cut both ways, where one way was asked for."""
    run, (source, other) = planting.run, planting.cluster.agents
    run.measure_paths(TIMED)
    with run.inject(Partition((source.name,), (other.name,))):
        run.measure_paths(TIMED)
        run.measure_paths(COUNTED, (other, source))
    verdicts = planting.expect(
        True,
        path_loses(other, source, at_least=0.0, at_most=0.01, during="partition"),
        other_paths_unchanged((source, other), during="partition"),
    )
    assert "100.00% of 4300 lost" in said(verdicts["path_loses"])
    way = f"the path {other.name} to {source.name} lost 100.00%"
    assert way in said(verdicts["other_paths_unchanged"])


@pytest.mark.row("N10")
def test_a_link_that_loses_more(planting: Planting) -> None:
    """A link that loses half of the packets, where three of ten were asked for."""
    run, (source, other) = planting.run, planting.cluster.agents
    run.measure_paths(TIMED)
    with run.inject(Loss((source.name,), (other.name,), share=0.5)):
        run.measure_paths(COUNTED, (source, other))
    claim = path_loses(source, other, at_least=0.27, at_most=0.33, during="loss")
    verdicts = planting.expect(True, claim)
    assert f"the path {source.name} to {other.name}: " in said(verdicts["path_loses"])


@pytest.mark.row("N10")
def test_a_delay_elsewhere(planting: Planting) -> None:
    """Another node is slow than the one that was meant, and by half as much."""
    run, (meant, slow) = planting.run, planting.cluster.agents
    web = planting.web()
    with planting.load(web.service, rate_per_s=60) as load:
        with run.phase("as usual"):
            run.measure_paths(TIMED)
            load.run_for(seconds=5)
        with run.inject(Latency((slow.name,), delay_ms=100)), run.phase("slow"):
            run.measure_paths(TIMED)
            load.run_for(seconds=5)
    server = planting.cluster.servers[0]
    verdicts = planting.expect(
        True,
        path_delayed(meant, server, at_least_ms=180, at_most_ms=220, during="latency"),
        other_paths_unchanged((meant, server), (meant, slow), during="latency"),
        slow_node_named(meant, phase="slow", before="as usual", by_at_least_s=0.05),
    )
    assert f"it is {slow.name}, not {meant.name}" in said(verdicts["slow_node_named"])
    assert f"the path {slow.name} to" in said(verdicts["other_paths_unchanged"])


@pytest.mark.row("N10")
def test_a_link_that_is_wider(planting: Planting) -> None:
    """A node that sends 3 Mbit/s, where 1.1 were allowed."""
    run, (source, other) = planting.run, planting.cluster.agents
    run.measure_paths(CROWDED, (source, other))
    with run.inject(Bandwidth(source.name, rate_mbit=3.0)):
        run.measure_paths(CROWDED, (source, other))
    claim = path_narrowed(source, other, at_most_mbit=1.1, during="bandwidth")
    verdicts = planting.expect(True, claim)
    assert "over 1.1 Mbit/s" in said(verdicts["path_narrowed"])


@pytest.mark.row("N9")
def test_an_outage_of_names_on_one_node_alone(planting: Planting) -> None:
    """Names fail on one node only; and after the heal nobody serves them any more."""
    run, cluster = planting.run, planting.cluster
    web = planting.web()
    dns = Service.named(cluster.kube, "kube-system", "kube-dns", run.steps)
    selector = dns.read()["spec"]["selector"]
    with planting.load(web.service) as load, run.ask_names(web.deployment.pods()):
        load.run_for(seconds=3)
        with run.inject(DnsOutage((cluster.agents[0].name,))):
            load.run_for(seconds=15)
        dns.set_selector({**selector, "nobody": "at-all"})
        load.run_for(seconds=8)
        dns.set_selector(selector)
    verdicts = planting.expect(
        True, names_fail(0.99, during="dns_outage"), names_answer_again(5, after="dns_outage")
    )
    assert "was told the address of 10-" in said(verdicts["names_fail"])
    assert "after the heal" in said(verdicts["names_answer_again"])


@pytest.mark.row("N15")
def test_something_that_stays_behind(planting: Planting) -> None:
    """A delay of whose beginning nobody tells the run, so that nobody heals it either."""
    run, cluster = planting.run, planting.cluster
    source, other = cluster.agents
    forgotten = Latency((source.name,), (other.name,), delay_ms=100)
    run.measure_paths(TIMED)
    try:
        with run.compare_traces(), run.inject(Loss((source.name,), (other.name,), share=0.3)):
            run.measure_paths(COUNTED, (source, other))
            forgotten.inject(cluster, heal_after_s=120)
        run.measure_paths(TIMED)
        verdicts = planting.expect(True, nothing_left(), paths_as_before())
    finally:
        forgotten.heal(cluster)
    assert other.name in said(verdicts["nothing_left"])
    way = f"the path {source.name} to {other.name} took 100"
    assert way in said(verdicts["paths_as_before"])
