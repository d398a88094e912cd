"""Rollout verbs against kubectl itself: two equal Deployments, one moved by each."""

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import KubernetesError
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object
from chaoskit.waiting import wait_until
from chaoskit.workloads import specimen, specimen_manifests, template
from chaoskit.workloads.deployment import Deployment
from chaoskit.workloads.namespace import Namespace
from chaoskit.workloads.revisions import REVISION, Revision
from chaoskit.workloads.stateful_set import StatefulSet

#: (exit code, what it said)
Kubectl = Callable[..., tuple[int, str]]
SAME = ("kubectl.kubernetes.io/last-applied-configuration", "kubectl.kubernetes.io/restartedAt")


class Pair(NamedTuple):
    """`ours` is moved by chaoskit, `theirs` by kubectl."""

    ours: Deployment
    theirs: Deployment


@pytest.fixture
def namespace(kube: Kube) -> Iterator[str]:
    made = Namespace.create(kube, "parity")
    yield made.name
    made.delete()


@pytest.fixture
def kubectl(cluster: Cluster, namespace: str) -> Kubectl:
    """The kubectl of the server's image: another version would compare other bytes."""
    server = next(node for node in cluster.nodes if node.role == "server")

    def run(*arguments: str) -> tuple[int, str]:
        done = server.execute(["kubectl", "-n", namespace, *arguments], timeout_s=30)
        return done.exit_code, done.stdout + done.stderr

    return run


@pytest.fixture
def pair(kube: Kube, namespace: str) -> Pair:
    def made(name: str) -> Deployment:
        manifests = specimen_manifests.web(namespace, name, replicas=1)
        deployment = specimen.start_web(kube, manifests).deployment
        # A template that is changed before the controller has seen the first is the first.
        deployment.wait_revision(1, timeout_s=15)
        return deployment

    return Pair(made("ours"), made("theirs"))


def wait_numbered(deployment: Deployment) -> list[Revision]:
    """Wait until the controller numbered the present template's ReplicaSet."""

    def attempt() -> list[Revision] | None:
        item, history = deployment.read(), deployment.history()
        current = item["metadata"].get("annotations", {}).get(REVISION)
        newest = history[-1] if history else None
        matches = newest is not None and template.equal(newest.template, item["spec"]["template"])
        return history if matches and newest and current == str(newest.number) else None

    return wait_until(attempt, what=f"the revision of {deployment.ref}", timeout_s=15)


def require_same(pair: Pair) -> list[int]:
    """Equal revisions, causes, templates and annotations; returns the revisions' numbers."""
    ours, theirs = (_comparable(deployment) for deployment in pair)
    assert ours == theirs
    numbers: list[int] = [number for number, *_ in ours["history"]]
    return numbers


def _comparable(deployment: Deployment) -> Object:
    history = wait_numbered(deployment)
    item = deployment.read()
    text = json.dumps(
        {
            "history": [(each.number, each.change_cause, each.template) for each in history],
            "template": item["spec"]["template"],
            "annotations": {
                key: value
                for key, value in item["metadata"]["annotations"].items()
                if key not in SAME
            },
            "paused": item["spec"].get("paused", False),
            "replicas": item["spec"]["replicas"],
        }
    )
    same: Object = json.loads(text.replace(f'"{deployment.ref.name}"', '"NAME"'))
    return same


def test_undo_moves_revisions_as_kubectl_does(pair: Pair, kubectl: Kubectl) -> None:
    """v1, v2, v3; undo; undo again; undo to a named one: the numbers of catalogue row R7."""
    assert require_same(pair) == [1]
    for version in ("v2", "v3"):
        assert pair.ours.set_image(specimen_manifests.image(version))
        kubectl("set", "image", "deployment/theirs", f"*={specimen_manifests.image(version)}")
        pair.ours.set_change_cause(f"to {version}")
        kubectl("annotate", "deployment/theirs", f"{template.CHANGE_CAUSE}=to {version}")
        wait_until(
            lambda cause=f"to {version}": all(  # type: ignore[misc]
                each.history()[-1].change_cause == cause for each in pair
            ),
            what="the change cause in both histories",
            timeout_s=10,
        )
    assert require_same(pair) == [1, 2, 3]
    for expected in ([1, 3, 4], [1, 4, 5]):
        done = pair.ours.undo()
        assert done.rolled_back
        assert done.text in kubectl("rollout", "undo", "deployment/theirs")[1]
        assert require_same(pair) == expected
    pair.ours.undo(1)
    kubectl("rollout", "undo", "deployment/theirs", "--to-revision=1")
    assert require_same(pair) == [4, 5, 6]


def test_what_kubectl_refuses_is_refused_in_its_words(pair: Pair, kubectl: Kubectl) -> None:
    pair.ours.set_image(specimen_manifests.image("v2"))
    kubectl("set", "image", "deployment/theirs", f"*={specimen_manifests.image('v2')}")
    require_same(pair)
    theirs = "deployment/theirs"
    refusals: list[tuple[Callable[[], object], list[str]]] = [
        (lambda: pair.ours.undo(7), ["rollout", "undo", theirs, "--to-revision=7"]),
        (pair.ours.resume, ["rollout", "resume", theirs]),
        (lambda: pair.ours.set_image("x:1", "db"), ["set", "image", theirs, "db=x:1"]),
    ]
    paused: list[tuple[Callable[[], object], list[str]]] = [
        (pair.ours.pause, ["rollout", "pause", theirs]),
        (pair.ours.undo, ["rollout", "undo", theirs]),
        (pair.ours.restart, ["rollout", "restart", theirs]),
    ]
    for verb, arguments in refusals:
        _require_refused(verb, kubectl, arguments)
    pair.ours.pause()
    kubectl("rollout", "pause", theirs)
    for verb, arguments in paused:
        _require_refused(verb, kubectl, arguments)
    assert require_same(pair) == [1, 2]
    pair.ours.resume()
    kubectl("rollout", "resume", theirs)
    assert require_same(pair) == [1, 2]


def _require_refused(verb: Callable[[], object], kubectl: Kubectl, arguments: list[str]) -> None:
    code, said = kubectl(*arguments)
    assert code != 0
    with pytest.raises(KubernetesError) as caught:
        verb()
    assert caught.value.problem in said


def test_skipped_rollback_reads_as_kubectls(pair: Pair, kubectl: Kubectl) -> None:
    pair.ours.set_image(specimen_manifests.image("v2"))
    kubectl("set", "image", "deployment/theirs", f"*={specimen_manifests.image('v2')}")
    require_same(pair)
    done = pair.ours.undo(2)
    assert not done.rolled_back
    assert done.text in kubectl("rollout", "undo", "deployment/theirs", "--to-revision=2")[1]
    assert require_same(pair) == [1, 2]


def test_restart_and_scale_count_as_kubectls_do(pair: Pair, kubectl: Kubectl) -> None:
    pair.ours.scale(2)
    kubectl("scale", "deployment/theirs", "--replicas=2")
    assert require_same(pair) == [1]
    pair.ours.restart()
    kubectl("rollout", "restart", "deployment/theirs")
    ours, theirs = ([each.number for each in wait_numbered(one)] for one in pair)
    assert ours == theirs == [1, 2]


def test_variables_are_set_as_kubectl_does(pair: Pair, kubectl: Kubectl) -> None:
    """A new variable, a changed one, and both at once: the same templates and revisions."""
    for number, variables in enumerate(({"NEW": "1"}, {"NEW": "2"}, {"NEW": "3", "OTHER": "x"}), 2):
        pair.ours.set_env(**variables)
        kubectl("set", "env", "deployment/theirs", *(f"{k}={v}" for k, v in variables.items()))
        for one in pair:
            one.wait_revision(number, timeout_s=10)
        assert require_same(pair) == list(range(1, number + 1))


def test_status_reads_as_kubectls(pair: Pair, kubectl: Kubectl) -> None:
    pair.ours.pause()
    pair.ours.wait_observed(10)

    def asked() -> tuple[str, str] | None:
        """What both say, unless it changed between the two questions."""
        before = pair.ours.status().text
        said = kubectl("rollout", "status", "deployment/ours", "--watch=false")[1]
        return (before.lower(), said.lower()) if before == pair.ours.status().text else None

    ours, theirs = wait_until(asked, what="a status that stays for a moment", timeout_s=30)
    assert ours in theirs


def test_stateful_set_undo_moves_revisions_as_kubectl_does(
    kube: Kube, namespace: str, kubectl: Kubectl
) -> None:
    def made(name: str) -> StatefulSet:
        manifests = specimen_manifests.kv(namespace, name, replicas=1)
        return specimen.start_kv(kube, manifests).stateful_set

    def wait_history(one: StatefulSet, numbers: list[int]) -> list[str]:
        def attempt() -> bool:
            return [each.number for each in one.history()] == numbers

        wait_until(attempt, what=f"{one.ref} {numbers}", timeout_s=10, seen=one.history)
        return images(one)

    def images(one: StatefulSet) -> list[str]:
        return [each.template["spec"]["containers"][0]["image"] for each in one.history()]

    def wait_newest(one: StatefulSet, version: str) -> None:
        wanted = specimen_manifests.image(version)
        wait_until(
            lambda: (images(one) or [""])[-1] == wanted,
            what=f"{one.ref} to have revision {version}",
            timeout_s=10,
        )

    ours, theirs = made("ours"), made("theirs")
    for one in (ours, theirs):  # a template that nobody has seen yet makes no revision
        wait_newest(one, "v1")
    for version in ("v2", "v3"):
        ours.set_image(specimen_manifests.image(version))
        kubectl("set", "image", "statefulset/theirs", f"*={specimen_manifests.image(version)}")
        wait_newest(ours, version)
        wait_newest(theirs, version)
    ours.undo()
    kubectl("rollout", "undo", "statefulset/theirs")
    assert wait_history(ours, [1, 3, 4]) == wait_history(theirs, [1, 3, 4])
    ours.undo(1)
    kubectl("rollout", "undo", "statefulset/theirs", "--to-revision=1")
    assert wait_history(ours, [3, 4, 5]) == wait_history(theirs, [3, 4, 5])
    done = ours.undo(5)
    assert not done.rolled_back
    said = kubectl("rollout", "undo", "statefulset/theirs", "--to-revision=5")[1]
    assert done.text in said


def test_a_member_answers_kubectl_as_it_answers_us(
    kube: Kube, namespace: str, kubectl: Kubectl
) -> None:
    """`kubectl get --raw` goes the way of the API server's proxy, too."""
    kv = specimen.start_kv(kube, specimen_manifests.kv(namespace, "kv", replicas=1))
    kv.pod(0).wait_ready(timeout_s=60)
    ours = kv.member(0).answer("/")
    code, said = kubectl("get", "--raw", ours.target)
    theirs = json.loads(said)
    assert code == 0
    assert (ours.pod, ours.pod_uid) == (theirs["pod"], theirs["pod_uid"])
    assert ours.hostname == theirs["hostname"] == "kv-0"
    looked = kv.member(0).look_up("kubernetes.default.svc.cluster.local")
    cluster_ip = kube.get("Service", "kubernetes", "default")["spec"]["clusterIP"]
    assert (looked.answers, looked.problem) == ([cluster_ip], "")
