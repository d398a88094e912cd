"""disruption_budget_respected on simulated evictions: it accuses none that asked the budget."""

from hypothesis import given
from hypothesis import strategies as st

from chaoskit.guarantees import disruption_budget_respected
from chaoskit.guarantees.verdict import Outcome
from tests.corpus.budgets import Evictions
from tests.corpus.deployment_run import DeploymentRun
from tests.corpus.examples import examples
from tests.corpus.objects import Object

specs = st.sampled_from(
    [
        {"minAvailable": 2},
        {"minAvailable": "50%"},
        {"maxUnavailable": 1},
        {"maxUnavailable": "30%"},
        {"minAvailable": 0},
    ]
)
waits = st.sampled_from([0.0, 0.0, 0.3, 2.0, 7.0])


@examples(60, slow_to_make=True)
@given(
    seed=st.integers(0, 10_000),
    replicas=st.integers(1, 6),
    lag_s=st.sampled_from([0.0, 0.4]),
    policy=st.sampled_from([None, "IfHealthyBudget", "AlwaysAllow"]),
    spec=specs,
    plan=st.lists(
        st.tuples(st.sampled_from("eeeeisdf"), st.integers(0, 9), waits), min_size=1, max_size=10
    ),
)
def test_no_eviction_that_the_api_server_allows_is_accused(
    seed: int,
    replicas: int,
    lag_s: float,
    policy: str | None,
    spec: Object,
    plan: list[tuple[str, int, float]],
) -> None:
    run = DeploymentRun(seed=seed, replicas=replicas, broken=("app:v9",))
    run.wait_complete()
    evictions = Evictions(run, lag_s=lag_s, policy=policy, **spec)
    for what, number, seconds in plan:
        if what == "e":
            evictions.evict(number)
        elif what == "i":
            run.set_image(f"app:v{number}")
        elif what == "s":
            run.scale(number)
        elif what == "d":
            run.delete_pod(number)
        else:
            run.flap(number)
        run.wait(seconds)
    verdict = disruption_budget_respected().check(run.history())
    assert verdict.outcome is not Outcome.VIOLATED, verdict.summary


@examples(40, slow_to_make=True)
@given(
    seed=st.integers(0, 10_000),
    defect=st.sampled_from(["asks_no_budget", "forgets_approvals"]),
    spec=specs,
    plan=st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from([0.0, 3.0])), min_size=3, max_size=10
    ),
)
def test_an_api_server_that_evicts_too_many_is_caught(
    seed: int, defect: str, spec: Object, plan: list[tuple[int, float]]
) -> None:
    run = DeploymentRun(seed=seed, replicas=4)
    run.wait_complete()
    lag_s = 0.4 if defect == "forgets_approvals" else 0.0
    evictions = Evictions(run, lag_s=lag_s, defect=defect, **spec)
    for number, seconds in plan:
        evictions.evict(number)
        run.wait(seconds)
    verdict = disruption_budget_respected("web").check(run.history())
    if evictions.offence is None:
        assert verdict.outcome is not Outcome.VIOLATED, verdict.summary
    else:
        assert verdict.outcome is Outcome.VIOLATED, verdict.summary
        first = verdict.evidence.first
        assert first is not None
        assert (first.time_ns, first.objects[0]) == evictions.offence
