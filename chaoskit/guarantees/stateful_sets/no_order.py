"""Members that come and go without waiting for one another."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.disturbances import Takers
from chaoskit.guarantees.objects.watched import (
    Subject,
    is_leaving,
    is_ready,
    name_of,
    owned_by,
    require_watched,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History

Occasion = Literal["start", "scaling down", "deletion of the set"]


@dataclass(frozen=True, kw_only=True)
class MembersDoNotWait:
    """Members are made, or taken away, without waiting for one another.

    Claims: of the members that come or go on one occasion, at least one is made before the one
    made first is Ready, or is told to end before the one told first is gone. So it is where the
    set is Parallel, and under every policy when the set itself is deleted.
    Violated when: on such an occasion each of two or more waited.
    Unknown when: there was no such occasion for two members or more, or the set or its pods were
    not watched throughout. Pods that steps or faults took away do not count.
    """

    stateful_set: str
    occasion: Occasion

    name: ClassVar[str] = "members_do_not_wait"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"members of {self.stateful_set} do not wait at {self.occasion}")
        owned = owned_by(history, "StatefulSet", self.stateful_set)
        require_watched(found, history, owned.uids, ("StatefulSet", "Pod"))
        walk = _Walk(Takers.of(history, owned.pods))
        events = sorted([*owned.workload, *owned.pods], key=lambda e: e.resource_version)
        for event in events:
            walk.take(event)
        groups = [each for each in walk.groups if each.occasion == self.occasion]
        groups = [each for each in groups if len(each.members) > 1]
        for group in groups:
            if not group.together:
                names = ", ".join(event.name for event in group.members)
                text = f"each of {names} waited for the one before"
                found.violate(group.members[1].time_ns, text, group.members[1].name)
        found.coverage |= {
            "occasions": len(groups),
            "members": sum(len(group.members) for group in groups),
        }
        if not groups:
            found.doubt(f"no {self.occasion} of two members or more is on record")
        return conclude(self, found)


def members_do_not_wait(stateful_set: Subject, *, at: Occasion) -> MembersDoNotWait:
    """Members come or go without waiting on such occasions; see `MembersDoNotWait`."""
    return MembersDoNotWait(stateful_set=name_of(stateful_set), occasion=at)


@dataclass
class _Group:
    """Members that came or went on one occasion; `together`: one did while the first was at it."""

    occasion: Occasion
    members: list[Watched] = field(default_factory=list)
    first_is_done: bool = False
    together: bool = False

    def add(self, event: Watched) -> None:
        """One more, unless it only takes the place of one of them."""
        if any(event.name == member.name for member in self.members):
            return
        self.together = self.together or (bool(self.members) and not self.first_is_done)
        self.members.append(event)


@dataclass
class _Walk:
    """The set and its pods, change by change; an occasion lasts until other ordinals are wanted."""

    takers: Takers
    groups: list[_Group] = field(default_factory=list)
    wanted: range = range(0)
    exists: bool = False
    known: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)

    def take(self, event: Watched) -> None:
        if event.kind == "StatefulSet":
            self._take_set(event)
            return
        gone = event.change == "DELETED"
        for group in self._open():
            if group.members[0].uid == event.uid:
                by_now = is_ready(event.object) if group.occasion == "start" else gone
                group.first_is_done = group.first_is_done or by_now
        if event.uid not in self.known:
            self.known.add(event.uid)
            if event.change == "ADDED":
                self._group("start").add(event)
        if event.uid not in self.left and (gone or is_leaving(event.object)):
            self.left.add(event.uid)
            occasion = self._occasion(event)
            if event.change != "LISTED" and occasion is not None:
                self._group(occasion).add(event)

    def _take_set(self, event: Watched) -> None:
        spec = event.object["spec"]
        start = (spec.get("ordinals") or {}).get("start", 0)
        wanted = range(start, start + spec.get("replicas", 1))
        exists = event.change != "DELETED" and not is_leaving(event.object)
        if exists != self.exists or wanted != self.wanted:
            self.groups.extend([_Group(group.occasion) for group in self._open()])
        self.exists, self.wanted = exists, wanted

    def _occasion(self, event: Watched) -> Occasion | None:
        if self.takers.took(event):
            return None
        if not self.exists:
            return "deletion of the set"
        ordinal = event.name.rpartition("-")[2]
        is_wanted = ordinal.isdecimal() and int(ordinal) in self.wanted
        return None if is_wanted else "scaling down"

    def _open(self) -> Iterator[_Group]:
        """The last group of each occasion, if anything is in it."""
        last = {group.occasion: group for group in self.groups}
        return (group for group in last.values() if group.members)

    def _group(self, occasion: Occasion) -> _Group:
        for group in reversed(self.groups):
            if group.occasion == occasion:
                return group
        self.groups.append(_Group(occasion))
        return self.groups[-1]
