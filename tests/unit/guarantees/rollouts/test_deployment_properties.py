"""All guarantees about Deployments on simulated histories: none accuses what upstream allows."""

import random
from collections.abc import Callable
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st

from chaoskit import guarantees as g
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.reader import History
from chaoskit.workloads.random_steps import RandomStep, drawn
from tests.corpus.deployment_run import DeploymentRun
from tests.corpus.examples import examples

#: Longer than any simulated rollout takes.
LONG_S = 600.0

ALL: tuple[Guarantee, ...] = (
    g.progress_deadline_reported("web"),
    g.revision_semantics("web"),
    g.undo_restores("web"),
    g.rollout_completes_within(LONG_S, "web"),
    g.rollout_outlives_its_client(LONG_S, "web"),
    g.only_new_pods_after_completion("web"),
    g.no_overlap_when_recreated("web"),
    g.nothing_rolls_while_paused("web"),
    g.min_ready_respected("web"),
    g.scaled_in_proportion("web"),
)

IMAGES = ("app:v1", "app:v2", "app:v3", "app:none")
BROKEN = ("app:none",)

Action = Callable[[DeploymentRun], None]


def image(name: str) -> Action:
    return lambda run: run.set_image(name)


def scale(replicas: int) -> Action:
    return lambda run: run.scale(replicas)


def hold(paused: bool) -> Action:
    return lambda run: run.pause(paused=paused)


def undo(to_revision: int | None) -> Action:
    return lambda run: run.undo(to_revision)


def delete(number: int) -> Action:
    return lambda run: run.delete_pod(number)


def flap(number: int) -> Action:
    return lambda run: run.flap(number)


changes = st.one_of(
    st.sampled_from(IMAGES).map(image),
    st.one_of(st.none(), st.integers(1, 6)).map(undo),
    st.integers(0, 9).map(delete),
)
scalings = st.integers(0, 8).map(scale)
disturbances = st.one_of(scalings, st.integers(0, 9).map(flap))
pauses = st.booleans().map(hold)
waits = st.sampled_from([0.0, 0.3, 2.0, 7.0, 40.0])


def plans(*acts: st.SearchStrategy[Action]) -> st.SearchStrategy[list[tuple[Action, float]]]:
    return st.lists(st.tuples(st.one_of(*acts), waits), min_size=1, max_size=7)


clusters = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10_000),
        "replicas": st.integers(1, 6),
        "history_limit": st.integers(0, 3),
        "min_ready_s": st.sampled_from([0, 0, 3]),
    }
)
bounds = st.sampled_from([(1, 0), (0, 1), (2, 1), ("25%", "25%"), ("100%", 0), (0, "60%")])


def carry_out(run: DeploymentRun, plan: list[tuple[Action, float]]) -> History:
    run.wait_complete()
    for act, seconds in plan:
        act(run)
        run.wait(seconds)
    run.wait(40)
    return run.history()


def accused_by(history: History, guarantees: tuple[Guarantee, ...]) -> list[str]:
    verdicts = [guarantee.check(history) for guarantee in guarantees]
    return [v.summary for v in verdicts if v.outcome is Outcome.VIOLATED]


@examples(60, slow_to_make=True)
@given(cluster=clusters, bound=bounds, plan=plans(changes, disturbances, pauses))
def test_no_valid_rolling_history_is_accused(
    cluster: dict[str, Any], bound: tuple[int | str, int | str], plan: list[tuple[Action, float]]
) -> None:
    surge, unavailable = bound
    run = DeploymentRun(
        surge=surge, unavailable=unavailable, deadline_s=20, broken=BROKEN, **cluster
    )
    assert accused_by(carry_out(run, plan), ALL) == []


@examples(40, slow_to_make=True)
@given(cluster=clusters, plan=plans(changes, disturbances))
def test_no_valid_recreated_history_is_accused(
    cluster: dict[str, Any], plan: list[tuple[Action, float]]
) -> None:
    run = DeploymentRun(strategy="Recreate", deadline_s=20, broken=BROKEN, **cluster)
    assert accused_by(carry_out(run, plan), ALL) == []


@examples(60, slow_to_make=True)
@given(cluster=clusters, bound=bounds, plan=plans(changes, pauses, scalings))
@example(  # a pod becomes available between the decision to take it away and its end
    cluster={"seed": 24, "replicas": 4, "min_ready_s": 3, "history_limit": 0},
    bound=(1, 0),
    plan=[(delete(0), 2.0), (image("app:v2"), 0.0), (image("app:v3"), 0.0)],
)
def test_no_valid_rolling_history_breaks_the_bounds(
    cluster: dict[str, Any], bound: tuple[int | str, int | str], plan: list[tuple[Action, float]]
) -> None:
    """Without pods that flap; those that scaling in mid-rollout takes are not charged."""
    surge, unavailable = bound
    run = DeploymentRun(surge=surge, unavailable=unavailable, broken=BROKEN, **cluster)
    assert accused_by(carry_out(run, plan), (g.rollout_bounds("web"),)) == []


def act_of(step: RandomStep) -> Action:
    """A step of a random plan, on the simulated Deployment."""
    match step.verb:
        case "set_image":
            return image(f"app:{step.argument}")
        case "scale":
            return scale(int(step.argument))
        case "delete":
            return delete(int(step.argument))
        case "undo":
            return undo(None)
    return hold(step.verb == "pause")


@examples(10, slow_to_make=True)
@given(seed=st.integers(0, 10_000))
def test_no_random_plan_is_accused(seed: int) -> None:
    """Of row R18, whose steps come upon one another."""
    run = DeploymentRun(seed=seed)
    plan = [(act_of(step), step.then_s) for step in drawn(random.Random(seed), 20)]
    history = carry_out(run, [*plan, (hold(False), 0.0)])
    guarantees = (g.rollout_bounds("web", max_surge=1, max_unavailable=0),)
    assert accused_by(history, (*guarantees, g.ends_complete("web", within_s=40))) == []
    assert g.ends_complete("web", within_s=40).check(history).outcome is Outcome.HELD


#: For each defect the guarantee that finds it, and the steps that bring it to light.
PLANTED: dict[str, tuple[Guarantee, tuple[Action, ...]]] = {
    "surges_one_too_many": (g.rollout_bounds("web"), (image("app:v2"),)),
    "takes_one_too_many": (g.rollout_bounds("web"), (image("app:v2"),)),
    "reports_too_early": (g.progress_deadline_reported("web"), (image("app:none"),)),
    "reports_too_late": (g.progress_deadline_reported("web"), (image("app:none"),)),
    "reports_never": (g.progress_deadline_reported("web"), (image("app:none"),)),
    "skips_a_number": (g.revision_semantics("web"), (image("app:v2"),)),
    "numbers_a_scale": (g.revision_semantics("web"), (image("app:v2"), scale(9))),
    "forgets_the_number_before": (g.revision_semantics("web"), (image("app:v2"), undo(None))),
    "makes_a_twin_set": (g.revision_semantics("web"), (image("app:v2"), undo(None))),
    "keeps_too_many_sets": (
        g.revision_semantics("web"),
        (image("app:v2"), image("app:v3"), image("app:v4")),
    ),
    "drops_sets_too_soon": (
        g.revision_semantics("web"),
        (image("app:v2"), image("app:v3"), image("app:v4")),
    ),
    "leaves_an_old_pod": (g.only_new_pods_after_completion("web"), (image("app:v2"),)),
}


@examples(100, slow_to_make=True)
@given(
    defect=st.sampled_from(sorted(PLANTED)),
    seed=st.integers(0, 10_000),
    replicas=st.integers(2, 6),
    bound=st.sampled_from([(1, 0), (2, 1), (1, "40%")]),
)
def test_one_planted_violation_is_always_found_and_named(
    defect: str, seed: int, replicas: int, bound: tuple[int | str, int | str]
) -> None:
    guarantee, acts = PLANTED[defect]
    surge, unavailable = bound
    if defect == "surges_one_too_many":
        unavailable = 0  # otherwise an old pod may make room for it in the same moment
    run = DeploymentRun(
        seed=seed,
        replicas=replicas,
        surge=surge,
        unavailable=unavailable,
        deadline_s=20,
        history_limit=2,
        broken=BROKEN,
        defect=defect,
    )
    # A pod that is taken away in its first second may not have been available to who decided.
    history = carry_out(run, [(hold(False), 3.0), *((act, 45.0) for act in acts)])
    if guarantee.name == "rollout_bounds":
        assume(run.controller.offence is not None)  # there was room for it
    verdict = guarantee.check(history)
    assert verdict.outcome is Outcome.VIOLATED, verdict.summary
    first = verdict.evidence.first
    assert first is not None
    assert first.objects
    if run.controller.offence is not None:
        offended_ns, name = run.controller.offence
        assert first.time_ns >= offended_ns
        assert name == "web" or name in first.objects
    if guarantee.name == "progress_deadline_reported":
        assert first.objects == ["web"]
    if guarantee.name not in ("rollout_bounds", "only_new_pods_after_completion"):
        others = tuple(each for each in ALL if each.name != guarantee.name)
        assert accused_by(history, others) == []
