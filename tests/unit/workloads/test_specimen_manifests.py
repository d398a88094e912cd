"""The specimen's manifests: what scenarios rely on."""

from chaoskit.kube.kinds import Object, Objects
from chaoskit.workloads import specimen_manifests
from chaoskit.workloads.specimen_manifests import SpecimenPod


def only(manifests: Objects, kind: str) -> Object:
    [found] = [item for item in manifests if item["kind"] == kind]
    return found


def container(item: Object) -> Object:
    [found] = item["spec"]["template"]["spec"]["containers"]
    result: Object = found
    return result


def test_web_rolls_without_a_gap() -> None:
    deployment = only(specimen_manifests.web("shop", "web"), "Deployment")
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    built = container(deployment)
    assert built["image"] == "chaoskit/specimen:v1"
    assert built["lifecycle"]["preStop"]["exec"]["command"] == ["/specimen", "sleep", "3"]
    assert built["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert built["imagePullPolicy"] == "IfNotPresent"


def test_the_pod_says_who_it_is_and_the_image_which_version() -> None:
    environment = {
        item["name"]: item
        for item in container(only(specimen_manifests.web("s", "w"), "Deployment"))["env"]
    }
    fields = {
        name: environment[name]["valueFrom"]["fieldRef"]["fieldPath"]
        for name in ("POD_NAME", "POD_UID", "NODE_NAME")
    }
    assert fields == {
        "POD_NAME": "metadata.name",
        "POD_UID": "metadata.uid",
        "NODE_NAME": "spec.nodeName",
    }
    # It would outlive a changed image, and every answer would then name the wrong version.
    assert "SPECIMEN_VERSION" not in environment


def test_a_defective_one_has_its_settings_and_no_hook() -> None:
    pod = SpecimenPod(version="v2", pre_stop_s=0, settings={"SPECIMEN_DEFECTS": "ignore-term"})
    built = container(only(specimen_manifests.web("s", "w", pod=pod), "Deployment"))
    assert "lifecycle" not in built
    assert {"name": "SPECIMEN_DEFECTS", "value": "ignore-term"} in built["env"]


def test_web_has_more_labels_on_its_pods_and_what_they_need() -> None:
    pod = SpecimenPod(requests={"cpu": "900m"})
    manifests = specimen_manifests.web("shop", "web", labels={"shop": "front"}, pod=pod)
    deployment = only(manifests, "Deployment")
    assert deployment["spec"]["template"]["metadata"]["labels"]["shop"] == "front"
    assert deployment["spec"]["selector"]["matchLabels"] == {"app": "web"}
    assert only(manifests, "Service")["spec"]["selector"] == {"app": "web"}
    assert container(deployment)["resources"] == {"requests": {"cpu": "900m"}}
    assert "resources" not in container(only(specimen_manifests.web("s", "w"), "Deployment"))


def test_a_controller_selects_the_pods_that_it_makes() -> None:
    made = only(specimen_manifests.controller("shop", "web", replicas=3), "ReplicationController")
    labels = made["spec"]["template"]["metadata"]["labels"]
    assert made["spec"]["selector"].items() <= labels.items()
    assert made["spec"]["replicas"] == 3


def test_kv_has_a_service_for_each_member() -> None:
    manifests = specimen_manifests.kv("shop", "kv", replicas=2, storage_class="local-path")
    stateful_set = only(manifests, "StatefulSet")
    services = {item["metadata"]["name"]: item["spec"] for item in manifests[:-1]}
    assert set(services) == {"kv-members", "kv", "kv-0", "kv-1"}
    assert services["kv-members"]["clusterIP"] == "None"
    assert stateful_set["spec"]["serviceName"] == "kv-members"
    assert services["kv-1"]["selector"] == {
        "app": "kv",
        "statefulset.kubernetes.io/pod-name": "kv-1",
    }
    [claim] = stateful_set["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == "local-path"
    built = container(stateful_set)
    assert built["volumeMounts"] == [{"name": "data", "mountPath": "/data"}]
    assert {"name": "SPECIMEN_DATA", "value": "/data"} in built["env"]


def test_selectors_match_the_templates_labels() -> None:
    for manifests in (specimen_manifests.web("s", "w"), specimen_manifests.kv("s", "w")):
        for item in manifests:
            if "template" in item["spec"]:
                labels = item["spec"]["template"]["metadata"]["labels"]
                assert item["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_kv_without_a_storage_class_has_no_volumes() -> None:
    stateful_set = specimen_manifests.kv("shop", "kv", storage_class=None)[-1]
    assert "volumeClaimTemplates" not in stateful_set["spec"]
    assert "volumeMounts" not in container(stateful_set)
    assert "SPECIMEN_DATA" not in {each["name"] for each in container(stateful_set)["env"]}


def test_kv_retains_its_claims_unless_it_is_told_otherwise() -> None:
    asked = {"whenScaled": "Delete", "whenDeleted": "Retain"}
    key = "persistentVolumeClaimRetentionPolicy"
    assert key not in specimen_manifests.kv("shop", "kv")[-1]["spec"]
    assert specimen_manifests.kv("shop", "kv", retention=asked)[-1]["spec"][key] == asked
    [claim] = specimen_manifests.kv("shop", "kv")[-1]["spec"]["volumeClaimTemplates"]
    assert "app" not in claim["metadata"]["labels"], "the controller is to add it"


def test_a_daemon_has_a_service_and_no_number() -> None:
    manifests = specimen_manifests.daemon("shop", "daemon")
    made = only(manifests, "DaemonSet")
    assert "replicas" not in made["spec"]
    assert only(manifests, "Service")["spec"]["selector"] == made["spec"]["selector"]["matchLabels"]


def test_a_bare_pod_goes_where_it_is_told_or_anywhere() -> None:
    there = specimen_manifests.bare("shop", "bare", node="agent-0")
    assert there["spec"]["nodeSelector"] == {"kubernetes.io/hostname": "agent-0"}
    anywhere = specimen_manifests.bare("shop", "static")
    assert "nodeSelector" not in anywhere["spec"]
    assert anywhere["metadata"]["labels"]["app"] == "static"
    assert anywhere["spec"]["containers"][0]["name"] == specimen_manifests.CONTAINER


def test_a_budget_is_of_the_pods_of_its_workload() -> None:
    budget = specimen_manifests.budget("shop", "web", max_unavailable=2)
    deployment = only(specimen_manifests.web("shop", "web"), "Deployment")
    assert budget["spec"]["maxUnavailable"] == 2
    assert budget["spec"]["selector"] == deployment["spec"]["selector"]
