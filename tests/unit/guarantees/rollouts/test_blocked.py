"""rollout_blocked: a version that fails gets no further than its first pods."""

from chaoskit.guarantees import rollout_blocked
from chaoskit.guarantees.verdict import Outcome
from tests.corpus.deployment_run import DeploymentRun
from tests.corpus.story import Story
from tests.corpus.verdicts import first, verdict_on

BLOCKED = rollout_blocked("deployment/web", pods=1)


def rolled(image: str, *, undo: bool = True, seconds: float = 20.0) -> DeploymentRun:
    """web from v1 to that image, of which app:none never becomes Ready; undone after so long."""
    run = DeploymentRun(broken=("app:none",))
    run.wait_complete()
    run.set_image(image)
    run.wait(seconds)
    if undo:
        run.undo()
        run.wait_complete()
    return run


def test_one_pod_of_it_and_all_old_ones_hold() -> None:
    verdict = BLOCKED.check(rolled("app:none").history())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["new pods"] == 1
    assert verdict.figures["blocked_s"] > 19


def test_without_an_undo_it_holds_to_the_end_of_the_record() -> None:
    assert BLOCKED.check(rolled("app:none", undo=False).history()).outcome is Outcome.HELD


def test_a_version_that_goes_out_everywhere_is_charged_with_each_thing_it_did() -> None:
    verdict = BLOCKED.check(rolled("app:v2").history())
    texts = first(verdict)[1]
    assert "leaves 2 old pods of 3" in texts
    assert verdict.evidence.last is not None
    assert verdict.evidence.last.text == "the bad rollout completed"


def test_more_pods_than_promised_are_charged_and_allowed_ones_not() -> None:
    history = rolled("app:none").history()
    assert rollout_blocked("web", pods=0).check(history).outcome is Outcome.VIOLATED
    assert rollout_blocked("web", pods=2, taken=1).check(history).outcome is Outcome.HELD


def test_too_short_or_never_or_an_empty_record_is_unknown() -> None:
    assert BLOCKED.check(rolled("app:none", seconds=3).history()).outcome is Outcome.UNKNOWN
    nothing = DeploymentRun()
    nothing.wait_complete()
    assert BLOCKED.check(nothing.history()).outcome is Outcome.UNKNOWN
    assert verdict_on(BLOCKED, Story()).outcome is Outcome.UNKNOWN
