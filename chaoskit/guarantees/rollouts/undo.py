"""Undo goes where it should: to the template of the revision before, or of the one it names."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.availability_over_time import SLACK_NS
from chaoskit.guarantees.objects.watched import (
    Object,
    Step,
    Subject,
    name_of,
    owned_by,
    require_watched,
    steps,
    template_of,
)
from chaoskit.guarantees.rollouts.deployment_state import (
    KINDS,
    DeploymentState,
    deployment_changes,
    is_complete,
    revision_of,
)
from chaoskit.guarantees.rollouts.rollout_completion import next_step_ns
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import StepMark, Watched
from chaoskit.history.reader import History

_UNDO = "undo"

#: How the mark of an undo names the revision that it goes to.
_TO_REVISION = re.compile(r"to (\d+)")


@dataclass(frozen=True, kw_only=True)
class UndoRestores:
    """Each undo gives the Deployment the template of the revision that it goes to.

    Claims: for each finished step `undo` on the Deployment, its template is then that of the
    ReplicaSet with the second highest revision number when the undo began or, where the mark of
    the step names a number ("to 3"), with that one, as kubectl 0.36 chooses; and 1 s after the
    rollout is complete no pod of another template is left that is not being deleted. With
    `to_revision` only the undos to that revision are judged. The change of the step before may be
    seen only after an undo has begun: of the changes until 1 s after its end the last one is the
    undo's. What `template_restored` says of a
    bad step and its undo (the template from before the step, a higher number, the same
    ReplicaSet) is not said again here.
    Violated when: the template is another one, or a pod of another template is left.
    Unknown when: no such undo finished on record, the revision it goes to is not on record, the
    record ends before the rollout is complete, or changes may be missing. An undo that a next
    step overtakes is judged by its template only.
    """

    deployment: str
    to_revision: int | None = None

    name: ClassVar[str] = "undo_restores"
    version: ClassVar[int] = 2

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"undo of {self.deployment} restores {_named(self.to_revision)}")
        owned = owned_by(history, "Deployment", self.deployment)
        require_watched(found, history, owned.uids, KINDS)
        undos = _finished(history, self.deployment, self.to_revision)
        events = deployment_changes(history, owned)
        completed = 0
        for undo in undos:
            until_ns = next_step_ns(history, self.deployment, undo.step.started_ns)
            judge = _Judge(found, self.deployment, undo, until_ns)
            judge.judge(events)
            completed += judge.settled_ns is not None
        found.coverage |= {"undos": len(undos), "undos whose rollout is complete": completed}
        found.summary = f"{len(undos)} undone, {completed} of them complete"
        if not owned.workload:
            found.doubt(f"deployment {self.deployment} is not in the record")
        elif not undos:
            found.doubt(f"no finished undo to {_named(self.to_revision)} is on record")
        return conclude(self, found)


def undo_restores(deployment: Subject, *, to_revision: int | None = None) -> UndoRestores:
    """Undo goes to the right revision; see `UndoRestores`."""
    return UndoRestores(deployment=name_of(deployment), to_revision=to_revision)


@dataclass(frozen=True)
class _Undo:
    """A finished undo, and the number that its mark names, if it names one."""

    step: Step
    done_ns: int
    to_revision: int | None


@dataclass
class _Judge:
    """One undo, and what became of it up to `until_ns`, when the next step began (None: never).

    `targets`: the ReplicaSets that it may have gone to, by their templates. Numbers may change
    while it reads them, and whatever it may have read is right.
    """

    found: Findings
    name: str
    undo: _Undo
    until_ns: int | None
    state: DeploymentState = field(default_factory=DeploymentState)
    targets: list[tuple[Object, Watched]] = field(default_factory=list)
    is_changed: bool = False
    wrong: tuple[int, str, str] | None = (
        None  # a wrong template, and when: may be an earlier step's
    )
    settled_ns: int | None = None

    def judge(self, events: Iterable[Watched]) -> None:
        """Find the template that it gave, and whether the rollout ended with that alone."""
        for event in events:
            if self._is_over(event.time_ns):
                break
            has_begun = event.time_ns >= self.undo.step.started_ns
            may_be_earlier = self.wrong is not None and (
                event.time_ns <= self.undo.done_ns + SLACK_NS
            )
            if has_begun and (may_be_earlier or not self.is_changed):
                self._note_target()
            if has_begun and event.kind == "Deployment" and self._changes_template(event):
                if self.is_changed and not may_be_earlier:
                    self.until_ns = event.time_ns
                    break
                self._judge_template(event, event.time_ns)
                self.is_changed = True
            self.state.apply(event)
            if self.is_changed and event.kind == "Deployment" and self.settled_ns is None:
                complete = event.change != "DELETED" and is_complete(event.object)
                self.settled_ns = event.time_ns + SLACK_NS if complete else None
        self._judge_end()

    def _is_over(self, time_ns: int) -> bool:
        is_settled = self.settled_ns is not None and time_ns > self.settled_ns
        return is_settled or (self.until_ns is not None and time_ns >= self.until_ns)

    def _changes_template(self, event: Watched) -> bool:
        if event.change == "DELETED" or self.state.deployment is None:
            return False
        return template_of(event.object) != self.state.template

    def _note_target(self) -> None:
        sets = [rs for uid, rs in self.state.sets.items() if self.state.is_of(uid)]
        numbered = sorted((rs for rs in sets if revision_of(rs.object)), key=_number)
        wanted = self.undo.to_revision
        if wanted is not None:
            numbered = [rs for rs in numbered if _number(rs) == wanted]
        else:
            numbered = numbered[-2:-1]
        for target in numbered:
            entry = self.state.template_of_set(target.uid), target
            if entry not in self.targets:
                self.targets.append(entry)

    def _judge_template(self, deployment: Watched, time_ns: int) -> None:
        template = template_of(deployment.object)
        self.wrong = None
        if not self.targets:
            what = _named(self.undo.to_revision)
            self.found.doubt(f"{what}, to which an undo goes, is not on record")
        elif template not in [wanted for wanted, _ in self.targets]:
            target = self.targets[-1][1]
            sets = [self.state.sets[uid] for uid in self.state.sets if self.state.is_of(uid)]
            given = [rs for rs in sets if self.state.template_of_set(rs.uid) == template]
            text = (
                f"undo gave {self.name} the template of {_described(given)},"
                f" not of {_described([target])}"
            )
            self.wrong = time_ns, text, target.name

    def _judge_end(self) -> None:
        self._judge_rollout()
        if self.wrong is not None:
            time_ns, text, target = self.wrong
            self.found.violate(time_ns, text, self.name, target)

    def _judge_rollout(self) -> None:
        if not self.is_changed:
            if self.until_ns is not None and self.until_ns - self.undo.done_ns < SLACK_NS:
                return  # its change may have been seen only after the next step began
            self._note_target()
            if self.state.deployment is None:
                self.found.doubt(f"deployment {self.name} was not there when it was undone")
            else:  # "skipped rollback": it had the template already
                self._judge_template(self.state.deployment, self.undo.done_ns)
        elif self.settled_ns is not None:
            for pod in self.state.counted_old_pods():
                text = f"{pod.name} of another template is left after the undo is complete"
                self.found.violate(self.settled_ns, text, pod.name)
        elif self.until_ns is None:
            self.found.doubt("the record ends before the rollout of an undo is complete")


def _finished(history: History, deployment: str, to_revision: int | None) -> list[_Undo]:
    details = {mark.step_id: mark.detail for mark in history.of(StepMark)}
    found = []
    for step in steps(history, _UNDO, deployment):
        named = _TO_REVISION.fullmatch(details[step.step_id])
        number = None if named is None else int(named.group(1))
        if step.done_ns is not None and to_revision in (None, number):
            found.append(_Undo(step, step.done_ns, number))
    return found


def _named(revision: int | None) -> str:
    return "the revision before" if revision is None else f"revision {revision}"


def _number(replica_set: Watched) -> int:
    return revision_of(replica_set.object)


def _described(sets: list[Watched]) -> str:
    if not sets:
        return "no ReplicaSet on record"
    return " and ".join(f"{rs.name} (revision {_number(rs)})" for rs in sets)
