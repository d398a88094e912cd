"""What is claimed is what was asked for, and what cannot be claimed is refused: pods."""

from collections.abc import Callable
from types import SimpleNamespace

from chaoskit.guarantees import (
    disruption_budget_respected,
    evicted_between,
    evictions_stop,
    evictions_wait,
    moves_off_within,
    never_made_again,
    no_container_restarted,
    no_surplus_after,
    node_not_ready_within,
    node_reason_shown,
    nodes_stay_ready,
    not_evicted,
    nothing_bound,
    nothing_starts,
    one_per_node,
    only_images,
    ordinary_delete_sticks,
    pods_evicted_within,
    pods_stay,
    ready_endpoints_stay,
    reason_shown,
    recovers_within,
    restarts_back_off,
    runs_untouched,
    same_pods_come_back,
    steps_fail,
    termination_in_order,
)

#: A workload as scenarios hand it over.
JOB = SimpleNamespace(ref=SimpleNamespace(kind="Job", name="work"))


#: Claims, made only when they are tested: else by no mutant of what makes them.
CLAIMED: list[tuple[Callable[[], object], str]] = [
    (disruption_budget_respected, "DisruptionBudgetRespected(budget=None, lag_s=1.0)"),
    (
        lambda: disruption_budget_respected("PodDisruptionBudget web", lag_s=2),
        "DisruptionBudgetRespected(budget='web', lag_s=2)",
    ),
    (
        lambda: evicted_between("StatefulSet kv", "node n2", 0, 0.5, fault="nic_down"),
        (
            "EvictedBetween(workload='kv', kind='Deployment', node='n2', earliest_s=0,"
            " latest_s=0.5, fault='nic_down')"
        ),
    ),
    (
        lambda: evicted_between(JOB, "n2", 3, 4, fault="nic_down"),
        (
            "EvictedBetween(workload='work', kind='Job', node='n2', earliest_s=3, latest_s=4,"
            " fault='nic_down')"
        ),
    ),
    (
        lambda: evicted_between(JOB, "n2", 3, 4, fault="nic_down", kind="StatefulSet"),
        (
            "EvictedBetween(workload='work', kind='StatefulSet', node='n2', earliest_s=3,"
            " latest_s=4, fault='nic_down')"
        ),
    ),
    (
        lambda: evictions_stop("Deployment web", ["Node n1", "n2"], at_least_s=3),
        (
            "EvictionsStop(workload='web', kind='Deployment', nodes=('n1', 'n2'),"
            " fault='nic_down', at_least_s=3)"
        ),
    ),
    (
        lambda: evictions_stop(JOB, ["n1"], at_least_s=3, fault="loss", kind="StatefulSet"),
        (
            "EvictionsStop(workload='work', kind='StatefulSet', nodes=('n1',), fault='loss',"
            " at_least_s=3)"
        ),
    ),
    (
        lambda: evictions_wait("PodDisruptionBudget web", at_least_s=0.5),
        "EvictionsWait(budget='web', at_least_s=0.5)",
    ),
    (
        lambda: moves_off_within(9, "Deployment web", "Node n2", fault="nic_down"),
        (
            "MovesOffWithin(workload='web', kind='Deployment', node='n2', at_most_s=9,"
            " fault='nic_down')"
        ),
    ),
    (
        lambda: moves_off_within(9, JOB, "n2", fault="nic_down", kind="StatefulSet"),
        (
            "MovesOffWithin(workload='work', kind='StatefulSet', node='n2', at_most_s=9,"
            " fault='nic_down')"
        ),
    ),
    (
        lambda: moves_off_within(9, JOB, "n2", fault="nic_down"),
        ("MovesOffWithin(workload='work', kind='Job', node='n2', at_most_s=9, fault='nic_down')"),
    ),
    (
        lambda: evictions_stop(JOB, ["n1"], at_least_s=3),
        (
            "EvictionsStop(workload='work', kind='Job', nodes=('n1',), fault='nic_down',"
            " at_least_s=3)"
        ),
    ),
    (
        lambda: no_container_restarted(JOB),
        "NoContainerRestarted(workload='work', kind='Job', outside=None)",
    ),
    (
        lambda: no_surplus_after(9, JOB, fault="nic_down"),
        "NoSurplusAfter(workload='work', kind='Job', at_most_s=9, fault='nic_down')",
    ),
    (
        lambda: not_evicted(JOB, "n2", fault="pause", at_least_s=30),
        "NotEvicted(workload='work', kind='Job', node='n2', at_least_s=30, fault='pause')",
    ),
    (lambda: only_images(["a"], JOB), "OnlyImages(workload='work', kind='Job', images=('a',))"),
    (
        lambda: pods_evicted_within(JOB, ["n1"], not_before_s=1, at_most_s=2),
        (
            "PodsEvictedWithin(workload='work', kind='Job', nodes=('n1',), fault='nic_down',"
            " not_before_s=1, at_most_s=2)"
        ),
    ),
    (
        lambda: pods_stay(JOB, {"v1": 5}, phase="canary"),
        "PodsStay(workload='work', kind='Job', versions={'v1': 5}, phase='canary')",
    ),
    (
        lambda: recovers_within(9, JOB),
        "RecoversWithin(workload='work', kind='Job', at_most_s=9, after='healed', fault=None)",
    ),
    (
        lambda: restarts_back_off(JOB),
        (
            "RestartsBackOff(workload='work', kind='Job', first_s=10.0, most_s=300.0,"
            " sync_slack_s=15.0)"
        ),
    ),
    (
        lambda: same_pods_come_back(9, JOB, "n2", fault="pause"),
        (
            "SamePodsComeBack(workload='work', kind='Job', node='n2', restarts=0, at_most_s=9,"
            " fault='pause')"
        ),
    ),
    (
        lambda: termination_in_order(JOB),
        "TerminationInOrder(workload='work', kind='Job', kubelet_slack_s=2.0, clean_up_s=5.0)",
    ),
    (lambda: never_made_again("Pod lone"), "NeverMadeAgain(pod='lone', at_least_s=5.0)"),
    (lambda: never_made_again("lone", at_least_s=6), "NeverMadeAgain(pod='lone', at_least_s=6)"),
    (
        lambda: no_container_restarted("Deployment web"),
        "NoContainerRestarted(workload='web', kind='Deployment', outside=None)",
    ),
    (
        lambda: no_container_restarted(JOB, kind="StatefulSet", outside="kill"),
        "NoContainerRestarted(workload='work', kind='StatefulSet', outside='kill')",
    ),
    (
        lambda: no_surplus_after(9, "Deployment web", fault="nic_down"),
        "NoSurplusAfter(workload='web', kind='Deployment', at_most_s=9, fault='nic_down')",
    ),
    (
        lambda: no_surplus_after(9, JOB, fault="nic_down", kind="StatefulSet"),
        "NoSurplusAfter(workload='work', kind='StatefulSet', at_most_s=9, fault='nic_down')",
    ),
    (
        lambda: node_not_ready_within("Node n2", 50),
        "NodeNotReadyWithin(node='n2', at_most_s=50, fault='nic_down')",
    ),
    (
        lambda: node_not_ready_within("n2", 50, fault="pause"),
        "NodeNotReadyWithin(node='n2', at_most_s=50, fault='pause')",
    ),
    (
        lambda: node_reason_shown(
            "Node n2", "KubeletNotReady", message="down", within_s=5, fault="kill"
        ),
        (
            "NodeReasonShown(node='n2', reason='KubeletNotReady', words=('down',), within_s=5,"
            " fault='kill')"
        ),
    ),
    (
        lambda: node_reason_shown(
            "n2", "KubeletNotReady", message=["a", "b"], within_s=5, fault="kill"
        ),
        (
            "NodeReasonShown(node='n2', reason='KubeletNotReady', words=('a', 'b'), within_s=5,"
            " fault='kill')"
        ),
    ),
    (lambda: nodes_stay_ready("Node n1", "n2"), "NodesStayReady(nodes=('n1', 'n2'), through=None)"),
    (
        lambda: nodes_stay_ready("n1", through="loss"),
        "NodesStayReady(nodes=('n1',), through='loss')",
    ),
    (
        lambda: not_evicted("Deployment web", "Node n2", fault="pause", at_least_s=30),
        ("NotEvicted(workload='web', kind='Deployment', node='n2', at_least_s=30, fault='pause')"),
    ),
    (
        lambda: not_evicted(JOB, "n2", fault="pause", at_least_s=30, kind="StatefulSet"),
        (
            "NotEvicted(workload='work', kind='StatefulSet', node='n2', at_least_s=30,"
            " fault='pause')"
        ),
    ),
    (lambda: nothing_bound("Node n2", fault="pause"), "NothingBound(node='n2', fault='pause')"),
    (lambda: nothing_starts("Node n2", fault="pause"), "NothingStarts(node='n2', fault='pause')"),
    (lambda: one_per_node("DaemonSet agent"), "OnePerNode(daemon_set='agent')"),
    (
        lambda: only_images(["b", "a"], "Deployment web"),
        "OnlyImages(workload='web', kind='Deployment', images=('b', 'a'))",
    ),
    (
        lambda: only_images(["a"], JOB, kind="StatefulSet"),
        "OnlyImages(workload='work', kind='StatefulSet', images=('a',))",
    ),
    (
        lambda: ordinary_delete_sticks("Pod kv-1"),
        "OrdinaryDeleteSticks(pod='kv-1', at_least_s=3.0)",
    ),
    (
        lambda: ordinary_delete_sticks("kv-1", at_least_s=4),
        "OrdinaryDeleteSticks(pod='kv-1', at_least_s=4)",
    ),
    (
        lambda: pods_evicted_within(
            "Deployment web", ["Node n1", "n2"], not_before_s=1, at_most_s=2
        ),
        (
            "PodsEvictedWithin(workload='web', kind='Deployment', nodes=('n1', 'n2'),"
            " fault='nic_down', not_before_s=1, at_most_s=2)"
        ),
    ),
    (
        lambda: pods_evicted_within(
            JOB, ["n1"], not_before_s=1, at_most_s=2, fault="loss", kind="StatefulSet"
        ),
        (
            "PodsEvictedWithin(workload='work', kind='StatefulSet', nodes=('n1',), fault='loss',"
            " not_before_s=1, at_most_s=2)"
        ),
    ),
    (
        lambda: pods_stay("Deployment web", {"v1": 5, "v2": 1}, phase="canary"),
        (
            "PodsStay(workload='web', kind='Deployment', versions={'v1': 5, 'v2': 1},"
            " phase='canary')"
        ),
    ),
    (
        lambda: pods_stay(JOB, {"v1": 5}, phase="canary", kind="StatefulSet"),
        "PodsStay(workload='work', kind='StatefulSet', versions={'v1': 5}, phase='canary')",
    ),
    (
        lambda: ready_endpoints_stay("Service web", {"v1": 5, "v2": 1}, phase="canary"),
        "ReadyEndpointsStay(service='web', versions={'v1': 5, 'v2': 1}, phase='canary')",
    ),
    (
        lambda: reason_shown("Deployment web", "ErrImagePull"),
        (
            "ReasonShown(workload='web', kind='Deployment', reasons=('ErrImagePull',), words=(),"
            " also=(), within_s=30.0, after='set_image')"
        ),
    ),
    (
        lambda: reason_shown(JOB, "A", "B", message="m", also=["x"], within_s=2, after="scale"),
        (
            "ReasonShown(workload='work', kind='Job', reasons=('A', 'B'), words=('m',),"
            " also=('x',), within_s=2, after='scale')"
        ),
    ),
    (
        lambda: recovers_within(9, "Deployment web"),
        (
            "RecoversWithin(workload='web', kind='Deployment', at_most_s=9, after='healed',"
            " fault=None)"
        ),
    ),
    (
        lambda: recovers_within(9, JOB, kind="StatefulSet", after="healed", fault="loss"),
        (
            "RecoversWithin(workload='work', kind='StatefulSet', at_most_s=9, after='healed',"
            " fault='loss')"
        ),
    ),
    (
        lambda: restarts_back_off("Deployment web"),
        (
            "RestartsBackOff(workload='web', kind='Deployment', first_s=10.0, most_s=300.0,"
            " sync_slack_s=15.0)"
        ),
    ),
    (
        lambda: restarts_back_off(JOB, kind="StatefulSet", first_s=1, most_s=1, sync_slack_s=0.5),
        (
            "RestartsBackOff(workload='work', kind='StatefulSet', first_s=1, most_s=1,"
            " sync_slack_s=0.5)"
        ),
    ),
    (
        lambda: runs_untouched(9, "Pod lone"),
        (
            "RunsUntouched(workload='lone', kind='Deployment', at_most_s=9, after='healed',"
            " fault=None)"
        ),
    ),
    (
        lambda: runs_untouched(9, JOB, after="healed", fault="loss"),
        ("RunsUntouched(workload='work', kind='Job', at_most_s=9, after='healed', fault='loss')"),
    ),
    (
        lambda: same_pods_come_back(9, "Deployment web", "Node n2", fault="pause"),
        (
            "SamePodsComeBack(workload='web', kind='Deployment', node='n2', restarts=0,"
            " at_most_s=9, fault='pause')"
        ),
    ),
    (
        lambda: same_pods_come_back(9, JOB, "n2", fault="pause", restarts=1, kind="StatefulSet"),
        (
            "SamePodsComeBack(workload='work', kind='StatefulSet', node='n2', restarts=1,"
            " at_most_s=9, fault='pause')"
        ),
    ),
    (
        lambda: steps_fail("scale", "Deployment web", fault="etcd_stop"),
        "StepsFail(step='scale', target='web', fault='etcd_stop')",
    ),
    (
        lambda: termination_in_order("Deployment web"),
        (
            "TerminationInOrder(workload='web', kind='Deployment', kubelet_slack_s=2.0,"
            " clean_up_s=5.0)"
        ),
    ),
    (
        lambda: termination_in_order(JOB, kind="StatefulSet", kubelet_slack_s=0.5, clean_up_s=0.6),
        (
            "TerminationInOrder(workload='work', kind='StatefulSet', kubelet_slack_s=0.5,"
            " clean_up_s=0.6)"
        ),
    ),
]


def test_what_is_claimed_is_what_was_asked_for() -> None:
    for make, claimed in CLAIMED:
        assert repr(make()) == claimed
