"""pods_named_by_template: Deployment, hash of the template, five random characters."""

from chaoskit.guarantees import pods_named_by_template
from chaoskit.guarantees.verdict import Outcome
from tests.corpus.deployments import web
from tests.corpus.objects import Object, pod, replica_set
from tests.corpus.rollouts import KINDS
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

NAMED = pods_named_by_template("deployment/web")


def hashed_set(digest: str, name: str | None = None) -> Object:
    made = replica_set(name or f"web-{digest}")
    labels = {"app": "web", "pod-template-hash": digest}
    made["spec"]["template"]["metadata"]["labels"] = labels
    made["spec"]["selector"] = {"matchLabels": labels}
    return made


def named_pod(name: str, digest: str) -> Object:
    made = pod(name, of=("ReplicaSet", f"web-{digest}"))
    made["metadata"]["labels"] = {"app": "web", "pod-template-hash": digest}
    return made


def two_templates() -> Story:
    story = Story().watching(*KINDS).watched(1, "Deployment", web(), "ADDED")
    for second, digest in ((1, "6bb9c"), (5, "74fd8")):
        story.watched(second, "ReplicaSet", hashed_set(digest), "ADDED")
        story.watched(second + 1, "Pod", named_pod(f"web-{digest}-x2x4z", digest), "ADDED")
    return story


def test_names_and_labels_of_two_templates_hold() -> None:
    verdict = verdict_on(NAMED, two_templates())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage == {"pods": 2, "templates with pods": 2}


def test_a_pod_of_another_name_or_label_is_the_witness() -> None:
    other = two_templates().watched(8, "Pod", named_pod("web-74fd8-toolong", "74fd8"), "ADDED")
    assert first(verdict_on(NAMED, other))[::2] == (at(8), ["web-74fd8-toolong"])
    relabelled = named_pod("web-74fd8-x2x4z", "74fd8")
    relabelled["metadata"]["labels"]["pod-template-hash"] = "mine"
    story = two_templates().watched(8, "Pod", relabelled)
    assert "has the label 'mine'" in first(verdict_on(NAMED, story))[1]


def test_a_set_of_another_name_and_a_shared_hash_are_witnesses() -> None:
    story = two_templates().watched(8, "ReplicaSet", hashed_set("74fd8", "web-other"), "ADDED")
    verdict = verdict_on(NAMED, story)
    assert first(verdict)[2] == ["web-other"]
    assert verdict.evidence.count == 2


def test_one_template_alone_and_an_empty_record_are_unknown() -> None:
    one = Story().watching(*KINDS).watched(1, "Deployment", web(), "ADDED")
    for story in (Story(), one, two_templates().gap("Pod", 9, "uid-web-74fd8-x2x4z")):
        assert verdict_on(NAMED, story).outcome is Outcome.UNKNOWN
