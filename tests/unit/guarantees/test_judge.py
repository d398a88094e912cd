"""The judge: every guarantee to a verdict, stored and read again."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from chaoskit import guarantees as g
from chaoskit.errors import RecordError, UsageError
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.judge import (
    OWN,
    Judgement,
    decode,
    encode,
    judge,
    judgement,
    known_guarantees,
)
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.history.folder import GuaranteeSpec, RecordFolder, RunInfo
from chaoskit.history.reader import Damage, History
from tests.corpus.requests import steady
from tests.corpus.times import at

ONE_OF_EACH: tuple[Guarantee, ...] = (
    g.acknowledged_writes_survive("kv"),
    g.autoscaled_in_mid_rollout("web", at_least=3, at_most=6),
    g.availability(0.999, outside="nic_down"),
    g.change_causes("web", {1: None, 2: "to v2"}),
    g.claims_stay("kv"),
    g.degradation(0.9, 3, after="nic_down"),
    g.disruption_budget_respected("web"),
    g.ends_complete("web", within_s=60),
    g.error_classes_within(["refused/connect"], during="nic_down"),
    g.failing_at_once(1, operation="read"),
    g.failures_attributed(),
    g.halted("kv", phase="stuck", at_least_s=8),
    g.hostnames_match("kv"),
    g.latency(0.5, phase="steady"),
    g.load_was_enough(),
    g.members_answer_through_proxy("kv"),
    g.members_do_not_wait("kv", at="start"),
    g.members_run("kv", {0: "v1", 2: "v2"}, phase="canary"),
    g.names_follow_members("kv", within_s=20),
    g.min_ready_respected("web"),
    g.no_container_restarted("web", outside="nic_down"),
    g.no_needless_restart("web"),
    g.no_overlap_when_recreated("web"),
    g.no_request_lost(connection="new"),
    g.node_not_ready_within("n2", 20),
    g.nothing_rolls_while_paused("web"),
    g.one_process_per_identity("kv", allowing=g.forced_deletion_overlap(plus_s=30)),
    g.only_members_touched("kv", [2, 1], phase="canary"),
    g.only_new_pods_after_completion("web"),
    g.only_versions(["v1", "v2"]),
    g.daemon_set_bounds("agent"),
    g.only_images(["app:v1", "app:v2"], "web"),
    g.ordinals_in_order("kv"),
    g.ordinary_delete_sticks("kv-1"),
    g.outage(3, during="nic_down"),
    g.pods_named_by_template("web"),
    g.progress_deadline_reported("web"),
    g.recovers_within(60, "kv", kind="StatefulSet"),
    g.reason_shown("web", "ErrImagePull", message="not found"),
    g.node_reason_shown(
        "n1", "KubeletNotReady", message="network", within_s=20, fault="cni_config_withdrawn"
    ),
    g.runs_untouched(60, "web", after="push"),
    g.requests_lost(1, 50, connection="new"),
    g.restarts_back_off("web"),
    g.revision_numbers("web", [1, 2], [1, 3]),
    g.revision_semantics("web"),
    g.rollout_blocked("web"),
    g.rollout_bounds("web", max_surge="25%"),
    g.rollout_completes_within(60, "web"),
    g.rollout_outlives_its_client(60, "web"),
    g.rollout_reaches("web", pods=8, available=5),
    g.rollout_stalled("web"),
    g.sampler_agrees(),
    g.scaled_in_proportion("web"),
    g.service_recovers_within(10, after="nic_down"),
    g.stable_identity("kv"),
    g.step_refused("web", "undo", "unable to find", detail="to 1"),
    g.template_restored("web"),
    g.termination_in_order("web"),
    g.traffic_split({"v1": 0.9, "v2": 0.1}),
    g.undo_restores("web", to_revision=1),
    g.volumes_follow_claims("kv"),
    g.pods_stay("web", {"v1": 5, "v2": 3}, phase="paused"),
    g.ready_endpoints_stay("web", {"v1": 5, "v2": 3}, phase="paused"),
    g.evictions_stop("web", ["n1", "n2"], at_least_s=30),
    g.pods_evicted_within("web", ["n1"], not_before_s=30, at_most_s=60),
    g.nodes_stay_ready("n1", through="nic_down"),
    g.nothing_left(faults=2),
    g.rollout_frozen("web", fault="component_stopped"),
    g.names_fail(0.99, during="dns_outage"),
    g.names_answer_again(5, after="dns_outage"),
    g.path_loses("n1", "n2", at_least=0.27, at_most=0.33, during="loss"),
    g.path_delayed("n1", "n2", at_least_ms=180, at_most_ms=220, during="latency"),
    g.path_narrowed("n1", "n2", at_most_mbit=1.1, during="bandwidth"),
    g.other_paths_unchanged(("n1", "n2"), during="partition"),
    g.paths_as_before(),
    g.slow_node_named("n1", phase="slow", before="as usual", by_at_least_s=0.1),
    g.duplicate_ends_within(20, "kv", fault="node_paused"),
    g.evicted_between("web", "n2", 30, 50, fault="nic_down"),
    g.evictions_wait("web", at_least_s=3),
    g.made_at_once("kv", 3),
    g.moves_off_within(60, "web", "n2", fault="nic_down"),
    g.name_stays_taken("kv", "n2", fault="nic_down"),
    g.never_made_again("bare"),
    g.no_surplus_after(60, "web", fault="nic_down"),
    g.not_evicted("web", "n2", fault="nic_down", at_least_s=30),
    g.nothing_bound("n2", fault="node_cordoned"),
    g.nothing_starts("n2", fault="component_stopped"),
    g.one_per_node("ds"),
    g.same_pods_come_back(20, "ds", "n2", fault="nic_down", kind="DaemonSet"),
    g.steps_fail("exec", "web-1", fault="component_stopped"),
)


@dataclass(frozen=True)
class Broken:
    name: ClassVar[str] = "broken"
    version: ClassVar[int] = 1
    malformed: bool

    def check(self, history: History) -> Verdict:
        if self.malformed:
            raise RecordError("is malformed", subject=str(history))
        raise ZeroDivisionError("a bug in the rule")


def test_every_own_guarantee_is_tried_here() -> None:
    assert {type(each) for each in ONE_OF_EACH} == set(OWN)


@pytest.mark.parametrize("guarantee", ONE_OF_EACH, ids=lambda each: each.name)
def test_an_empty_record_is_unknown(guarantee: Guarantee) -> None:
    (verdict,) = judge(History.of_parts(), [guarantee])
    assert verdict.outcome is Outcome.UNKNOWN
    assert "check failed" not in verdict.summary
    assert verdict.title


@pytest.mark.parametrize("guarantee", ONE_OF_EACH, ids=lambda each: each.name)
def test_a_record_of_requests_alone_never_holds_by_accident(guarantee: Guarantee) -> None:
    lost = [
        Damage(file="x", holds=holds, kind="torn", since_ns=at(0), until_ns=None, detail="")
        for holds in ("events", "requests")
    ]
    history = History.of_parts(requests=steady(seconds=1), damage=lost)
    (verdict,) = judge(history, [guarantee])
    assert verdict.outcome is Outcome.UNKNOWN, verdict.summary


def test_guarantees_are_stored_and_read_again(tmp_path: Path) -> None:
    info = RunInfo(
        run_id="r",
        scenario="s",
        title="t",
        started_wall_ns=1,
        started_ns=1,
        boot_id="b",
        chaoskit_version="0",
    )
    record = RecordFolder.create(tmp_path, info)
    record.write_guarantees(encode(ONE_OF_EACH))
    assert decode(record.guarantees()) == list(ONE_OF_EACH)
    assert not record.has_verdicts()
    made = judgement(judge(History.open(tmp_path), ONE_OF_EACH), chaoskit_version="0")
    assert made.outcome is Outcome.UNKNOWN
    record.write_verdicts(made)
    assert record.verdicts(Judgement) == made


def test_a_broken_rule_is_unknown_with_its_trace_and_does_not_stop_the_others() -> None:
    verdicts = judge(History.of_parts(), [Broken(malformed=False), ONE_OF_EACH[0]])
    assert [verdict.outcome for verdict in verdicts] == [Outcome.UNKNOWN] * 2
    assert (verdicts[0].guarantee, verdicts[0].version) == ("broken", 1)
    assert verdicts[0].title == "broken could not be judged"
    assert verdicts[0].summary.startswith("cannot tell: its check failed\nTraceback")
    assert "a bug in the rule" in verdicts[0].summary


def test_a_malformed_record_is_an_error() -> None:
    with pytest.raises(RecordError):
        judge(History.of_parts(), [Broken(malformed=True)])


def test_nothing_to_check_is_unknown() -> None:
    assert judgement([], chaoskit_version="0").outcome is Outcome.UNKNOWN


def test_an_unknown_name_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(RecordError) as refused:
        decode([GuaranteeSpec(name="absent", version=3)])
    known = ", ".join(sorted(kind.name for kind in OWN))
    assert str(refused.value) == (
        "guarantee absent version 3: is not known here\n"
        f"  next: install the package that brings it; known: {known}"
    )


def test_parameters_of_another_version_are_refused_by_name() -> None:
    spec = GuaranteeSpec(
        name="availability", version=9, parameters={"share": 1, "at_least": "all", "limit": 2}
    )
    with pytest.raises(RecordError) as refused:
        decode([spec])
    assert str(refused.value) == (
        "guarantee availability version 9: has parameters that version 4 does not have\n"
        "  seen: limit; share; Expected `float`, got `str` - at `$.at_least`\n"
        "  next: judge it with the chaoskit version named in run.json"
    )


BROUGHT = """
from dataclasses import dataclass
from typing import ClassVar

@dataclass(frozen=True)
class Brought:
    limit: int = 1
    name: ClassVar[str] = "{name}"
    version: ClassVar[int] = 1
"""


def install(folder: Path, name: str) -> None:
    """A package that brings a guarantee of that name, as an installed one would."""
    (folder / "brought.py").write_text(BROUGHT.format(name=name))
    info = folder / "brought-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: brought\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[chaoskit.guarantees]\nown = brought:Brought\n")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose packages count as installed."""
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("brought", None)


def test_guarantees_of_installed_packages_are_known(packages: Path) -> None:
    install(packages, "brought")
    assert known_guarantees().keys() == {*(kind.name for kind in OWN), "brought"}
    (decoded,) = decode([GuaranteeSpec(name="brought", version=1, parameters={"limit": 5})])
    assert encode([decoded]) == [
        GuaranteeSpec(name="brought", version=1, parameters={"limit": 5}),
    ]


def test_two_guarantees_of_one_name_are_refused(packages: Path) -> None:
    install(packages, "outage")
    with pytest.raises(UsageError) as refused:
        known_guarantees()
    assert str(refused.value) == (
        "guarantee outage of brought:Brought: has the name of another guarantee\n"
        "  next: uninstall one of them"
    )


def test_names_are_those_of_the_classes() -> None:
    assert {kind.name for kind in OWN} <= known_guarantees().keys()
    assert len({kind.name for kind in OWN}) == len(OWN)
