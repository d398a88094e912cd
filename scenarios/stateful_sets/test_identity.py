"""What a StatefulSet member is known by: its name, its address, its data."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    acknowledged_writes_survive,
    claims_stay,
    failures_attributed,
    hostnames_match,
    members_answer_through_proxy,
    names_follow_members,
    one_process_per_identity,
    only_members_touched,
    stable_identity,
)
from chaoskit.run import Run
from chaoskit.workloads import template
from chaoskit.workloads.specimen import KeyValue

StartKv = Callable[..., KeyValue]

#: The cluster's DNS keeps an answer for up to 30 s; 5 s more are the endpoints' way to it.
NAMES_FOLLOW_WITHIN_S = 35
#: Whoever is not right by then is asked again after it.
ASKED_FOR_S = NAMES_FOLLOW_WITHIN_S + 5


@pytest.mark.row("S2")
def test_names_lead_to_members_wherever_they_are(chaos: Run, start_kv: StartKv) -> None:
    """A member's name leads to it, also after it moved to another node.

    Goal: who knows a member's name needs to know nothing else.
    Method: ask every member for all names, move member 1 to another node, ask again.
    Expectation: each process has its pod's name as hostname; each member's name gives its present
    address, and the headless Service's name those of all Ready members, 35 s after the move at
    the latest.
    """
    kv = start_kv(replicas=3, pod_management="Parallel")
    chaos.follow_names(kv, at_most_s=ASKED_FOR_S)
    kv.stateful_set.set_update_strategy("OnDelete")
    kv.stateful_set.edit(template.not_on(kv.pod(1).node_name))
    uid = kv.pod(1).delete()
    kv.pod(1).wait_gone(timeout_s=30, uid=uid)
    kv.pod(1).wait_ready(timeout_s=60)
    chaos.follow_names(kv, at_most_s=ASKED_FOR_S)
    chaos.ask_members(kv)
    chaos.check(
        names_follow_members(kv, within_s=NAMES_FOLLOW_WITHIN_S),
        hostnames_match(kv),
        stable_identity(kv),
        only_members_touched(kv, [1]),
    )


@pytest.mark.everyday
@pytest.mark.row("S3")
def test_deleted_members_come_back_as_themselves(
    cluster: K3sCluster, chaos: Run, start_kv: StartKv
) -> None:
    """All members deleted at once come back under their names, with their data.

    Goal: a member is its name and its data, not its pod.
    Method: write to each of three members, delete all pods, wait until all are back.
    Expectation: new pods under the old names, each with the claim of its name, which bears the
    selector's labels; every acknowledged write is there; never two processes of one name.
    """
    kv = start_kv(replicas=3, pod_management="Parallel")
    with chaos.load(kv, via=cluster.servers[0], rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        uids = [kv.pod(ordinal).delete() for ordinal in range(3)]
        for ordinal, uid in enumerate(uids):
            kv.pod(ordinal).wait_gone(timeout_s=30, uid=uid)
        kv.stateful_set.wait_ready(timeout_s=60)
        load.run_for(seconds=2)
    chaos.read_store(kv, via=cluster.servers[0])
    chaos.check(
        only_members_touched(kv, [0, 1, 2]),
        stable_identity(kv),
        claims_stay(kv),
        acknowledged_writes_survive(kv),
        one_process_per_identity(kv),
        failures_attributed(),
    )


@pytest.mark.row("S12")
def test_members_are_reached_through_the_api_servers_proxy(chaos: Run, start_kv: StartKv) -> None:
    """A member is reached by its name through the API server, with the closing slash.

    Goal: an operator reaches one certain member without a Service.
    Method: ask each member through the API server's proxy by GET and HEAD, with and without slash.
    Expectation: with it that very member answers; without it the API server answers 301 and
    leads to the path with the slash.
    """
    kv = start_kv(replicas=2, pod_management="Parallel")
    chaos.ask_members(kv)
    chaos.check(members_answer_through_proxy(kv), hostnames_match(kv))


@pytest.mark.row("S14")
def test_peers_find_each_other_by_srv_records(chaos: Run, start_kv: StartKv) -> None:
    """Members find all their Ready peers through the headless Service's SRV records.

    Goal: a member can find its peers by nothing but its Service's name.
    Method: let a member get unready and ready again, add a member, delete one; after each change
    let every Ready member look its peers up until all are found.
    Expectation: each sees all Ready members, and nobody else, 35 s after each change at the latest.
    """
    kv = start_kv(replicas=3, pod_management="Parallel")
    chaos.follow_names(kv, at_most_s=ASKED_FOR_S)
    for ready in (False, True):
        kv.member(1).set_ready(ready)
        (kv.pod(1).wait_ready if ready else kv.pod(1).wait_not_ready)(timeout_s=15)
        chaos.follow_names(kv, at_most_s=ASKED_FOR_S)
    kv.stateful_set.scale(4)
    kv.stateful_set.wait_ready(timeout_s=60)
    chaos.follow_names(kv, at_most_s=ASKED_FOR_S)
    uid = kv.pod(2).delete()
    kv.pod(2).wait_gone(timeout_s=30, uid=uid)
    kv.pod(2).wait_ready(timeout_s=60)
    chaos.follow_names(kv, at_most_s=ASKED_FOR_S)
    chaos.check(names_follow_members(kv, within_s=NAMES_FOLLOW_WITHIN_S), stable_identity(kv))
