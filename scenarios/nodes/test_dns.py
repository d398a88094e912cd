"""Names are no longer resolved."""

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.faults import DnsOutage
from chaoskit.guarantees import (
    names_answer_again,
    names_fail,
    no_request_lost,
    nodes_stay_ready,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import Web

pytestmark = pytest.mark.long

#: A kube-dns Service with its Endpoints unchanged answers with the first packet that passes; the
#: rest is what a lookup that began before the heal takes to give up.
ANSWERED_WITHIN_S = 5


@pytest.mark.row("N9")
@pytest.mark.alone
def test_requests_by_address_go_on_without_names(cluster: K3sCluster, chaos: Run, web: Web) -> None:
    """No name server can be reached from any node or pod.

    Goal: who has an address needs no name, and names come back by themselves.
    Method: let pods look up new names all the time, lose what goes to name servers, and heal.
    Expectation: at least 99 % of names fail meanwhile, while requests by address lose nothing and
    no node is given up; names answer again 5 s after the heal at the latest.
    """
    everywhere = DnsOutage(tuple(node.name for node in cluster.nodes))
    with (
        chaos.load(web.service, via=cluster.agents, rate_per_s=100) as load,
        chaos.ask_names(web.deployment.pods()),
    ):
        load.wait_steady(timeout_s=30)
        load.run_for(seconds=5)
        with chaos.inject(everywhere):
            load.run_for(seconds=20)
        load.run_for(seconds=ANSWERED_WITHIN_S + 5)
    chaos.check(
        names_fail(0.99, during="dns_outage"),
        names_answer_again(ANSWERED_WITHIN_S, after="dns_outage"),
        no_request_lost(),
        nodes_stay_ready(through="dns_outage"),
    )
