"""One rollout under load: baseline, change, verdict, and undo where that was asked for."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from chaoskit import clock
from chaoskit.errors import Hopeless, LoadError, WaitTimeout
from chaoskit.guarantees import (
    no_request_lost,
    progress_deadline_reported,
    rollout_completes_within,
    undo_restores,
)
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.judge import Judgement, judge
from chaoskit.guarantees.requests.availability import NoRequestLost
from chaoskit.guarantees.rollouts.after_completion import OnlyNewPodsAfterCompletion
from chaoskit.guarantees.rollouts.rollout_completion import RolloutCompletesWithin
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.kube.kinds import Object
from chaoskit.rollout.asked import Asked
from chaoskit.rollout.promises import BASELINE, ROLLOUT, UNDO, Promise, judged, none_lost
from chaoskit.rollout.workloads import Rolled, roll_out
from chaoskit.run import NotHeld, Run
from chaoskit.run.sampled_load import SampledLoad
from chaoskit.run.streams import Way
from chaoskit.workloads.service import Service

Say = Callable[[str], None]

_STEADY_WITHIN_S = 30.0
_ANSWERING_WITHIN_S = 30.0
#: After completion: endpoints follow within 1 s, old pods are judged from 2 s on.
_AFTER_S = 5.0
#: Kubernetes reports a deadline in whole seconds, and the controller looks a moment later.
_REPORT_SLACK_S = 10.0
#: How often it is looked, while it rolls, whether it is to be undone.
_LOOK_EVERY_S = 4.0


class Stage(Protocol):
    """Where it happens: a running workload behind a Service, and the ways to come in."""

    @property
    def service(self) -> Service: ...

    @property
    def entries(self) -> Sequence[Way]: ...

    def rolled(self, run: Run) -> Rolled: ...

    def wait_answering(self, *, timeout_s: float) -> None:
        """Wait until connections are accepted at every entry."""
        ...

    def apply_beside(self) -> None:
        """Apply what comes together with the change, besides the workload."""
        ...


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How the rollout itself ended: `problem` is why it did not complete, empty where it did."""

    took_s: float
    problem: str = ""
    #: Kubernetes has given it up.
    is_stalled: bool = False
    #: A promise was broken before it was complete.
    is_broken: bool = False


@dataclass(frozen=True, kw_only=True)
class Concluded:
    """The verdicts, and whether it was undone."""

    judgement: Judgement
    ended: Ended
    undone: bool
    #: What clients met during the rollout, promised or not: new and kept connections.
    measured: Sequence[Verdict]


class Course:
    """Goes through one rollout; `after` is the workload's manifest as it is to be."""

    def __init__(
        self, asked: Asked, promised: Sequence[Promise], stage: Stage, after: Object, say: Say
    ) -> None:
        self._asked = asked
        self._promised = promised
        self._stage = stage
        self._after = after
        self._say = say

    def go(self, run: Run, within_s: float) -> Concluded:
        """All of it; raises what baseline and load raise: then nothing was concluded."""
        rolled = self._stage.rolled(run)
        self._stage.wait_answering(timeout_s=_ANSWERING_WITHIN_S)
        self._say("waiting until every stream is answered steadily")
        with self._load(run) as load:
            load.wait_steady(timeout_s=_STEADY_WITHIN_S)
            self._say(f"baseline: {self._asked.baseline_s:g} s")
            with run.phase(BASELINE):
                load.run_for(seconds=self._asked.baseline_s)
            self._require_sound_baseline(run)
            self._say(f"rollout: {self._asked.change}")
            with run.phase(ROLLOUT):
                ended = self._roll_out(run, rolled, within_s)
                load.run_for(seconds=_AFTER_S)
            guarantees = self._guarantees(rolled, ended)
            undone = self._asked.undo and (self._is_violated(run, guarantees) or ended.is_broken)
            if undone:
                guarantees += self._undo(run, rolled, load, within_s)
        if ended.problem and not undone:  # nothing was ever complete
            guarantees = [g for g in guarantees if not isinstance(g, OnlyNewPodsAfterCompletion)]
        self._say("judging the record")
        found = _checked(run, guarantees)
        met = [self._none_lost(ROLLOUT), no_request_lost(connection="kept", phase=ROLLOUT)]
        return Concluded(
            judgement=found, ended=ended, undone=undone, measured=judge(run.history(), met)
        )

    def _load(self, run: Run) -> SampledLoad:
        asked = self._asked.load
        if asked.locustfile is not None:
            return run.locustfile(
                asked.locustfile,
                self._stage.service,
                via=self._stage.entries[0],
                users=asked.users,
                sampled_path=asked.path,
            )
        return run.load(
            self._stage.service,
            via=list(self._stage.entries),
            rate_per_s=asked.rate_per_s,
            path=asked.path,
        )

    def _require_sound_baseline(self, run: Run) -> None:
        """Where no failure is claimed, failures before the change must not pass for its."""
        if not self._claims_no_failure:
            return
        (verdict,) = judge(run.history(), [self._none_lost(BASELINE)])
        if verdict.outcome is Outcome.VIOLATED:
            raise LoadError(
                "requests fail before anything is changed",
                subject=str(self._asked.ref),
                seen=verdict.summary,
                next_step="see the report's failed requests; is --path one that answers?",
            )

    @property
    def _claims_no_failure(self) -> bool:
        return any(isinstance(each, NoRequestLost) for each in judged(self._promised))

    def _none_lost(self, phase: str | None = None) -> Guarantee:
        return none_lost(phase, by_users=self._asked.load.by_users)

    def _roll_out(self, run: Run, rolled: Rolled, within_s: float) -> Ended:
        began_ns = clock.now_ns()
        self._stage.apply_beside()
        roll_out(rolled, self._asked.change, self._after)
        problem, is_stalled, is_broken = "", False, False
        left_s = within_s + _REPORT_SLACK_S
        while True:
            try:
                rolled.wait_complete(min(left_s, _LOOK_EVERY_S))
            except Hopeless as error:
                problem, is_stalled = str(error), True
            except WaitTimeout as error:
                left_s -= _LOOK_EVERY_S
                is_broken = self._is_broken(run)
                if left_s > 0 and not is_broken:
                    continue
                problem = "requests fail: not waited for any longer" if is_broken else str(error)
            took_s = (clock.now_ns() - began_ns) / 1e9
            self._say(problem or f"complete after {took_s:.1f} s")
            return Ended(took_s=took_s, problem=problem, is_stalled=is_stalled, is_broken=is_broken)

    def _is_broken(self, run: Run) -> bool:
        """Whether it is to be undone now: the baseline was sound, and requests fail since."""
        if not (self._asked.undo and self._claims_no_failure):
            return False
        (verdict,) = judge(run.history(), [self._none_lost()])
        return verdict.outcome is Outcome.VIOLATED

    def _guarantees(self, rolled: Rolled, ended: Ended) -> list[Guarantee]:
        """What was promised; of a rollout that Kubernetes gave up, by when it did."""
        found = judged(self._promised)
        if not (ended.is_stalled or ended.is_broken):
            return found
        found = [each for each in found if not isinstance(each, RolloutCompletesWithin)]
        if ended.is_broken:  # the undo overtakes it
            return found
        ref = rolled.ref
        tenths_s = math.floor(ended.took_s * 10) / 10
        given_up_s = max(1.0, min(tenths_s, self._asked.claims.within_s or tenths_s))
        found.append(
            rollout_completes_within(
                given_up_s, ref.name, kind=ref.kind, step=self._asked.change.step
            )
        )
        if ref.kind == "Deployment":
            found.append(progress_deadline_reported(ref.name))
        return found

    def _is_violated(self, run: Run, guarantees: Sequence[Guarantee]) -> bool:
        verdicts = judge(run.history(), guarantees)
        broken = [each for each in verdicts if each.outcome is Outcome.VIOLATED]
        for each in broken:
            self._say(f"VIOLATED {each.title}: {each.summary}")
        return bool(broken)

    def _undo(
        self, run: Run, rolled: Rolled, load: SampledLoad, within_s: float
    ) -> list[Guarantee]:
        """Undo it under the same load; what is then promised besides."""
        self._say("undoing it")
        ref = rolled.ref
        with run.phase(UNDO):
            undone = rolled.undo()
            try:
                rolled.wait_complete(within_s + _REPORT_SLACK_S)
            except (Hopeless, WaitTimeout) as error:
                self._say(str(error))
            load.run_for(seconds=_AFTER_S)
        self._say(undone.text)
        found: list[Guarantee] = [
            rollout_completes_within(within_s, ref.name, kind=ref.kind, step="undo")
        ]
        if ref.kind == "Deployment":
            found.append(undo_restores(ref.name))
        if self._claims_no_failure:
            found.append(self._none_lost(UNDO))
        return found


def _checked(run: Run, guarantees: Sequence[Guarantee]) -> Judgement:
    try:
        return run.check(*guarantees)
    except NotHeld as error:
        return error.judgement
