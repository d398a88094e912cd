"""Runs that a real cluster left: judged again they give the same, and the stricter is violated."""

import shutil
from pathlib import Path

import pytest

from chaoskit.guarantees import (
    availability,
    failures_attributed,
    latency,
    no_request_lost,
    one_process_per_identity,
    only_versions,
    rollout_bounds,
    sampler_agrees,
)
from chaoskit.guarantees.judge import Judgement, decode, judge
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.folder import RecordFolder
from chaoskit.history.reader import History

RECORDED = Path(__file__).parents[2] / "corpus" / "recorded"
R9, S10 = RECORDED / "R9", RECORDED / "S10"


def judged_again(path: Path) -> dict[str, Outcome]:
    """By today's rules, from the files alone."""
    guarantees = decode(RecordFolder(path).guarantees())
    return {each.guarantee: each.outcome for each in judge(History.open(path), guarantees)}


@pytest.mark.parametrize("path", [R9, S10], ids=lambda path: path.name)
def test_a_run_judged_again_gives_the_same_verdicts(path: Path) -> None:
    stored = RecordFolder(path).verdicts(Judgement).verdicts
    first = judged_again(path)
    assert first == {each.guarantee: each.outcome for each in stored}
    assert judged_again(path) == first


def test_a_stricter_guarantee_is_violated_with_its_witness() -> None:
    history = History.open(S10)
    lost, fast, alone = judge(
        history,
        [no_request_lost(), latency(at_most_s=0.2), one_process_per_identity("kv")],
    )
    assert lost.outcome is Outcome.VIOLATED
    assert (lost.coverage["requests"], lost.evidence.count) == (4045, 50)
    assert lost.evidence.first is not None
    assert "writes to kv-" in lost.evidence.first.text
    assert fast.outcome is Outcome.VIOLATED
    # Without leave for forced deletions the overlap that they opened is a violation.
    assert alone.outcome is Outcome.VIOLATED
    assert alone.figures["duplicate_at_least_s"] > 5


def test_every_failed_request_of_a_real_run_has_its_cause() -> None:
    (verdict,) = judge(History.open(S10), [failures_attributed()])
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["failed"] == verdict.coverage["attributed"] == 50
    assert verdict.figures["cause_pod_terminating"] > 40


def test_the_sampler_saw_what_the_load_saw() -> None:
    (verdict,) = judge(History.open(S10), [sampler_agrees()])
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["pairs of streams"] == 2


def test_the_sampler_is_no_part_of_what_users_sent() -> None:
    (verdict,) = judge(History.open(R9), [availability(at_least=0.99)])
    assert verdict.coverage["requests"] == 4003
    assert History.open(R9).requests.num_rows == 4003 + 2406


def test_wrong_claims_about_a_real_rollout_are_violated() -> None:
    bounds_too_tight = rollout_bounds("web", max_surge=0, max_unavailable=0)
    versions, bounds = judge(History.open(R9), [only_versions(["v2"]), bounds_too_tight])
    assert versions.outcome is Outcome.VIOLATED
    assert bounds.outcome is Outcome.VIOLATED
    assert bounds.evidence.first is not None
    assert "4 pods" in bounds.evidence.first.text


@pytest.mark.parametrize("torn", ["events-observer.ckl", "requests-load-1.ckl"])
def test_a_torn_file_leaves_what_does_not_need_it(torn: str, tmp_path: Path) -> None:
    """Half of one file gone: what needed it is UNKNOWN, nothing is accused, the rest is read."""
    shutil.copytree(R9, tmp_path / "run")
    path = tmp_path / "run" / torn
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    outcomes = judged_again(tmp_path / "run")
    assert Outcome.VIOLATED not in outcomes.values()
    needs = {"events-observer.ckl": "rollout_bounds", "requests-load-1.ckl": "no_request_lost"}
    assert outcomes[needs[torn]] is Outcome.UNKNOWN
    assert History.open(tmp_path / "run").damage
