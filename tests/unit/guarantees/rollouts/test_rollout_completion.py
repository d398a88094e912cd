"""rollout_completes_within and rollout_outlives_its_client."""

from functools import partial

import pytest

from chaoskit.errors import RecordError, UsageError
from chaoskit.guarantees import rollout_completes_within, rollout_outlives_its_client
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import StepMark, WatchStarted
from chaoskit.history.reader import Damage, History
from tests.corpus.deployment_run import DeploymentRun
from tests.corpus.deployments import web
from tests.corpus.objects import Object, stateful_set
from tests.corpus.story import NAMESPACE, Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

check = partial(verdict_on, end_s=100)


def rolling(generation: int = 2, *, observed: bool = True) -> Object:
    """web on its way: one pod is missing yet."""
    made = web(image="app:v2", revision=2, generation=generation, complete=False)
    if not observed:
        made["status"] = web()["status"]
    return made


def rolled(generation: int = 2) -> Object:
    return web(image="app:v2", revision=2, generation=generation)


def stepped(*, end: str | None = "done") -> Story:
    """web gets another image at 10 s."""
    story = Story().watching("Deployment")
    story.watched(1, "Deployment", web(), "ADDED")
    story.step("set_image", "Deployment web", 10, end=end)  # type: ignore[arg-type]
    story.watched(10.05, "Deployment", rolling(observed=False))
    return story.watched(12, "Deployment", rolling())


def test_complete_in_time_late_or_never() -> None:
    guarantee = rollout_completes_within(20, "deployment/web")
    in_time = check(guarantee, stepped().watched(18, "Deployment", rolled()))
    assert in_time.outcome is Outcome.HELD, in_time.summary
    assert in_time.figures == {"rollout_s": 8.0}
    assert in_time.coverage == {"steps": 1, "rollouts judged": 1}
    late = check(guarantee, stepped().watched(34.5, "Deployment", rolled()))
    assert first(late) == (
        at(34.5),
        "web complete only 24.5 s after set_image",
        ["web"],
    )
    assert first(check(guarantee, stepped())) == (
        at(30),
        "web is not complete 20 s after set_image: 2 of 3 pods updated, 2 available, 3 in all",
        ["web"],
    )


def test_the_status_of_before_the_step_counts_for_nothing() -> None:
    story = Story().watching("Deployment")
    story.watched(1, "Deployment", web(), "ADDED")
    story.step("set_image", "Deployment web", 10)
    story.watched(10.01, "Deployment", web())
    stale = web(image="app:v2", generation=2)
    stale["status"]["observedGeneration"] = 1
    story.watched(10.05, "Deployment", stale)
    verdict = check(rollout_completes_within(20, "web"), story, end_s=25)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "the record ends too early" in verdict.summary


def test_an_overtaken_step_counts_for_the_last_only() -> None:
    guarantee = rollout_completes_within(20, "web")
    story = stepped().step("set_image", "Deployment web", 25)
    story.watched(25.05, "Deployment", rolling(3, observed=False))
    story.watched(44, "Deployment", rolled(3))
    verdict = check(guarantee, story)
    assert verdict.outcome is Outcome.HELD
    assert verdict.coverage == {"steps": 2, "rollouts judged": 1}
    assert verdict.figures == {"rollout_s": 19.0}
    by_another = check(guarantee, stepped().step("undo", "Deployment web", 25))
    assert by_another.outcome is Outcome.UNKNOWN
    assert "without being overtaken" in by_another.summary
    by_two = stepped().step("undo", "Deployment web", 25).step("scale", "Deployment web", 80)
    assert check(guarantee, by_two).outcome is Outcome.UNKNOWN
    too_late = check(guarantee, stepped().step("undo", "Deployment web", 31))
    assert first(too_late)[0] == at(30)
    annotated = stepped().step("annotate", "Deployment web", 25)
    assert first(check(guarantee, annotated))[0] == at(30)
    elsewhere = stepped().step("undo", "Deployment api", 25)
    assert first(check(guarantee, elsewhere))[0] == at(30)


def test_a_deployment_that_is_deleted_is_not_complete() -> None:
    story = stepped().watched(18, "Deployment", rolled(), "DELETED")
    assert first(check(rollout_completes_within(20, "web"), story))[0] == at(30)


def test_steps_that_change_nothing_or_fail_are_not_judged() -> None:
    story = Story().watching("Deployment").watched(1, "Deployment", web(), "ADDED")
    story.step("set_image", "Deployment web", 10)
    failed = stepped(end="failed").watched(18, "Deployment", rolled())
    for each in (story, failed):
        verdict = check(rollout_completes_within(20, "web"), each)
        assert verdict.outcome is Outcome.UNKNOWN
        assert "no step set_image changed web without being overtaken" in verdict.summary


def test_creation_is_a_rollout_too() -> None:
    story = Story().watching("Deployment").step("apply", "Deployment web", 1)
    story.watched(1.1, "Deployment", web(), "ADDED")
    verdict = check(rollout_completes_within(5, "web", step="apply"), story)
    assert verdict.outcome is Outcome.HELD


def kv(*, updated: int = 3, ready: int = 3, generation: int = 2, **spec: object) -> Object:
    made = stateful_set()
    made["metadata"]["generation"] = generation
    made["spec"]["updateStrategy"] = spec or {"type": "RollingUpdate"}
    made["status"] = {
        "observedGeneration": generation,
        "replicas": 3,
        "readyReplicas": ready,
        "updatedReplicas": updated,
        "currentRevision": "kv-b" if updated == 3 else "kv-a",
        "updateRevision": "kv-b",
    }
    return made


def of_kv(*states: tuple[float, Object]) -> Story:
    story = Story().watching("StatefulSet").watched(1, "StatefulSet", kv(generation=1), "ADDED")
    story.step("set_image", "StatefulSet kv", 10)
    for second, state in states:
        story.watched(second, "StatefulSet", state)
    return story


@pytest.mark.parametrize(
    "state,complete",
    [
        (kv(), True),
        (kv(updated=2), False),
        (kv(ready=2), False),
        (kv(updated=1, type="RollingUpdate", rollingUpdate={"partition": 2}), True),
        (kv(updated=0, type="RollingUpdate", rollingUpdate={"partition": 2}), False),
        (kv(updated=0, type="RollingUpdate", rollingUpdate={"partition": 5}), True),
        (kv(updated=2, type="RollingUpdate", rollingUpdate={"partition": 0}), False),
    ],
)
def test_a_stateful_set_is_complete_up_to_its_partition(state: Object, complete: bool) -> None:
    guarantee = rollout_completes_within(20, "kv", kind="StatefulSet")
    story = of_kv((10.05, kv(updated=0, ready=0)), (15, state))
    outcome = Outcome.HELD if complete else Outcome.VIOLATED
    assert check(guarantee, story).outcome is outcome


def test_an_update_on_delete_is_complete_by_no_step() -> None:
    guarantee = rollout_completes_within(20, "kv", kind="StatefulSet")
    verdict = check(guarantee, of_kv((10.05, kv(updated=0, type="OnDelete"))))
    assert verdict.outcome is Outcome.UNKNOWN
    assert "the update strategy of kv is OnDelete" in verdict.summary


def agent(updated: int, available: int, *, generation: int = 2) -> Object:
    return {
        "metadata": {
            "uid": "uid-agent",
            "name": "agent",
            "namespace": NAMESPACE,
            "generation": generation,
        },
        "spec": {"updateStrategy": {"type": "RollingUpdate"}},
        "status": {
            "observedGeneration": generation,
            "desiredNumberScheduled": 3,
            "updatedNumberScheduled": updated,
            "numberAvailable": available,
        },
    }


@pytest.mark.parametrize("updated,available", [(3, 3), (2, 3), (3, 2)])
def test_a_daemon_set_is_complete_on_all_its_nodes(updated: int, available: int) -> None:
    story = Story().watching("DaemonSet")
    story.watched(1, "DaemonSet", agent(3, 3, generation=1), "ADDED")
    story.step("set_image", "DaemonSet agent", 10)
    story.watched(15, "DaemonSet", agent(updated, available))
    verdict = check(rollout_completes_within(20, "agent", kind="DaemonSet"), story)
    if (updated, available) == (3, 3):
        assert verdict.outcome is Outcome.HELD
    else:
        text = f"{updated} of 3 pods updated, {available} available"
        assert first(verdict) == (
            at(30),
            f"agent is not complete 20 s after set_image: {text}",
            ["agent"],
        )


def test_a_rollout_outlives_a_client_whose_step_failed() -> None:
    guarantee = rollout_outlives_its_client(20, "web")
    lost = stepped(end="failed")
    held = check(guarantee, lost.watched(30, "Deployment", rolled()))
    assert held.outcome is Outcome.HELD, held.summary
    assert held.coverage == {"rollouts whose client went away": 1}
    assert held.figures == {"rollout_s": pytest.approx(19.95)}
    assert first(check(guarantee, stepped(end="failed"))) == (
        at(30.05),
        "web is not complete 20 s after its client went away:"
        " 2 of 3 pods updated, 2 available, 3 in all",
        ["web"],
    )


def test_a_rollout_outlives_a_client_that_was_killed() -> None:
    guarantee = rollout_outlives_its_client(10, "web")

    def killed(second: float, *, proved: bool = True) -> Story:
        story = stepped().fault("client_killed", "kubectl", second, second + 2, proved=proved)
        return story.watched(18, "Deployment", rolled())

    assert check(guarantee, killed(13)).outcome is Outcome.HELD
    for story, reason in (
        (killed(5), "no client went away during a rollout of web"),
        (killed(40), "no client went away during a rollout of web"),
        (killed(13, proved=False), "client_killed on kubectl was never seen in effect"),
    ):
        verdict = check(guarantee, story)
        assert verdict.outcome is Outcome.UNKNOWN
        assert reason in verdict.summary
    never = stepped().fault("client_killed", "kubectl", 13, 15)
    assert first(check(guarantee, never))[0] == at(23.1)


BOTH: tuple[Guarantee, ...] = (
    rollout_completes_within(20, "web"),
    rollout_outlives_its_client(20, "web"),
)


@pytest.mark.parametrize("guarantee", BOTH)
def test_unknown_and_why(guarantee: Guarantee) -> None:
    good = stepped().fault("client_killed", "kubectl", 13, 15).watched(18, "Deployment", rolled())
    assert check(guarantee, good).outcome is Outcome.HELD
    unwatched = Story()
    unwatched.events = [e for e in good.events if not isinstance(e, WatchStarted)]
    lost = Damage(
        file="events-x.ckl", holds="events", kind="torn", since_ns=at(5), until_ns=None, detail=""
    )
    assert "Deployment web is not in the record" in check(guarantee, Story()).summary
    assert "Deployments were not watched" in check(guarantee, unwatched).summary
    torn = guarantee.check(History.of_parts(events=good.events, damage=[lost]))
    assert torn.outcome is Outcome.UNKNOWN
    assert check(guarantee, good.gap("Deployment", 20, "uid-web")).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("guarantee", BOTH)
def test_a_gap_before_the_limit_excuses(guarantee: Guarantee) -> None:
    story = stepped().fault("client_killed", "kubectl", 13, 15)
    assert check(guarantee, story).outcome is Outcome.VIOLATED
    assert check(guarantee, story.gap("Deployment", 20, "uid-web")).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("guarantee", BOTH)
def test_a_step_that_only_ends_is_an_error(guarantee: Guarantee) -> None:
    story = stepped()
    story.events.append(
        StepMark(time_ns=at(9), step_id="x", name="set_image", target="web", mark="done")
    )
    with pytest.raises(RecordError, match="never started"):
        check(guarantee, story)


def test_kinds_without_rollouts_are_refused() -> None:
    with pytest.raises(UsageError, match="has no rollouts"):
        rollout_completes_within(20, "web", kind="Job")
    with pytest.raises(UsageError, match="has no rollouts"):
        rollout_outlives_its_client(20, "web", kind="Pod")


def test_a_simulated_rollout_is_timed() -> None:
    run = DeploymentRun(broken=("app:none",))
    run.wait_complete()
    run.set_image("app:v2")
    run.wait_complete()
    run.wait(60)
    verdict = rollout_completes_within(30, "web").check(run.history())
    assert verdict.outcome is Outcome.HELD
    assert 1 < verdict.figures["rollout_s"] < 15
    run.set_image("app:none")
    began_s = run.cluster.second
    run.wait(60)
    time_ns, text, _ = first(rollout_completes_within(30, "web").check(run.history()))
    assert text.startswith("web is not complete 30 s after set_image: 1 of 3 pods updated")
    assert abs(time_ns - at(began_s + 30)) < 100_000_000
