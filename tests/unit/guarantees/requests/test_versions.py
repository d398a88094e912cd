"""only_versions: which versions answered."""

from chaoskit.guarantees import only_versions
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.reader import History
from tests.corpus.requests import steady
from tests.corpus.times import at


def test_only_named_versions_answer() -> None:
    rows = [
        row._replace(revision="v1" if row.slot < 1500 else "v2", outcome=row.outcome)
        for row in steady(seconds=30)
    ]
    history = History.of_parts(requests=rows)
    verdict = only_versions(["v1", "v2"]).check(history)
    assert verdict.outcome is Outcome.HELD
    assert verdict.coverage["answers of v2"] == 1500
    violated = only_versions(["v2"]).check(history)
    assert violated.outcome is Outcome.VIOLATED
    assert violated.evidence.count == 1500
    assert violated.evidence.first is not None
    assert violated.evidence.first.time_ns == at(0)
    assert "revision v1" in violated.evidence.first.text


def test_versions_are_unknown_without_answers_or_names() -> None:
    assert only_versions(["v1"]).check(History.of_parts()).outcome is Outcome.UNKNOWN
    failed = steady(seconds=3, outcome=lambda _s: "fail")
    nameless = [steady(seconds=3)[0]._replace(revision=None), *steady(seconds=3)[1:]]
    for rows in (failed, nameless):
        history = History.of_parts(requests=rows)
        assert only_versions(["v1"]).check(history).outcome is Outcome.UNKNOWN


def test_users_of_a_closed_loop_are_chosen_by_name() -> None:
    rows = [
        row._replace(user=f"user-{row.slot % 2}", revision=f"v{row.slot % 2}")
        for row in steady(seconds=30)
    ]
    history = History.of_parts(requests=rows)
    assert only_versions(["v1"], user="user-1").check(history).outcome is Outcome.HELD
    assert only_versions(["v1"], user="user-*").check(history).outcome is Outcome.VIOLATED
    assert only_versions(["v1"], user="nobody").check(history).outcome is Outcome.UNKNOWN
