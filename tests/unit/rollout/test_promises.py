"""What manifests promise of a rollout, and what they do not."""

import dataclasses
from dataclasses import replace
from typing import Any

import pytest

from chaoskit.guarantees.judge import encode
from chaoskit.guarantees.requests.availability import NoRequestLost
from chaoskit.rollout.asked import Change, Claims, change_of
from chaoskit.rollout.facts import WorkloadFacts
from chaoskit.rollout.promises import Rollout, judged, promises, why_not_zero
from chaoskit.rollout.workloads import changed
from tests.unit.rollout.manifests import (
    Object,
    budget,
    service,
    sound_deployment,
    sound_stateful_set,
)
from tests.unit.rollout.manifests import (
    changed as with_field,
)

NOTHING = Claims(at_least=None, zero_failures=False, versions=(), within_s=None)
V2 = change_of(["web:v2"], [], restart=False)


def rollout(content: Object, *, change: Change = V2, claims: Claims = NOTHING) -> Rollout:
    beside = [content, service(), budget()]
    before = WorkloadFacts(content, beside)
    after = WorkloadFacts(changed(content, change, before.ref, None), beside)
    return Rollout(before=before, after=after, change=change, claims=claims)


def names(content: Object, **more: Any) -> list[str]:
    return [spec.name for spec in encode(judged(promises(rollout(content, **more))))]


def test_all_that_a_sound_deployment_promises_is_judged() -> None:
    assert names(sound_deployment()) == [
        "rollout_bounds",
        "only_new_pods_after_completion",
        "no_request_lost",
        "only_images",
        "rollout_completes_within",
    ]


def test_users_of_a_locustfile_are_no_witnesses_of_new_connections() -> None:
    by_rate = rollout(sound_deployment())
    (asked,) = [one for one in judged(promises(by_rate)) if isinstance(one, NoRequestLost)]
    assert asked.stream is None
    by_users = dataclasses.replace(by_rate, by_users=True)
    (asked,) = [one for one in judged(promises(by_users)) if isinstance(one, NoRequestLost)]
    assert (asked.stream, asked.connection) == ("sampler new*", "new")


def test_figures_come_from_the_manifest() -> None:
    said = {each.says: each.guarantee for each in promises(rollout(sound_deployment()))}
    assert "at most 4 pods, at least 3 available" in said
    assert "complete within 60 s" in said
    assert "only web:v1, web:v2 run" in said
    unjudged = [text for text, guarantee in said.items() if guarantee is None]
    assert unjudged == ["an eviction leaves at least 2 of 3 healthy"]


@pytest.mark.parametrize(
    "field, value, reason",
    [
        ("spec.template.spec.containers.0.readinessProbe", None, "no readinessProbe"),
        ("spec.template.spec.containers.0.lifecycle", None, "no preStop wait"),
        ("spec.template.spec.terminationGracePeriodSeconds", 5, "grace period"),
        ("spec.strategy.rollingUpdate.maxUnavailable", "100%", "maxUnavailable"),
        ("spec.strategy", {"type": "Recreate"}, "Recreate"),
    ],
)
def test_zero_failures_are_promised_only_where_all_is_there(
    field: str, value: Any, reason: str
) -> None:
    flawed = with_field(sound_deployment(), field, value)
    (said,) = why_not_zero(WorkloadFacts(flawed, (service(),)))
    assert reason in said
    assert "no_request_lost" not in names(flawed)


def test_one_replica_with_the_default_bounds_keeps_one_available() -> None:
    """25 % of 1 is rounded down to none unavailable, and up to one more."""
    one = with_field(with_field(sound_deployment(), "spec.replicas", 1), "spec.strategy", None)
    assert WorkloadFacts(one).bounds == (1, 0)
    assert "no_request_lost" in names(one)


def test_members_and_recreation_have_promises_of_their_own() -> None:
    assert names(sound_stateful_set())[:3] == [
        "ordinals_in_order",
        "one_process_per_identity",
        "claims_stay",
    ]
    recreated = with_field(sound_deployment(), "spec.strategy", {"type": "Recreate"})
    assert names(recreated)[0] == "no_overlap_when_recreated"
    on_delete = with_field(sound_stateful_set(), "spec.updateStrategy", {"type": "OnDelete"})
    assert "rollout_completes_within" not in names(on_delete)


def test_what_cannot_be_seen_is_promised_and_not_judged() -> None:
    blind = replace(rollout(sound_stateful_set()), sees_nodes=False, sees_claims=False)
    unjudged = [
        {each.says for each in promises(one) if each.guarantee is None}
        for one in (blind, rollout(sound_stateful_set()))
    ]
    assert unjudged[0] - unjudged[1] == {
        "at no instant two processes of one member",
        "each member keeps its claim, and each claim its volume",
    }


def test_the_owners_own_claims_are_added() -> None:
    claims = Claims(at_least=0.999, zero_failures=True, versions=("v1", "v2"), within_s=30)
    asked = names(sound_deployment(), claims=claims)
    assert asked.count("no_request_lost") == 2
    assert {"availability", "only_versions"} <= set(asked)
    said = [each.says for each in promises(rollout(sound_deployment(), claims=claims))]
    assert "complete within 30 s" in said


def test_each_way_of_changing_has_the_step_that_the_record_will_show() -> None:
    steps = [
        change_of(["web:v2"], [], restart=False),
        change_of(["a=x:1", "b=y:1"], [], restart=False),
        change_of([], ["after.yaml"], restart=False),
        change_of([], [], restart=True),
    ]
    assert [each.step for each in steps] == ["set_image", "edit", "apply", "restart"]


def test_an_autoscaler_keeps_more_than_the_manifest_says() -> None:
    scaler = {
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"minReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "web"}},
    }
    free = with_field(sound_deployment(), "spec.replicas", None)
    assert WorkloadFacts(free).replicas == 1
    assert WorkloadFacts(free, (scaler,)).bounds == (1, 0)
    assert WorkloadFacts(free, (scaler,)).always_available == 5
