"""Judging a record: every guarantee asked for, each to a verdict, whatever happens."""

import traceback
from collections.abc import Sequence
from dataclasses import fields
from importlib.metadata import entry_points
from typing import Any

import msgspec

from chaoskit.errors import RecordError, UsageError
from chaoskit.guarantees.attribution import ErrorClassesWithin, FailuresAttributed
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.harness.load_health import LoadWasEnough
from chaoskit.guarantees.harness.nothing_left import NothingLeft
from chaoskit.guarantees.harness.sampler_agreement import SamplerAgrees
from chaoskit.guarantees.network.names import NamesAnswerAgain, NamesFail
from chaoskit.guarantees.network.paths import (
    OtherPathsUnchanged,
    PathDelayed,
    PathLoses,
    PathNarrowed,
    PathsAsBefore,
)
from chaoskit.guarantees.network.slow_node import SlowNodeNamed
from chaoskit.guarantees.pods.bare import NeverMadeAgain
from chaoskit.guarantees.pods.disruption_budget import DisruptionBudgetRespected
from chaoskit.guarantees.pods.eviction import EvictedBetween, NotEvicted
from chaoskit.guarantees.pods.evictions import EvictionsStop, PodsEvictedWithin
from chaoskit.guarantees.pods.evictions_wait import EvictionsWait
from chaoskit.guarantees.pods.idle_nodes import NothingBound, NothingStarts
from chaoskit.guarantees.pods.kept_numbers import PodsStay, ReadyEndpointsStay
from chaoskit.guarantees.pods.moving import MovesOffWithin, NoSurplusAfter
from chaoskit.guarantees.pods.no_restart import NoContainerRestarted
from chaoskit.guarantees.pods.node_reasons import NodeReasonShown
from chaoskit.guarantees.pods.one_per_node import OnePerNode
from chaoskit.guarantees.pods.only_images import OnlyImages
from chaoskit.guarantees.pods.ready_nodes import NodesStayReady
from chaoskit.guarantees.pods.reasons import ReasonShown
from chaoskit.guarantees.pods.recovery import (
    NodeNotReadyWithin,
    OrdinaryDeleteSticks,
    RecoversWithin,
)
from chaoskit.guarantees.pods.restarts import RestartsBackOff
from chaoskit.guarantees.pods.same_pods import SamePodsComeBack
from chaoskit.guarantees.pods.steps_fail import StepsFail
from chaoskit.guarantees.pods.termination import TerminationInOrder
from chaoskit.guarantees.pods.untouched import RunsUntouched
from chaoskit.guarantees.requests.availability import Availability, NoRequestLost
from chaoskit.guarantees.requests.degradation import Degradation
from chaoskit.guarantees.requests.failing_at_once import FailingAtOnce
from chaoskit.guarantees.requests.latency import Latency
from chaoskit.guarantees.requests.loss import RequestsLost
from chaoskit.guarantees.requests.outage import Outage
from chaoskit.guarantees.requests.service_recovery import ServiceRecoversWithin
from chaoskit.guarantees.requests.traffic_split import TrafficSplit
from chaoskit.guarantees.requests.versions import OnlyVersions
from chaoskit.guarantees.rollouts.after_completion import OnlyNewPodsAfterCompletion
from chaoskit.guarantees.rollouts.autoscaled import AutoscaledInMidRollout
from chaoskit.guarantees.rollouts.bad_rollout import (
    NoNeedlessRestart,
    RolloutStalled,
    TemplateRestored,
)
from chaoskit.guarantees.rollouts.blocked import RolloutBlocked
from chaoskit.guarantees.rollouts.bounds_reached import RolloutReaches
from chaoskit.guarantees.rollouts.daemon_set_bounds import DaemonSetBounds
from chaoskit.guarantees.rollouts.ends_complete import EndsComplete
from chaoskit.guarantees.rollouts.frozen import RolloutFrozen
from chaoskit.guarantees.rollouts.min_ready import MinReadyRespected
from chaoskit.guarantees.rollouts.paused import NothingRollsWhilePaused
from chaoskit.guarantees.rollouts.pod_names import PodsNamedByTemplate
from chaoskit.guarantees.rollouts.progress_deadline import ProgressDeadlineReported
from chaoskit.guarantees.rollouts.proportional import ScaledInProportion
from chaoskit.guarantees.rollouts.recreate import NoOverlapWhenRecreated
from chaoskit.guarantees.rollouts.refusals import StepChangesNothing
from chaoskit.guarantees.rollouts.revision_history import ChangeCauses, RevisionNumbers
from chaoskit.guarantees.rollouts.revisions import RevisionSemantics
from chaoskit.guarantees.rollouts.rollout import RolloutBounds
from chaoskit.guarantees.rollouts.rollout_completion import (
    RolloutCompletesWithin,
    RolloutOutlivesItsClient,
)
from chaoskit.guarantees.rollouts.undo import UndoRestores
from chaoskit.guarantees.stateful_sets.claims import ClaimsStay
from chaoskit.guarantees.stateful_sets.direct_answers import (
    HostnamesMatch,
    MembersAnswerThroughProxy,
)
from chaoskit.guarantees.stateful_sets.duplicates import DuplicateEndsWithin, NameStaysTaken
from chaoskit.guarantees.stateful_sets.halted import Halted, MembersRun
from chaoskit.guarantees.stateful_sets.identity import OneProcessPerIdentity
from chaoskit.guarantees.stateful_sets.made_at_once import MadeAtOnce
from chaoskit.guarantees.stateful_sets.names import NamesFollowMembers
from chaoskit.guarantees.stateful_sets.no_order import MembersDoNotWait
from chaoskit.guarantees.stateful_sets.ordinal_order import OrdinalsInOrder
from chaoskit.guarantees.stateful_sets.stable_identity import StableIdentity
from chaoskit.guarantees.stateful_sets.touched import OnlyMembersTouched
from chaoskit.guarantees.stateful_sets.volumes import VolumesFollowClaims
from chaoskit.guarantees.stateful_sets.writes import AcknowledgedWritesSurvive
from chaoskit.guarantees.verdict import Outcome, Verdict, merge
from chaoskit.history import SCHEMA_VERSION
from chaoskit.history.folder import GuaranteeSpec
from chaoskit.history.reader import History

#: Every guarantee that chaoskit brings. Others come by entry points of the group below.
OWN: tuple[type[Guarantee], ...] = (
    AcknowledgedWritesSurvive,
    AutoscaledInMidRollout,
    Availability,
    ChangeCauses,
    ClaimsStay,
    DaemonSetBounds,
    Degradation,
    DisruptionBudgetRespected,
    DuplicateEndsWithin,
    EndsComplete,
    ErrorClassesWithin,
    EvictedBetween,
    EvictionsStop,
    EvictionsWait,
    FailingAtOnce,
    FailuresAttributed,
    Halted,
    HostnamesMatch,
    Latency,
    LoadWasEnough,
    MadeAtOnce,
    MembersAnswerThroughProxy,
    MembersDoNotWait,
    MembersRun,
    MinReadyRespected,
    MovesOffWithin,
    NamesAnswerAgain,
    NamesFail,
    NamesFollowMembers,
    NameStaysTaken,
    NeverMadeAgain,
    NoContainerRestarted,
    NodeNotReadyWithin,
    NodeReasonShown,
    NodesStayReady,
    NoNeedlessRestart,
    NoOverlapWhenRecreated,
    NoRequestLost,
    NoSurplusAfter,
    NotEvicted,
    NothingBound,
    NothingLeft,
    NothingRollsWhilePaused,
    NothingStarts,
    OnePerNode,
    OneProcessPerIdentity,
    OnlyImages,
    OnlyMembersTouched,
    OnlyNewPodsAfterCompletion,
    OnlyVersions,
    OrdinalsInOrder,
    OrdinaryDeleteSticks,
    OtherPathsUnchanged,
    Outage,
    PathDelayed,
    PathLoses,
    PathNarrowed,
    PathsAsBefore,
    PodsEvictedWithin,
    PodsNamedByTemplate,
    PodsStay,
    ProgressDeadlineReported,
    ReadyEndpointsStay,
    ReasonShown,
    RecoversWithin,
    RequestsLost,
    RestartsBackOff,
    RevisionNumbers,
    RevisionSemantics,
    RolloutBlocked,
    RolloutBounds,
    RolloutCompletesWithin,
    RolloutFrozen,
    RolloutOutlivesItsClient,
    RolloutReaches,
    RolloutStalled,
    RunsUntouched,
    SamePodsComeBack,
    SamplerAgrees,
    ScaledInProportion,
    ServiceRecoversWithin,
    SlowNodeNamed,
    StableIdentity,
    StepChangesNothing,
    StepsFail,
    TemplateRestored,
    TerminationInOrder,
    TrafficSplit,
    UndoRestores,
    VolumesFollowClaims,
)

ENTRY_POINTS = "chaoskit.guarantees"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What `verdicts.json` holds: the verdicts and what they amount to together."""

    outcome: Outcome
    verdicts: list[Verdict]
    chaoskit_version: str
    schema_version: int = SCHEMA_VERSION


def judge(history: History, guarantees: Sequence[Guarantee]) -> list[Verdict]:
    """One verdict for each guarantee.

    A guarantee whose check fails gives UNKNOWN with its trace. Raises `RecordError` when the
    record itself is malformed.
    """
    return [_judged(history, guarantee) for guarantee in guarantees]


def judgement(verdicts: Sequence[Verdict], *, chaoskit_version: str) -> Judgement:
    """The verdicts with what they amount to; none at all amount to UNKNOWN."""
    return Judgement(
        outcome=merge(verdict.outcome for verdict in verdicts),
        verdicts=list(verdicts),
        chaoskit_version=chaoskit_version,
    )


def known_guarantees() -> dict[str, type[Guarantee]]:
    """All guarantees by name: chaoskit's own and those of installed packages.

    Raises `UsageError` when two have one name.
    """
    known: dict[str, type[Guarantee]] = {kind.name: kind for kind in OWN}
    for entry in entry_points(group=ENTRY_POINTS):
        kind: type[Guarantee] = entry.load()
        if kind.name in known:
            raise UsageError(
                "has the name of another guarantee",
                subject=f"guarantee {kind.name} of {entry.value}",
                next_step="uninstall one of them",
            )
        known[kind.name] = kind
    return known


def encode(guarantees: Sequence[Guarantee]) -> list[GuaranteeSpec]:
    """Guarantees as the record keeps them."""
    return [
        GuaranteeSpec(name=g.name, version=g.version, parameters=msgspec.to_builtins(g))
        for g in guarantees
    ]


def decode(specs: Sequence[GuaranteeSpec]) -> list[Guarantee]:
    """Guarantees from a record, by today's rules.

    Raises `RecordError` for an unknown name, or parameters that today's rule does not have.
    """
    known = known_guarantees()
    return [_decoded(spec, known) for spec in specs]


def _decoded(spec: GuaranteeSpec, known: dict[str, type[Guarantee]]) -> Guarantee:
    subject = f"guarantee {spec.name} version {spec.version}"
    if spec.name not in known:
        raise RecordError(
            "is not known here",
            subject=subject,
            next_step="install the package that brings it; known: " + ", ".join(sorted(known)),
        )
    kind: Any = known[spec.name]
    strange = sorted(spec.parameters.keys() - {field.name for field in fields(kind)})
    try:
        guarantee: Guarantee = msgspec.convert(spec.parameters, kind)
    except msgspec.ValidationError as error:
        strange.append(str(error))
    if strange:
        raise RecordError(
            f"has parameters that version {kind.version} does not have",
            subject=subject,
            seen="; ".join(strange),
            next_step="judge it with the chaoskit version named in run.json",
        )
    return guarantee


def _judged(history: History, guarantee: Guarantee) -> Verdict:
    try:
        return guarantee.check(history)
    except RecordError:
        raise
    except Exception:  # a broken rule must not pass, nor keep the others from being judged
        return Verdict(
            guarantee=guarantee.name,
            version=guarantee.version,
            title=f"{guarantee.name} could not be judged",
            outcome=Outcome.UNKNOWN,
            summary=f"cannot tell: its check failed\n{traceback.format_exc()}",
        )
