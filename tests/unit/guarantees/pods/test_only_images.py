"""only_images: no pod of the workload runs what nobody named."""

import pytest

from chaoskit.errors import RecordError, UsageError
from chaoskit.guarantees import only_images
from chaoskit.guarantees.verdict import Outcome
from tests.corpus.objects import Object, deployment, pod, replica_set
from tests.corpus.rollouts import KINDS, NEW, OLD
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

BOTH = only_images(["app:v1", "app:v2"], "web")


def with_image(made: Object, **images: str) -> Object:
    containers = [{"name": name, "image": image} for name, image in images.items()]
    return {**made, "spec": {**made["spec"], "containers": containers}}


def rolled(new: Object) -> Story:
    story = Story().clock()
    story.watched(0, "Deployment", deployment(), "LISTED")
    story.watched(0, "ReplicaSet", replica_set("rs-1"), "LISTED")
    story.watched(0, "Pod", with_image(pod("old-0", of=OLD), app="app:v1"), "LISTED")
    story.watching(*KINDS, second=0.1)
    story.watched(10, "ReplicaSet", replica_set("rs-2", image="app:v2"), "ADDED")
    return story.watched(11, "Pod", new, "ADDED").watched(12, "Pod", new)


def test_named_images_hold_and_are_counted() -> None:
    verdict = verdict_on(BOTH, rolled(with_image(pod("new-0", of=NEW), app="app:v2")))
    assert verdict.outcome is Outcome.HELD
    assert verdict.coverage == {"pods with app:v1": 1, "pods with app:v2": 1}


def test_another_image_is_accused_once_where_it_first_stands() -> None:
    verdict = verdict_on(BOTH, rolled(with_image(pod("new-0", of=NEW), app="app:v3")))
    assert verdict.evidence.count == 1
    assert first(verdict) == (at(11), "container app of new-0 runs app:v3", ["new-0"])


def test_a_container_that_the_template_does_not_have_is_nobodys_promise() -> None:
    sidecar = with_image(pod("new-0", of=NEW), app="app:v2", mesh="mesh:9")
    assert verdict_on(BOTH, rolled(sidecar)).outcome is Outcome.HELD


def test_nothing_on_record_is_unknown() -> None:
    good = rolled(with_image(pod("new-0", of=NEW), app="app:v2"))
    for story in (Story(), good.gap("Pod", 20, "uid-never-seen")):
        assert verdict_on(BOTH, story).outcome is Outcome.UNKNOWN


def test_a_pod_without_containers_is_malformed() -> None:
    with pytest.raises(RecordError):
        verdict_on(BOTH, rolled(pod("new-0", of=NEW)))


def test_no_image_at_all_is_refused() -> None:
    with pytest.raises(UsageError):
        only_images([], "web")
