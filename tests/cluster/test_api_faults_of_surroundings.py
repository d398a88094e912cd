"""Configuration withdrawn, quotas lowered, clients killed, and the API away while healing."""

import threading

import pytest

from chaoskit.cluster.node_process import NodeProcess
from chaoskit.errors import ClusterError, FaultError
from chaoskit.faults import (
    ConfigMapWithdrawn,
    FinalizerStuck,
    NodeTainted,
    PodDeleted,
    QuotaLowered,
    RolloutClientKilled,
    SecretWithdrawn,
)
from chaoskit.faults.fault import Fault
from chaoskit.kube.kinds import Object
from chaoskit.kube.refusal import NotFound
from chaoskit.waiting import wait_until
from chaoskit.workloads import specimen_manifests
from tests.cluster.faults import elsewhere
from tests.cluster.faults.stage import Stage

pytestmark = [pytest.mark.long, pytest.mark.alone]  # workloads that go and recover

_SOON_S = 20.0
_GONE_S = 60.0
_READY_S = 60.0
_HEAL_AFTER_S = 120.0
_API_AWAY_S = 4.0

#: As `kubectl rolling-update` was: the client moves the counts, one by one, old + new = 3.
_ROLLING_UPDATE = """
kubectl="kubectl -n $1"
for n in 1 2 3; do
    $kubectl scale rc new --replicas=$n && sleep 1
    $kubectl scale rc old --replicas=$((3 - n)) && sleep 1
done
"""


def inject(stage: Stage, fault: Fault) -> None:
    fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    wait_until(lambda: fault.is_effective(stage.cluster), what="its effect", timeout_s=_SOON_S)


def created(stage: Stage, kind: str, name: str, **content: object) -> Object:
    metadata: Object = {
        "name": name,
        "namespace": stage.namespace.name,
        "labels": {"app": name},
        "annotations": {"example.org/why": 'quotes "and" lines\n'},
    }
    return stage.cluster.kube.create(
        {"apiVersion": "v1", "kind": kind, "metadata": metadata, **content}
    )


def essence(item: Object) -> Object:
    """All of an object but what the server gives each anew."""
    own = ("uid", "resourceVersion", "creationTimestamp", "managedFields")
    metadata = {key: value for key, value in item["metadata"].items() if key not in own}
    return {**item, "metadata": metadata}


def test_a_config_map_comes_back_whole(stage: Stage) -> None:
    kube, namespace = stage.cluster.kube, stage.namespace.name
    owner = created(stage, "ConfigMap", "owner")
    before = created(
        stage,
        "ConfigMap",
        "settings",
        data={"colour": "blue\n"},
        binaryData={"raw": "AAEC/w=="},
        immutable=True,
    )
    kube.patch(
        "ConfigMap",
        "settings",
        namespace,
        {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap",
         "name": "owner", "uid": owner["metadata"]["uid"]}]}},
    )  # fmt: skip
    before = kube.get("ConfigMap", "settings", namespace)
    fault = ConfigMapWithdrawn(namespace, "settings")
    inject(stage, fault)
    fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)  # again: the copy must stay
    assert "settings" not in {
        item["metadata"]["name"] for item in kube.list("ConfigMap", namespace, labels="app")
    }
    elsewhere.heal(fault, stage.cluster)
    assert essence(kube.get("ConfigMap", "settings", namespace)) == essence(before)
    assert _copies(stage, "ConfigMap") == []


def test_a_secret_comes_back_with_its_type(stage: Stage) -> None:
    kube, namespace = stage.cluster.kube, stage.namespace.name
    content = {"username": "one", "password": "two"}
    kind = "kubernetes.io/basic-auth"
    before = created(stage, "Secret", "login", stringData=content, type=kind)
    fault = SecretWithdrawn(namespace, "login")
    inject(stage, fault)
    elsewhere.heal(fault, stage.cluster)
    after = kube.get("Secret", "login", namespace)
    assert (after["type"], essence(after)) == (kind, essence(before))
    assert _copies(stage, "Secret") == []


def test_what_somebody_made_in_its_place_stays(stage: Stage) -> None:
    kube, namespace = stage.cluster.kube, stage.namespace.name
    created(stage, "ConfigMap", "settings", data={"colour": "blue"})
    fault = ConfigMapWithdrawn(namespace, "settings")
    inject(stage, fault)
    created(stage, "ConfigMap", "settings", data={"colour": "red"})
    assert not fault.is_effective(stage.cluster)
    fault.heal(stage.cluster)
    assert kube.get("ConfigMap", "settings", namespace)["data"] == {"colour": "red"}
    inject(stage, fault)
    fault.heal(stage.cluster)
    assert kube.get("ConfigMap", "settings", namespace)["data"] == {"colour": "red"}
    assert _copies(stage, "ConfigMap") == []


def test_what_is_withdrawn_is_what_somebody_wrote_last(stage: Stage) -> None:
    """Somebody writes it 30 times a second: the last write that succeeded is what comes back."""
    kube, namespace = stage.cluster.kube, stage.namespace.name
    created(stage, "ConfigMap", "settings", data={"count": "0"})
    written, over = [0], threading.Event()

    def write() -> None:
        while not over.wait(0.03):
            change: Object = {"data": {"count": str(written[0] + 1)}}
            try:
                kube.patch("ConfigMap", "settings", namespace, change)
            except NotFound:
                return  # it is withdrawn
            written[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    fault = ConfigMapWithdrawn(namespace, "settings")
    try:
        wait_until(lambda: written[0] > 3, what="some writes", timeout_s=_SOON_S)
        inject(stage, fault)
    finally:
        over.set()
        writer.join()
        fault.heal(stage.cluster)
    assert kube.get("ConfigMap", "settings", namespace)["data"] == {"count": str(written[0])}


def test_what_cannot_go_is_refused(stage: Stage) -> None:
    namespace = stage.namespace.name
    with pytest.raises(NotFound):
        ConfigMapWithdrawn(namespace, "none").inject(stage.cluster, heal_after_s=1)
    created(stage, "ConfigMap", "held")
    held = FinalizerStuck(namespace, "held", kind="ConfigMap")
    inject(stage, held)
    with pytest.raises(FaultError, match="has finalizers"):
        ConfigMapWithdrawn(namespace, "held").inject(stage.cluster, heal_after_s=1)
    held.heal(stage.cluster)


def test_nothing_is_left_to_heal_once_the_namespace_is_gone(stage: Stage) -> None:
    namespace = stage.namespace.name
    created(stage, "ConfigMap", "settings")
    created(stage, "Secret", "login")
    faults: list[Fault] = [
        ConfigMapWithdrawn(namespace, "settings"),
        SecretWithdrawn(namespace, "login"),
        QuotaLowered(namespace, {"services": "9"}),
        PodDeleted(namespace, stage.pod().name),
    ]
    for fault in faults:
        inject(stage, fault)
    stage.namespace.delete()
    for fault in faults:
        fault.heal(stage.cluster)
    stage.namespace.wait_gone(_GONE_S)
    for fault in faults:
        fault.heal(stage.cluster)
        assert not fault.is_effective(stage.cluster)


def test_only_values_that_are_still_ours_are_put_back(stage: Stage) -> None:
    kube, namespace = stage.cluster.kube, stage.namespace.name
    hard = {"pods": "10", "services": "5", "requests.cpu": "2"}
    created(stage, "ResourceQuota", "limits", spec={"hard": hard})
    ours = {"pods": "2", "services": "1", "requests.cpu": "0.5", "secrets": "7"}
    fault = QuotaLowered(namespace, ours, quota="limits")
    inject(stage, fault)
    fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)  # again: nothing changes
    lowered = kube.get("ResourceQuota", "limits", namespace)["spec"]["hard"]
    assert lowered == {"pods": "2", "services": "1", "requests.cpu": "500m", "secrets": "7"}
    with pytest.raises(FaultError, match="lowered already"):
        QuotaLowered(namespace, {"pods": "1"}, quota="limits").inject(
            stage.cluster, heal_after_s=_HEAL_AFTER_S
        )
    kube.patch("ResourceQuota", "limits", namespace, {"spec": {"hard": {"services": "3"}}})
    elsewhere.heal(fault, stage.cluster)
    after = kube.get("ResourceQuota", "limits", namespace)
    assert after["spec"]["hard"] == {"pods": "10", "services": "3", "requests.cpu": "2"}
    assert after["status"]["hard"] == after["spec"]["hard"]


def test_a_quota_that_we_made_goes_unless_somebody_took_it_over(stage: Stage) -> None:
    kube, namespace = stage.cluster.kube, stage.namespace.name
    fault = QuotaLowered(namespace, {"pods": "0"})
    inject(stage, fault)
    elsewhere.heal(fault, stage.cluster)
    assert kube.list("ResourceQuota", namespace) == []
    inject(stage, fault)
    change: Object = {"spec": {"hard": {"pods": "50"}}}
    kube.patch("ResourceQuota", "chaoskit-lowered", namespace, change)
    fault.heal(stage.cluster)
    (kept,) = kube.list("ResourceQuota", namespace)
    assert kept["spec"]["hard"] == {"pods": "50"}


def test_a_fault_is_healed_though_the_api_is_away_for_moments(stage: Stage) -> None:
    created(stage, "ConfigMap", "settings", data={"colour": "blue"})
    faults: list[Fault] = [
        ConfigMapWithdrawn(stage.namespace.name, "settings"),
        NodeTainted(stage.agent.name),
        PodDeleted(stage.namespace.name, stage.pod().name),
    ]
    for fault in faults:
        inject(stage, fault)
    server = stage.server
    server.execute(["k3s", "component", "stop", "kube-apiserver"], timeout_s=30)
    back = threading.Timer(
        _API_AWAY_S,
        lambda: server.execute(["k3s", "component", "start", "kube-apiserver"], timeout_s=30),
    )
    back.start()
    try:
        for fault in faults:
            fault.heal(stage.cluster)
            assert not fault.is_effective(stage.cluster)
    finally:
        back.join()
        for node in stage.cluster.nodes:  # kubelets that were not heard may count as lost
            node.wait_ready(timeout_s=_READY_S)


def test_what_a_killed_client_drove_stays_half_done(stage: Stage) -> None:
    kube, namespace = stage.cluster.kube, stage.namespace.name
    template = specimen_manifests.SpecimenPod(pre_stop_s=0, drain_s=0.0)
    for name, count in (("old", 3), ("new", 0)):
        spec: Object = {"replicas": count, "template": template.template({"app": name})}
        created(stage, "ReplicationController", name, spec=spec)

    def counts() -> tuple[int, int]:
        found = [kube.get("ReplicationController", name, namespace) for name in ("old", "new")]
        return found[0]["spec"]["replicas"], found[1]["spec"]["replicas"]

    client = NodeProcess(stage.server, f"update-{namespace}")
    client.start(["sh", "-c", _ROLLING_UPDATE, "sh", namespace])
    wait_until(lambda: sum(counts()) == 3 and counts()[1] >= 1, what="a step", timeout_s=_SOON_S)
    fault = RolloutClientKilled(stage.server.name, client.name)
    inject(stage, fault)
    half_done = counts()
    elsewhere.heal(fault, stage.cluster)
    assert half_done not in {(3, 0), (0, 3)}
    state = client.state()
    assert state is not None
    assert not state.is_living
    assert counts() == half_done
    with pytest.raises(ClusterError, match="has ended already"):
        fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)


def test_a_client_that_ended_by_itself_was_not_killed(stage: Stage) -> None:
    client = NodeProcess(stage.server, f"short-{stage.namespace.name}")
    fault = RolloutClientKilled(stage.server.name, client.name)
    with pytest.raises(ClusterError, match="never started"):
        fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    client.start(["sh", "-c", "echo done; exit 3"])
    wait_until(
        lambda: (state := client.state()) is not None and state.exit_code == 3,
        what="its end",
        timeout_s=_SOON_S,
    )
    assert client.log() == "done"
    with pytest.raises(ClusterError, match="has ended already"):
        fault.inject(stage.cluster, heal_after_s=_HEAL_AFTER_S)
    assert not fault.is_effective(stage.cluster)
    with pytest.raises(ClusterError, match="was not started"):
        client.start(["true"])
    client.forget()
    assert client.state() is None


def _copies(stage: Stage, kind: str) -> list[str]:
    found = stage.cluster.kube.list(kind, stage.namespace.name)
    return [n for item in found if (n := item["metadata"]["name"]).startswith("chaoskit-")]
