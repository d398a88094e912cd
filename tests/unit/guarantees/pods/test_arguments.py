"""What is claimed is what was asked for, and what cannot be claimed is refused: pods."""

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
from tests.corpus.verdicts import refused

#: A workload as scenarios hand it over.
JOB = SimpleNamespace(ref=SimpleNamespace(kind="Job", name="work"))


def test_what_is_claimed_is_what_was_asked_for() -> None:
    assert [
        repr(guarantee)
        for guarantee in (
            disruption_budget_respected(),
            disruption_budget_respected("PodDisruptionBudget web", lag_s=2),
            evicted_between("StatefulSet kv", "node n2", 0, 0.5, fault="nic_down"),
            evicted_between(JOB, "n2", 3, 4, fault="nic_down"),
            evicted_between(JOB, "n2", 3, 4, fault="nic_down", kind="StatefulSet"),
            evictions_stop("Deployment web", ["Node n1", "n2"], at_least_s=3),
            evictions_stop(JOB, ["n1"], at_least_s=3, fault="loss", kind="StatefulSet"),
            evictions_wait("PodDisruptionBudget web", at_least_s=0.5),
            moves_off_within(9, "Deployment web", "Node n2", fault="nic_down"),
            moves_off_within(9, JOB, "n2", fault="nic_down", kind="StatefulSet"),
            moves_off_within(9, JOB, "n2", fault="nic_down"),
            evictions_stop(JOB, ["n1"], at_least_s=3),
            no_container_restarted(JOB),
            no_surplus_after(9, JOB, fault="nic_down"),
            not_evicted(JOB, "n2", fault="pause", at_least_s=30),
            only_images(["a"], JOB),
            pods_evicted_within(JOB, ["n1"], not_before_s=1, at_most_s=2),
            pods_stay(JOB, {"v1": 5}, phase="canary"),
            recovers_within(9, JOB),
            restarts_back_off(JOB),
            same_pods_come_back(9, JOB, "n2", fault="pause"),
            termination_in_order(JOB),
            never_made_again("Pod lone"),
            never_made_again("lone", at_least_s=6),
            no_container_restarted("Deployment web"),
            no_container_restarted(JOB, kind="StatefulSet", outside="kill"),
            no_surplus_after(9, "Deployment web", fault="nic_down"),
            no_surplus_after(9, JOB, fault="nic_down", kind="StatefulSet"),
            node_not_ready_within("Node n2", 50),
            node_not_ready_within("n2", 50, fault="pause"),
            node_reason_shown(
                "Node n2", "KubeletNotReady", message="down", within_s=5, fault="kill"
            ),
            node_reason_shown(
                "n2", "KubeletNotReady", message=["a", "b"], within_s=5, fault="kill"
            ),
            nodes_stay_ready("Node n1", "n2"),
            nodes_stay_ready("n1", through="loss"),
            not_evicted("Deployment web", "Node n2", fault="pause", at_least_s=30),
            not_evicted(JOB, "n2", fault="pause", at_least_s=30, kind="StatefulSet"),
            nothing_bound("Node n2", fault="pause"),
            nothing_starts("Node n2", fault="pause"),
            one_per_node("DaemonSet agent"),
            only_images(["b", "a"], "Deployment web"),
            only_images(["a"], JOB, kind="StatefulSet"),
            ordinary_delete_sticks("Pod kv-1"),
            ordinary_delete_sticks("kv-1", at_least_s=4),
            pods_evicted_within("Deployment web", ["Node n1", "n2"], not_before_s=1, at_most_s=2),
            pods_evicted_within(
                JOB, ["n1"], not_before_s=1, at_most_s=2, fault="loss", kind="StatefulSet"
            ),
            pods_stay("Deployment web", {"v1": 5, "v2": 1}, phase="canary"),
            pods_stay(JOB, {"v1": 5}, phase="canary", kind="StatefulSet"),
            ready_endpoints_stay("Service web", {"v1": 5, "v2": 1}, phase="canary"),
            reason_shown("Deployment web", "ErrImagePull"),
            reason_shown(JOB, "A", "B", message="m", also=["x"], within_s=2, after="scale"),
            recovers_within(9, "Deployment web"),
            recovers_within(9, JOB, kind="StatefulSet", after="healed", fault="loss"),
            restarts_back_off("Deployment web"),
            restarts_back_off(JOB, kind="StatefulSet", first_s=1, most_s=1, sync_slack_s=0.5),
            runs_untouched(9, "Pod lone"),
            runs_untouched(9, JOB, after="healed", fault="loss"),
            same_pods_come_back(9, "Deployment web", "Node n2", fault="pause"),
            same_pods_come_back(9, JOB, "n2", fault="pause", restarts=1, kind="StatefulSet"),
            steps_fail("scale", "Deployment web", fault="etcd_stop"),
            termination_in_order("Deployment web"),
            termination_in_order(JOB, kind="StatefulSet", kubelet_slack_s=0.5, clean_up_s=0.6),
        )
    ] == [
        "DisruptionBudgetRespected(budget=None, lag_s=1.0)",
        "DisruptionBudgetRespected(budget='web', lag_s=2)",
        (
            "EvictedBetween(workload='kv', kind='Deployment', node='n2', earliest_s=0,"
            " latest_s=0.5, fault='nic_down')"
        ),
        (
            "EvictedBetween(workload='work', kind='Job', node='n2', earliest_s=3,"
            " latest_s=4, fault='nic_down')"
        ),
        (
            "EvictedBetween(workload='work', kind='StatefulSet', node='n2', earliest_s=3,"
            " latest_s=4, fault='nic_down')"
        ),
        (
            "EvictionsStop(workload='web', kind='Deployment', nodes=('n1', 'n2'),"
            " fault='nic_down', at_least_s=3)"
        ),
        (
            "EvictionsStop(workload='work', kind='StatefulSet', nodes=('n1',),"
            " fault='loss', at_least_s=3)"
        ),
        "EvictionsWait(budget='web', at_least_s=0.5)",
        (
            "MovesOffWithin(workload='web', kind='Deployment', node='n2', at_most_s=9,"
            " fault='nic_down')"
        ),
        (
            "MovesOffWithin(workload='work', kind='StatefulSet', node='n2', at_most_s=9,"
            " fault='nic_down')"
        ),
        ("MovesOffWithin(workload='work', kind='Job', node='n2', at_most_s=9, fault='nic_down')"),
        (
            "EvictionsStop(workload='work', kind='Job', nodes=('n1',), fault='nic_down',"
            " at_least_s=3)"
        ),
        "NoContainerRestarted(workload='work', kind='Job', outside=None)",
        "NoSurplusAfter(workload='work', kind='Job', at_most_s=9, fault='nic_down')",
        "NotEvicted(workload='work', kind='Job', node='n2', at_least_s=30, fault='pause')",
        "OnlyImages(workload='work', kind='Job', images=('a',))",
        (
            "PodsEvictedWithin(workload='work', kind='Job', nodes=('n1',),"
            " fault='nic_down', not_before_s=1, at_most_s=2)"
        ),
        "PodsStay(workload='work', kind='Job', versions={'v1': 5}, phase='canary')",
        ("RecoversWithin(workload='work', kind='Job', at_most_s=9, after='healed', fault=None)"),
        (
            "RestartsBackOff(workload='work', kind='Job', first_s=10.0, most_s=300.0,"
            " sync_slack_s=15.0)"
        ),
        (
            "SamePodsComeBack(workload='work', kind='Job', node='n2', restarts=0,"
            " at_most_s=9, fault='pause')"
        ),
        ("TerminationInOrder(workload='work', kind='Job', kubelet_slack_s=2.0, clean_up_s=5.0)"),
        "NeverMadeAgain(pod='lone', at_least_s=5.0)",
        "NeverMadeAgain(pod='lone', at_least_s=6)",
        "NoContainerRestarted(workload='web', kind='Deployment', outside=None)",
        "NoContainerRestarted(workload='work', kind='StatefulSet', outside='kill')",
        "NoSurplusAfter(workload='web', kind='Deployment', at_most_s=9, fault='nic_down')",
        ("NoSurplusAfter(workload='work', kind='StatefulSet', at_most_s=9, fault='nic_down')"),
        "NodeNotReadyWithin(node='n2', at_most_s=50, fault='nic_down')",
        "NodeNotReadyWithin(node='n2', at_most_s=50, fault='pause')",
        (
            "NodeReasonShown(node='n2', reason='KubeletNotReady', words=('down',),"
            " within_s=5, fault='kill')"
        ),
        (
            "NodeReasonShown(node='n2', reason='KubeletNotReady', words=('a', 'b'),"
            " within_s=5, fault='kill')"
        ),
        "NodesStayReady(nodes=('n1', 'n2'), through=None)",
        "NodesStayReady(nodes=('n1',), through='loss')",
        ("NotEvicted(workload='web', kind='Deployment', node='n2', at_least_s=30, fault='pause')"),
        (
            "NotEvicted(workload='work', kind='StatefulSet', node='n2', at_least_s=30,"
            " fault='pause')"
        ),
        "NothingBound(node='n2', fault='pause')",
        "NothingStarts(node='n2', fault='pause')",
        "OnePerNode(daemon_set='agent')",
        "OnlyImages(workload='web', kind='Deployment', images=('b', 'a'))",
        "OnlyImages(workload='work', kind='StatefulSet', images=('a',))",
        "OrdinaryDeleteSticks(pod='kv-1', at_least_s=3.0)",
        "OrdinaryDeleteSticks(pod='kv-1', at_least_s=4)",
        (
            "PodsEvictedWithin(workload='web', kind='Deployment', nodes=('n1', 'n2'),"
            " fault='nic_down', not_before_s=1, at_most_s=2)"
        ),
        (
            "PodsEvictedWithin(workload='work', kind='StatefulSet', nodes=('n1',),"
            " fault='loss', not_before_s=1, at_most_s=2)"
        ),
        (
            "PodsStay(workload='web', kind='Deployment', versions={'v1': 5, 'v2': 1},"
            " phase='canary')"
        ),
        ("PodsStay(workload='work', kind='StatefulSet', versions={'v1': 5}, phase='canary')"),
        "ReadyEndpointsStay(service='web', versions={'v1': 5, 'v2': 1}, phase='canary')",
        (
            "ReasonShown(workload='web', kind='Deployment', reasons=('ErrImagePull',),"
            " words=(), also=(), within_s=30.0, after='set_image')"
        ),
        (
            "ReasonShown(workload='work', kind='Job', reasons=('A', 'B'), words=('m',),"
            " also=('x',), within_s=2, after='scale')"
        ),
        (
            "RecoversWithin(workload='web', kind='Deployment', at_most_s=9,"
            " after='healed', fault=None)"
        ),
        (
            "RecoversWithin(workload='work', kind='StatefulSet', at_most_s=9,"
            " after='healed', fault='loss')"
        ),
        (
            "RestartsBackOff(workload='web', kind='Deployment', first_s=10.0,"
            " most_s=300.0, sync_slack_s=15.0)"
        ),
        (
            "RestartsBackOff(workload='work', kind='StatefulSet', first_s=1, most_s=1,"
            " sync_slack_s=0.5)"
        ),
        (
            "RunsUntouched(workload='lone', kind='Deployment', at_most_s=9,"
            " after='healed', fault=None)"
        ),
        ("RunsUntouched(workload='work', kind='Job', at_most_s=9, after='healed', fault='loss')"),
        (
            "SamePodsComeBack(workload='web', kind='Deployment', node='n2', restarts=0,"
            " at_most_s=9, fault='pause')"
        ),
        (
            "SamePodsComeBack(workload='work', kind='StatefulSet', node='n2', restarts=1,"
            " at_most_s=9, fault='pause')"
        ),
        "StepsFail(step='scale', target='web', fault='etcd_stop')",
        (
            "TerminationInOrder(workload='web', kind='Deployment', kubelet_slack_s=2.0,"
            " clean_up_s=5.0)"
        ),
        (
            "TerminationInOrder(workload='work', kind='StatefulSet', kubelet_slack_s=0.5,"
            " clean_up_s=0.6)"
        ),
    ]


def test_what_cannot_be_claimed_is_refused() -> None:
    assert [
        refused(make)
        for make in (
            lambda: evictions_stop("web", [], at_least_s=3),
            lambda: evictions_stop("web", ["n1"], at_least_s=0),
            lambda: pods_evicted_within("web", ["n1"], not_before_s=0, at_most_s=0),
            lambda: pods_evicted_within("web", [], not_before_s=1, at_most_s=2),
            lambda: reason_shown("web"),
            lambda: only_images([], "web"),
            lambda: pods_stay("web", {"v1": 0}, phase="canary"),
            lambda: ready_endpoints_stay("web", {"v1": -1}, phase="canary"),
            lambda: evictions_wait("web", at_least_s=0),
            lambda: termination_in_order("web", kubelet_slack_s=0),
            lambda: termination_in_order("web", clean_up_s=0),
            lambda: same_pods_come_back(9, "web", "n2", fault="pause", restarts=-1),
            lambda: evicted_between("web", "n2", 4, 3, fault="nic_down"),
            lambda: evicted_between("web", "n2", -1, 3, fault="nic_down"),
            lambda: restarts_back_off("web", first_s=0),
            lambda: restarts_back_off("web", most_s=0),
            lambda: restarts_back_off("web", sync_slack_s=0),
            lambda: restarts_back_off("web", first_s=2, most_s=1),
        )
    ] == [
        (
            "evictions_stop: claims nothing\n  seen: 0 nodes, 3 s\n  next: name nodes, and a"
            " time above 0"
        ),
        (
            "evictions_stop: claims nothing\n  seen: 1 nodes, 0 s\n  next: name nodes, and a"
            " time above 0"
        ),
        (
            "pods_evicted_within: claims nothing\n  seen: 1 nodes, 0 s\n  next: name nodes,"
            " and a time above 0"
        ),
        (
            "pods_evicted_within: claims nothing\n  seen: 0 nodes, 1 s\n  next: name nodes,"
            " and a time above 0"
        ),
        "reason_shown: names no reason\n  next: name one to expect",
        "only_images: names no image",
        "pods_stay's numbers: must be above 0\n  seen: {'v1': 0}",
        "ready_endpoints_stay's numbers: must be above 0\n  seen: {'v1': -1}",
        "evictions_wait: must be positive\n  seen: 0",
        "termination_in_order's kubelet_slack_s: must be positive\n  seen: 0",
        "termination_in_order's clean_up_s: must be positive\n  seen: 0",
        "same_pods_come_back's restarts: is negative\n  seen: -1",
        "evicted_between's times: are no span of time\n  seen: (4, 3)",
        "evicted_between's times: are no span of time\n  seen: (-1, 3)",
        "restarts_back_off's first_s: must be positive\n  seen: 0",
        "restarts_back_off's most_s: must not be below first_s\n  seen: 0",
        "restarts_back_off's sync_slack_s: must be positive\n  seen: 0",
        "restarts_back_off's most_s: must not be below first_s\n  seen: 1",
    ]
