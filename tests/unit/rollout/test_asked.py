"""What `chaoskit rollout` is asked for, and where its requests go in."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from chaoskit import cli
from chaoskit.cli.rollout import command
from chaoskit.cluster.archives import full_name, images_in
from chaoskit.errors import UsageError
from chaoskit.rollout import sources, throw_away
from chaoskit.rollout.asked import change_of, workload_ref
from chaoskit.rollout.entry import entry_of
from chaoskit.rollout.facts import WorkloadFacts
from chaoskit.workloads import manifest
from tests.unit.rollout.manifests import (
    Object,
    budget,
    changed,
    service,
    sound_deployment,
    sound_stateful_set,
)


@pytest.mark.parametrize(
    "text, seen",
    [
        ("deploy/web", "Deployment shop/web"),
        ("Deployment/web", "Deployment shop/web"),
        ("statefulset.apps/kv", "StatefulSet shop/kv"),
        ("ds/agent", "DaemonSet shop/agent"),
    ],
)
def test_workloads_are_named_as_kubectl_names_them(text: str, seen: str) -> None:
    assert str(workload_ref(text, "shop")) == seen


@pytest.mark.parametrize("text", ["web", "pod/web", "deployment/", "job/web"])
def test_what_is_not_rolled_out_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="KIND/NAME"):
        workload_ref(text, "shop")


def test_an_image_may_have_a_port_a_digest_and_no_container() -> None:
    change = change_of(["web=reg.local:5000/web@sha256:abc"], [], restart=False)
    assert change.images == {"web": "reg.local:5000/web@sha256:abc"}
    assert change_of(["reg.local:5000/web:v2"], [], restart=False).images == {
        "": "reg.local:5000/web:v2"
    }


@pytest.mark.parametrize(
    "images, to, restart",
    [([], [], False), (["a=b"], ["c"], False), (["b"], [], True), (["a=b=c"], [], False),
     (["b", "a=c"], [], False)],
)  # fmt: skip
def test_one_change_at_a_time(images: list[str], to: list[str], restart: bool) -> None:
    with pytest.raises(UsageError):
        change_of(images, to, restart=restart)


def facts(*services: Object, of: Object | None = None) -> WorkloadFacts:
    return WorkloadFacts(of or sound_deployment(), services)


def test_a_service_with_a_node_port_is_used_as_it_is() -> None:
    entry = entry_of(facts(service(type="NodePort")), None, None)
    assert (entry.name, entry.twin) == ("web", None)


def test_a_cluster_address_gets_a_twin_that_selects_the_same_pods() -> None:
    entry = entry_of(facts(service(sessionAffinity="ClientIP")), None, None)
    assert entry.twin is not None
    spec = entry.twin["spec"]
    assert (entry.name, spec["type"]) == ("web-chaoskit", "NodePort")
    assert (spec["selector"], spec["sessionAffinity"]) == ({"app": "web"}, "ClientIP")
    assert spec["ports"][0]["targetPort"] == "http"


def test_from_inside_a_service_is_reached_as_it_is() -> None:
    ports = [{"name": "http", "port": 80}, {"name": "admin", "port": 9}]
    beside = facts(service(type="NodePort", clusterIP="10.43.0.9", ports=ports))
    entry = entry_of(beside, None, "admin", is_inside=True)
    assert (entry.name, entry.port, entry.twin, entry.is_inside) == ("web", "admin", None, True)
    assert "at its cluster address" in str(entry)
    headless = entry_of(facts(service(clusterIP="None")), None, None, is_inside=True)
    assert headless.twin is not None
    assert not headless.is_inside


def test_a_second_port_goes_through_a_twin() -> None:
    ports = [{"name": "metrics", "port": 9090}, {"name": "http", "port": 80, "targetPort": 8080}]
    entry = entry_of(facts(service(type="NodePort", ports=ports)), None, None)
    assert entry.twin is not None
    assert entry.twin["spec"]["ports"][0]["port"] == 80


def test_the_headless_service_of_members_is_not_for_clients() -> None:
    head = changed(service(clusterIP="None"), "metadata.name", "web-members")
    entry = entry_of(facts(head, service(), of=sound_stateful_set()), None, None)
    assert entry.service == "web"


@pytest.mark.parametrize(
    "services, service_name, port, seen",
    [
        ([], None, None, "no Service selects"),
        ([service(), changed(service(), "metadata.name", "b")], None, None, "more than one"),
        ([service()], "other", None, "no Service other"),
        ([service()], None, "9090", "no TCP port 9090"),
    ],
)
def test_what_cannot_be_reached_is_named(
    services: list[Object], service_name: str | None, port: str | None, seen: str
) -> None:
    with pytest.raises(UsageError, match=seen):
        entry_of(facts(*services), service_name, port)


def test_a_folder_is_read_as_kubectl_reads_it(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(json.dumps(service()))
    (tmp_path / "a.yml").write_text(json.dumps(sound_deployment()))
    (tmp_path / "notes.txt").write_text("not: [yaml")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "c.yaml").write_text("{")
    read = sources.read([str(tmp_path)], "shop", lambda: "")
    assert [each.ref.kind for each in read.manifests] == ["Deployment", "Service"]


def test_another_namespace_and_a_kustomization_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(json.dumps(sound_deployment()))
    with pytest.raises(UsageError, match="another namespace"):
        sources.read([str(file)], "other", lambda: "")
    (tmp_path / "kustomization.yaml").write_text("resources: [a.yaml]")
    with pytest.raises(UsageError, match="kubectl kustomize"):
        sources.read([str(tmp_path)], "shop", lambda: "")


def test_what_others_need_is_applied_first() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    text = "\n---\n".join(map(json.dumps, [sound_deployment(), service(), secret]))
    ordered = throw_away.in_order(manifest.parse(text, Path("x")))
    assert [each.content["kind"] for each in ordered] == ["Secret", "Service", "Deployment"]


def test_nodes_that_pull_nothing_get_a_policy_and_that_is_said() -> None:
    moving = changed(sound_deployment(), "spec.template.spec.containers.0.image", "web")
    said: list[str] = []
    (each,) = throw_away.adapted(manifest.parse(json.dumps(moving), Path("x")), said.append)
    container = each.content["spec"]["template"]["spec"]["containers"][0]
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert "IfNotPresent for web" in said[0]
    sound = manifest.parse(json.dumps(sound_deployment()), Path("x"))
    assert throw_away.adapted(sound, said.append) == sound


def test_image_names_are_compared_in_full() -> None:
    assert full_name("web") == "docker.io/library/web:latest"
    assert full_name("me/web:v1") == "docker.io/me/web:v1"
    assert full_name("reg.local:5000/web") == "reg.local:5000/web:latest"
    assert full_name("localhost/web@sha256:0") == "localhost/web@sha256:0"


def test_the_images_of_an_archive(tmp_path: Path) -> None:
    file = tmp_path / "i.tar"
    listed = json.dumps([{"RepoTags": ["web:v1"]}, {"RepoTags": None}]).encode()
    with tarfile.open(file, "w") as tar:
        member = tarfile.TarInfo("manifest.json")
        member.size = len(listed)
        tar.addfile(member, io.BytesIO(listed))
    assert images_in(file) == ["web:v1"]
    file.write_text("no tar")
    with pytest.raises(UsageError, match="docker save"):
        images_in(file)


def dry_run(folder: Path, *more: str, objects: list[Object] | None = None) -> Any:
    file = folder / "all.json"
    items = objects or [sound_deployment(), service(), budget()]
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    arguments = ["deployment/web", "-n", "shop", "-f", str(file), "--dry-run", *more]
    return CliRunner().invoke(command, arguments, standalone_mode=False)


def test_a_dry_run_says_what_is_promised_and_needs_no_engine(tmp_path: Path) -> None:
    done = dry_run(tmp_path, "--image", "web:v2")
    assert done.return_value == 0
    assert "at most 4 pods, at least 3 available" in done.output
    assert "Images: web:v1, web:v2" in done.output


def test_a_missing_container_is_named(tmp_path: Path) -> None:
    done = dry_run(tmp_path, "--image", "wep=web:v2")
    assert isinstance(done.exception, UsageError)
    assert 'unable to find container named "wep"' in str(done.exception)
    assert "seen: web" in str(done.exception)


def test_a_wrong_call_ends_with_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["rollout", "deployment/web", "--image", "web:v2"]) == 2
    assert "--manifest" in capsys.readouterr().err


def test_a_change_that_changes_nothing_is_refused(tmp_path: Path) -> None:
    done = dry_run(tmp_path, "--image", "web:v1")
    assert isinstance(done.exception, UsageError)
    assert "nothing would be rolled out" in str(done.exception)
    assert dry_run(tmp_path, "--restart").return_value == 0
