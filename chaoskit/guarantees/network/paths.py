"""What a fault does to packets on their way, and that it does so on no other way."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.network.measurements import (
    around_all_faults,
    compared,
    judge_unchanged,
    require_measured,
    told,
)
from chaoskit.guarantees.objects.watched import Subject, name_of
from chaoskit.guarantees.proportions import interval
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class PathLoses:
    """A share of the packets from one node to another is lost while a fault lasts.

    Claims: of the datagrams sent from `source` to `destination` while `fault` was in effect, the
    share that was lost lies between `at_least` and `at_most`.
    Violated when: the exact 95 % interval of the share lies outside.
    Unknown when: it lies across a limit (too few datagrams), the path was not measured meanwhile,
    or the fault was not proved in effect.
    """

    source: str
    destination: str
    at_least: float
    at_most: float
    fault: str

    name: ClassVar[str] = "path_loses"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        way = self.source, self.destination
        wanted = f"{self.at_least:.1%} to {self.at_most:.1%}"
        found = Findings(title=f"{told(way)} loses {wanted} during {self.fault}")
        paths = compared(found, history, self.fault)
        if require_measured(found, paths.lasted, way, f"during {self.fault}"):
            path = paths.lasted[way]
            low, high = interval(path.sent - path.came, path.sent)
            found.coverage["datagrams"] = path.sent
            found.figures |= {"lost_share": path.lost_share, "lost_share_at_least": low}
            found.figures["lost_share_at_most"] = high
            text = f"{path.lost_share:.2%} of {path.sent} lost ({low:.2%} to {high:.2%} at 95 %)"
            found.summary = f"{text}, {wanted} claimed"
            if high < self.at_least or low > self.at_most:
                found.violate(path.moment_ns, f"{told(way)}: {text}, not {wanted}", *way)
            elif low < self.at_least or high > self.at_most:
                found.doubt(f"{path.sent} datagrams do not tell: {text}")
        return conclude(self, found)


@dataclass(frozen=True, kw_only=True)
class PathDelayed:
    """Packets from one node to another take so much longer while a fault lasts.

    Claims: the median time one way from `source` to `destination` while `fault` was in effect is
    longer than before it by `at_least_ms` to `at_most_ms`.
    Violated when: it is longer by less or by more.
    Unknown when: the path was not measured before or meanwhile, or fewer than 20 datagrams came,
    or the fault was not proved in effect.
    """

    source: str
    destination: str
    at_least_ms: float
    at_most_ms: float
    fault: str

    name: ClassVar[str] = "path_delayed"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        way = self.source, self.destination
        wanted = f"{self.at_least_ms:g} to {self.at_most_ms:g} ms"
        found = Findings(title=f"{told(way)} takes {wanted} longer during {self.fault}")
        paths = compared(found, history, self.fault)
        there = [
            require_measured(found, paths.before, way, f"before {self.fault}"),
            require_measured(found, paths.lasted, way, f"during {self.fault}"),
        ]
        if all(there):
            before, during = paths.before[way].median_ms, paths.lasted[way].median_ms
            if before is None or during is None:
                found.doubt(f"too few datagrams came from {way[0]} to {way[1]}")
                return conclude(self, found)
            added = during - before
            found.figures |= {"added_ms": added, "before_ms": before, "during_ms": during}
            found.summary = f"{added:.1f} ms longer ({before:.1f} before, {during:.1f} during)"
            if not self.at_least_ms <= added <= self.at_most_ms:
                text = f"{told(way)} took {added:.1f} ms longer, not {wanted}"
                found.violate(paths.lasted[way].moment_ns, text, *way, weight=abs(added))
        return conclude(self, found)


@dataclass(frozen=True, kw_only=True)
class PathNarrowed:
    """What one node sends to another arrives at no more than a rate while a fault lasts.

    Claims: datagrams sent faster than that from `source` to `destination` while `fault` was in
    effect arrive at no more than `at_most_mbit` Mbit/s.
    Violated when: they arrive faster.
    Unknown when: none came or the path was not measured, it was no faster before the fault (so
    that nothing was narrowed), or the fault was not proved in effect.
    """

    source: str
    destination: str
    at_most_mbit: float
    fault: str

    name: ClassVar[str] = "path_narrowed"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        way = self.source, self.destination
        limit = f"{self.at_most_mbit:g} Mbit/s"
        found = Findings(title=f"{told(way)} lets through at most {limit} during {self.fault}")
        paths = compared(found, history, self.fault)
        before, lasted = paths.before.get(way), paths.lasted.get(way)
        if before is None or before.rate_mbit <= self.at_most_mbit:
            found.doubt(f"{told(way)} was not seen to be faster than {limit} before")
        if lasted is None or not lasted.rate_mbit:
            found.doubt(f"no rate was measured from {way[0]} to {way[1]} during {self.fault}")
        else:
            found.figures["rate_mbit"] = lasted.rate_mbit
            earlier = 0.0 if before is None else before.rate_mbit
            found.figures["rate_before_mbit"] = earlier
            found.summary = f"{lasted.rate_mbit:.2f} Mbit/s, {earlier:.2f} before"
            if lasted.rate_mbit > self.at_most_mbit:
                text = f"{told(way)} let {lasted.rate_mbit:.2f} Mbit/s through, over {limit}"
                found.violate(lasted.moment_ns, text, *way, weight=lasted.rate_mbit)
        return conclude(self, found)


@dataclass(frozen=True, kw_only=True)
class OtherPathsUnchanged:
    """A fault on some ways between nodes changes nothing on any other.

    Claims: on each way that was measured before and during `fault`, but for those `touched`, at
    most `lost_at_most` of the datagrams are lost, they take at most `added_at_most_ms` longer than
    before, and arrive at no less than half the rate.
    Violated when: one of them loses more (by the exact 95 % bound), takes longer, or is slower.
    Unknown when: no other way was measured, one was not measured before or lost as much then, or
    the fault was not proved in effect.
    """

    touched: tuple[tuple[str, str], ...]
    fault: str
    lost_at_most: float
    added_at_most_ms: float

    name: ClassVar[str] = "other_paths_unchanged"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"paths that {self.fault} does not touch are unchanged")
        paths = compared(found, history, self.fault)
        others = [way for way in paths.lasted if way not in self.touched]
        found.coverage |= {"other ways": len(others), "ways touched": len(self.touched)}
        if not others:
            found.doubt("no other way was measured")
        for way in others:
            if require_measured(found, paths.before, way, f"before {self.fault}"):
                judge_unchanged(
                    found,
                    way,
                    paths.before[way],
                    paths.lasted[way],
                    lost_at_most=self.lost_at_most,
                    added_at_most_ms=self.added_at_most_ms,
                )
        if found.figures:
            found.summary = f"{len(others)} other ways: {_worst(found)}"
        return conclude(self, found)


@dataclass(frozen=True, kw_only=True)
class PathsAsBefore:
    """After all faults are healed, every way between nodes is what it was before them.

    Claims: on each way that was measured both before the first fault and after the last heal, at
    most `lost_at_most` of the datagrams are lost, and they take at most `added_at_most_ms` longer.
    Violated when: one of them loses more (by the exact 95 % bound), or takes longer.
    Unknown when: no way was measured both times, a fault was never healed or none was injected.
    """

    lost_at_most: float
    added_at_most_ms: float

    name: ClassVar[str] = "paths_as_before"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title="paths are as before once all faults are healed")
        before, after = around_all_faults(found, history)
        both = [way for way in after if way in before]
        found.coverage["ways"] = len(both)
        if not both:
            found.doubt("no way was measured before the first fault and after the last heal")
        for way in both:
            judge_unchanged(
                found,
                way,
                before[way],
                after[way],
                lost_at_most=self.lost_at_most,
                added_at_most_ms=self.added_at_most_ms,
            )
        if found.figures:
            found.summary = f"{len(both)} ways: {_worst(found)}"
        return conclude(self, found)


def paths_as_before(*, lost_at_most: float = 0.01, added_at_most_ms: float = 20.0) -> PathsAsBefore:
    """All ways are as before once all faults are healed; see `PathsAsBefore`."""
    return PathsAsBefore(lost_at_most=lost_at_most, added_at_most_ms=added_at_most_ms)


def path_loses(
    source: Subject, destination: Subject, *, at_least: float, at_most: float, during: str
) -> PathLoses:
    """A path loses a share (0 … 1) of its packets; see `PathLoses`.

    Raises `UsageError` for limits that are no shares, or in the wrong order.
    """
    if not 0 <= at_least <= at_most <= 1:
        raise UsageError(
            "are no limits of a share", subject="path_loses", seen=f"{at_least:g} to {at_most:g}"
        )
    return PathLoses(
        source=name_of(source),
        destination=name_of(destination),
        at_least=at_least,
        at_most=at_most,
        fault=during,
    )


def path_delayed(
    source: Subject, destination: Subject, *, at_least_ms: float, at_most_ms: float, during: str
) -> PathDelayed:
    """Packets take so much longer; see `PathDelayed`. Raises `UsageError` for no such limits."""
    if at_least_ms > at_most_ms:
        raise UsageError(
            "are no limits", subject="path_delayed", seen=f"{at_least_ms:g} to {at_most_ms:g} ms"
        )
    return PathDelayed(
        source=name_of(source),
        destination=name_of(destination),
        at_least_ms=at_least_ms,
        at_most_ms=at_most_ms,
        fault=during,
    )


def path_narrowed(
    source: Subject, destination: Subject, *, at_most_mbit: float, during: str
) -> PathNarrowed:
    """No more than that rate arrives; see `PathNarrowed`. Raises `UsageError` for no rate."""
    if at_most_mbit <= 0:
        raise UsageError("must be positive", subject="path_narrowed", seen=at_most_mbit)
    return PathNarrowed(
        source=name_of(source),
        destination=name_of(destination),
        at_most_mbit=at_most_mbit,
        fault=during,
    )


def other_paths_unchanged(
    *touched: tuple[Subject, Subject],
    during: str,
    lost_at_most: float = 0.01,
    added_at_most_ms: float = 20.0,
) -> OtherPathsUnchanged:
    """All ways but those `touched` are as before; see `OtherPathsUnchanged`."""
    return OtherPathsUnchanged(
        touched=tuple((name_of(source), name_of(destination)) for source, destination in touched),
        fault=during,
        lost_at_most=lost_at_most,
        added_at_most_ms=added_at_most_ms,
    )


def _worst(found: Findings) -> str:
    """The worst of the ways that were to be unchanged, in words."""
    lost, added = found.figures["lost_share"], found.figures.get("added_ms", 0.0)
    return f"at most {lost:.2%} lost and {added:.1f} ms longer"
