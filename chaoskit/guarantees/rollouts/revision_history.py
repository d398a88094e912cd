"""The revisions that `kubectl rollout history` lists: their numbers, and why each was made."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.watched import (
    Owned,
    Subject,
    changes,
    name_of,
    owned_by,
    require_watched,
)
from chaoskit.guarantees.rollouts.deployment_state import DeploymentState, revision_of
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History

_KINDS = ("Deployment", "ReplicaSet")
_CHANGE_CAUSE = "kubernetes.io/change-cause"


@dataclass(frozen=True, kw_only=True)
class RevisionNumbers:
    """A Deployment's history lists these revisions after each of its changes.

    Claims: after the last changes of the Deployment's spec (its creation and deletion count), as
    many as are given here, and before the next one, the numbers of its ReplicaSets are those of
    `after_each`, in that order; after the last change at the end of the record. The order is that
    of the API's own versions, not of what arrived when.
    Violated when: they are others.
    Unknown when: there were fewer changes, or the Deployment or its ReplicaSets were not watched
    throughout.
    """

    deployment: str
    after_each: tuple[tuple[int, ...], ...]

    name: ClassVar[str] = "revision_numbers"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        wanted = " → ".join(_listed(numbers) for numbers in self.after_each)
        found = Findings(title=f"history of {self.deployment} is {wanted}")
        owned = _watched(found, history, self.deployment)
        seen = _histories(history, owned)
        found.coverage["changes of its spec"] = len(seen)
        found.summary = " → ".join(_listed(each.numbers) for each in seen)
        if owned.workload and len(seen) < len(self.after_each):
            found.doubt(f"its spec changed {len(seen)} times, {len(self.after_each)} were expected")
        last = seen[-len(self.after_each) :]
        expected = self.after_each[len(self.after_each) - len(last) :]
        for number, (one, numbers) in enumerate(zip(last, expected, strict=True), start=1):
            if one.numbers != numbers:
                text = (
                    f"after change {number} of {len(last)} the history is {_listed(one.numbers)},"
                    f" not {_listed(numbers)}"
                )
                found.violate(one.changed.time_ns, text, self.deployment)
        return conclude(self, found)


@dataclass(frozen=True, kw_only=True)
class ChangeCauses:
    """A Deployment's history says why each revision was made.

    Claims: at the end of the record the revisions have the change causes of `causes` (None: none
    at all, which kubectl lists as <none>), there are no others, and the Deployment's own
    annotation is that of its newest revision.
    Violated when: a cause or a revision is another one.
    Unknown when: the Deployment or its ReplicaSets were not watched throughout.
    """

    deployment: str
    causes: tuple[tuple[int, str | None], ...]

    name: ClassVar[str] = "change_causes"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"history of {self.deployment} says why")
        owned = _watched(found, history, self.deployment)
        state = DeploymentState()
        for event in _events(history, owned):
            state.apply(event)
        if state.deployment is None:
            found.doubt(f"deployment {self.deployment} is not there at the end")
            return conclude(self, found)
        seen = {
            revision_of(event.object): _cause(event)
            for uid, event in state.sets.items()
            if state.is_of(uid) and revision_of(event.object)
        }
        found.coverage["revisions"] = len(seen)
        found.summary = ", ".join(
            f"{number}: {seen[number] or '<none>'}" for number in sorted(seen)
        )
        end_ns = history.events[-1].time_ns
        wanted = dict(self.causes)
        for number in sorted(wanted.keys() | seen.keys()):
            for which, held in (("no", seen), ("an unexpected", wanted)):
                if number not in held:
                    text = f"there is {which} revision {number}"
                    found.violate(end_ns, text, self.deployment)
            if number in wanted and number in seen and wanted[number] != seen[number]:
                text = f"revision {number} has cause {seen[number]!r}, not {wanted[number]!r}"
                found.violate(end_ns, text, self.deployment)
        own = _cause(state.deployment)
        if seen and own != seen[max(seen)]:
            text = f"the Deployment says {own!r}, its newest revision {seen[max(seen)]!r}"
            found.violate(end_ns, text, self.deployment)
        return conclude(self, found)


def revision_numbers(deployment: Subject, *after_each: Iterable[int]) -> RevisionNumbers:
    """The history after each of the last changes: `[1, 2], [1, 3]`; see `RevisionNumbers`."""
    return RevisionNumbers(
        deployment=name_of(deployment),
        after_each=tuple(tuple(sorted(numbers)) for numbers in after_each),
    )


def change_causes(deployment: Subject, causes: Mapping[int, str | None]) -> ChangeCauses:
    """The change cause of each revision at the end; see `ChangeCauses`."""
    return ChangeCauses(deployment=name_of(deployment), causes=tuple(sorted(causes.items())))


@dataclass(frozen=True)
class _After:
    """A change of the Deployment, and the history before its next one."""

    changed: Watched
    numbers: tuple[int, ...]


def _watched(found: Findings, history: History, deployment: str) -> Owned:
    owned = owned_by(history, "Deployment", deployment)
    uids = {event.uid for event in owned.workload} | set(owned.replica_sets)
    require_watched(found, history, uids, _KINDS)
    if not owned.workload:
        found.doubt(f"deployment {deployment} is not in the record")
    return owned


def _events(history: History, owned: Owned) -> list[Watched]:
    uids = {event.uid for event in owned.workload} | set(owned.replica_sets)
    return [event for event in changes(history, *_KINDS) if event.uid in uids]


def _histories(history: History, owned: Owned) -> list[_After]:
    """One for each change of the Deployment's spec, in the API's order."""
    state = DeploymentState()
    found: list[_After] = []
    changed: Watched | None = None
    for event in _events(history, owned):
        if event.kind == "Deployment" and _is_change(changed, event):
            if changed is not None:
                found.append(_After(changed, _numbers(state)))
            changed = event
        state.apply(event)
    if changed is not None:
        found.append(_After(changed, _numbers(state)))
    return found


def _is_change(before: Watched | None, event: Watched) -> bool:
    if before is None or before.uid != event.uid:
        return True
    if event.change == "DELETED" or before.change == "DELETED":
        return event.change != before.change
    return bool(event.object["spec"] != before.object["spec"])


def _numbers(state: DeploymentState) -> tuple[int, ...]:
    numbers = (revision_of(event.object) for uid, event in state.sets.items() if state.is_of(uid))
    return tuple(sorted(number for number in numbers if number))


def _cause(event: Watched) -> str | None:
    cause = (event.object["metadata"].get("annotations") or {}).get(_CHANGE_CAUSE)
    return None if cause is None else str(cause)


def _listed(numbers: Iterable[int]) -> str:
    texts = [str(number) for number in numbers]
    if len(texts) > 4:
        texts = [texts[0], "…", texts[-1]] if _is_run(numbers) else texts
    return "{" + ",".join(texts) + "}"


def _is_run(numbers: Iterable[int]) -> bool:
    listed = list(numbers)
    return listed == list(range(listed[0], listed[0] + len(listed)))
