"""Each rule finds what it is for, in manifests that are sound apart from it."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from chaoskit.cli.lint import command
from chaoskit.rollout.lint import _RULES, lint
from tests.unit.rollout.manifests import (
    Object,
    budget,
    changed,
    service,
    sound_deployment,
    sound_stateful_set,
)

CATALOGUE = Path(__file__).parents[3] / "scenarios" / "catalogue.toml"
CONTAINER = "spec.template.spec.containers.0"
PROBE = {"httpGet": {"path": "/ready", "port": "http"}}

#: Field of the sound Deployment, its value, and the one rule that then finds something.
BREAKS: list[tuple[str, Any, str]] = [
    (f"{CONTAINER}.readinessProbe", None, "no-readiness-probe"),
    (f"{CONTAINER}.livenessProbe", PROBE, "liveness-as-readiness"),
    (f"{CONTAINER}.lifecycle", None, "no-pre-stop-wait"),
    (f"{CONTAINER}.lifecycle.preStop", {"exec": {"command": ["sh", "-c", "sleep 30"]}},
     "pre-stop-over-grace"),
    (f"{CONTAINER}.resources", None, "no-resource-requests"),
    (f"{CONTAINER}.resources", {"requests": {"cpu": "1"}}, "no-resource-requests"),
    (f"{CONTAINER}.image", "host:5000/web", "moving-tag"),
    (f"{CONTAINER}.image", "web:latest", "moving-tag"),
    (f"{CONTAINER}.ports", [{"name": "http", "containerPort": 80, "hostPort": 80}], "host-port"),
    ("spec.template.spec.volumes", [{"name": "d", "hostPath": {"path": "/d"}}],
     "node-bound-volume"),
    ("spec.template.spec.topologySpreadConstraints", None, "may-share-a-node"),
    ("spec.strategy", {"type": "Recreate"}, "recreate"),
    ("spec.strategy.rollingUpdate.maxUnavailable", "100%", "all-unavailable"),
    ("spec.strategy.rollingUpdate", {"maxSurge": 0, "maxUnavailable": 0}, "no-room-to-roll"),
    ("spec.progressDeadlineSeconds", 5, "deadline-too-short"),
    ("spec.progressDeadlineSeconds", 2**31 - 1, "no-deadline"),
    ("spec.minReadySeconds", None, "no-min-ready"),
    ("spec.revisionHistoryLimit", 0, "no-undo"),
    ("spec.paused", True, "paused"),
]  # fmt: skip


def rules(objects: list[Object]) -> list[str]:
    return [one.rule for one in lint(objects)]


def around() -> list[Object]:
    return [service(), budget()]


@pytest.mark.parametrize("made", [sound_deployment(), sound_stateful_set()])
def test_nothing_is_found_in_sound_manifests(made: Object) -> None:
    assert lint([made, *around()]) == []


@pytest.mark.parametrize("field, value, rule", BREAKS)
def test_one_flaw_is_one_finding(field: str, value: Any, rule: str) -> None:
    found = rules([changed(sound_deployment(), field, value), *around()])
    # What makes every pod go at once also breaks the budget.
    assert found == [rule] or (found[0] == rule and set(found[1:]) == {"update-below-budget"})


def test_a_single_replica() -> None:
    one = changed(sound_deployment(), "spec.replicas", 1)
    assert rules([one, service()]) == ["single-replica"]


@pytest.mark.parametrize(
    "beside, rule",
    [
        ([service()], "no-budget"),
        ([service(), budget(minAvailable="100%")], "budget-blocks-drains"),
        ([budget()], "no-service"),
        ([service(publishNotReadyAddresses=True), budget()], "not-ready-addresses"),
        ([service(externalTrafficPolicy="Local"), budget()], "only-nodes-with-a-pod"),
    ],
)
def test_what_stands_beside_a_workload(beside: list[Object], rule: str) -> None:
    assert rules([sound_deployment(), *beside]) == [rule]


def test_an_update_does_not_ask_the_budget() -> None:
    two = changed(sound_deployment(), "spec.strategy.rollingUpdate.maxUnavailable", 2)
    assert rules([two, *around()]) == ["update-below-budget"]


def test_an_autoscaler_beside_replicas() -> None:
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
    }
    assert rules([sound_deployment(), *around(), scaler]) == ["replicas-beside-autoscaler"]


def test_a_claim_for_one_node_at_a_time_holds_a_rolling_update() -> None:
    volume = {"name": "d", "persistentVolumeClaim": {"claimName": "d"}}
    held = changed(sound_deployment(), "spec.template.spec.volumes", [volume])
    claim = {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "d", "namespace": "shop"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "local-path"},
    }
    assert rules([held, *around(), claim]) == ["one-node-claim", "node-bound-volume"]


def test_members_without_claims_and_on_delete() -> None:
    bare = changed(sound_stateful_set(), "spec.volumeClaimTemplates", None)
    bare = changed(bare, "spec.updateStrategy", {"type": "OnDelete"})
    assert rules([bare, *around()]) == ["on-delete", "members-without-claims"]


def test_a_bare_pod() -> None:
    template = sound_deployment()["spec"]["template"]
    template["metadata"] |= {"name": "web", "namespace": "shop"}
    pod = {"apiVersion": "v1", "kind": "Pod", **template}
    assert rules([pod, *around()]) == ["bare-pod"]


def test_a_service_of_another_namespace_is_none_of_it() -> None:
    elsewhere = changed(service(), "metadata.namespace", "other")
    assert rules([sound_deployment(), elsewhere, budget()]) == ["no-service"]


def test_every_row_that_a_finding_names_is_in_the_catalogue() -> None:
    rows = tomllib.loads(CATALOGUE.read_text())["rows"]
    broken = [[changed(sound_deployment(), field, value)] for field, value, _ in BREAKS]
    broken += [[changed(sound_stateful_set(), "spec.replicas", 1)]]
    found = [one for objects in broken for one in lint(objects)]
    assert len(_RULES) > 15
    assert {row for one in found for row in one.rows} <= rows.keys()


def test_the_command_reads_standard_input_and_leaves_hooks_out() -> None:
    hook = changed(sound_deployment(), "metadata.annotations", {"helm.sh/hook": "test"})
    text = "\n---\n".join(map(json.dumps, [sound_deployment(), *around(), hook]))
    done = CliRunner().invoke(command, ["-"], input=text, standalone_mode=False)
    assert done.exception is None
    assert (done.return_value, done.output.splitlines()[0][:8]) == (0, "left out")


def test_the_command_for_machines(tmp_path: Path) -> None:
    file = tmp_path / "web.json"
    flaw = changed(sound_deployment(), f"{CONTAINER}.image", "web")
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [flaw, *around()]}))
    done = CliRunner().invoke(command, [str(tmp_path), "--json"], standalone_mode=False)
    assert done.return_value == 1
    (found,) = json.loads(done.output)
    assert (found["rule"], found["rows"]) == ("moving-tag", ["R20"])
    assert found["subject"] == "Deployment shop/web"


SURGE = "spec.strategy.rollingUpdate"
HOST_PORT = [{"name": "http", "containerPort": 80, "hostPort": 80}]


@pytest.mark.parametrize(
    "fields",
    [
        # sleep(1) takes units; they are no other command
        {f"{CONTAINER}.lifecycle.preStop": {"exec": {"command": ["sleep", "5s"]}}},
        # what is set aside for the pod is set aside for its containers
        {
            f"{CONTAINER}.resources": None,
            "spec.template.spec.resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
        },
        # the old pod ends first, and leaves its host port to the new one
        {f"{CONTAINER}.ports": HOST_PORT, SURGE: {"maxSurge": 0, "maxUnavailable": 1}},
    ],
)
def test_what_is_sound_in_another_way_is_sound(fields: dict[str, Any]) -> None:
    made = sound_deployment()
    for field, value in fields.items():
        made = changed(made, field, value)
    assert rules([made, *around()]) == []


def test_a_budget_without_a_selector_selects_nothing_and_an_empty_one_everything() -> None:
    with_none, with_empty = changed(budget(), "spec.selector", None), budget()
    with_empty["spec"]["selector"] = {}
    assert rules([sound_deployment(), service(), with_none]) == ["no-budget"]
    assert rules([sound_deployment(), service(), with_empty]) == []


def test_a_stateful_set_is_not_told_to_set_what_it_has_not() -> None:
    made = sound_stateful_set()
    made["spec"]["updateStrategy"] = {"rollingUpdate": {"maxUnavailable": 0}}
    (one,) = [each for each in lint([made, *around()]) if each.rule == "no-room-to-roll"]
    assert one.remedy == "maxUnavailable: 1"
