"""When a load is steady: in open loop every stream gets its answers at about the planned rate, in
closed loop every user is served.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping
from typing import NamedTuple, Protocol

#: The span over which answers are compared with slots.
WINDOW_S = 1.5
#: An answer in the span may be that of a slot planned up to so long before it: where the rate
#: changes within the span, the planned slots are counted over a span that begins earlier, too.
ANSWERED_WITHIN_S = 0.5
#: Slots a stream must have planned in the span; at low rates the span grows until it has them.
LEAST_SLOTS = 3
#: Part of the planned slots that must have been answered ok in the span.
LEAST_RATIO = 0.9
_ANSWERED_WITHIN_NS = int(ANSWERED_WITHIN_S * 1e9)


class Tally(NamedTuple):
    """What one stream had done by some moment: slots planned, requests answered ok."""

    planned: int
    ok: int


class Gate(Protocol):
    """Says whether a load is steady."""

    def update(self, time_ns: int, tallies: Mapping[str, Tally]) -> bool:
        """Take in the tallies of `time_ns`; True while the load is steady."""
        ...


class SteadyGate:
    """The gate of an open loop, fed a few times a second.

    A request still in flight at the edge of the span is neither for nor against: one is forgiven,
    and where the rate rises, as many as it rose by within `ANSWERED_WITHIN_S`.
    """

    def __init__(self) -> None:
        self._streams: dict[str, _Stream] = {}

    def update(self, time_ns: int, tallies: Mapping[str, Tally]) -> bool:
        """Take in the tallies of `time_ns`; True while every stream is steady."""
        for name in tallies.keys() - self._streams.keys():
            self._streams[name] = _Stream()
        # Every stream takes in its tally, also behind one that is not steady.
        steady = [self._streams[name].update(time_ns, tally) for name, tally in tallies.items()]
        return all(steady)


class UserGate:
    """The gate of a closed loop: each of `users` was served within the last `window_s` seconds,
    and at least `LEAST_RATIO` of all answers in them were ok.
    """

    def __init__(self, users: int, window_s: float) -> None:
        self._users = users
        self._window_ns = int(window_s * 1e9)
        self._served_ns: dict[str, int] = {}
        self._total = Tally(0, 0)
        self._seen = deque([(0, self._total)])

    def answered(self, user: str | None, time_ns: int, *, ok: bool) -> None:
        """A request of a user ended; None for one whose user is not known."""
        self._total = Tally(self._total.planned + 1, self._total.ok + ok)
        if ok and user is not None:
            self._served_ns[user] = time_ns

    def unserved(self, time_ns: int) -> int:
        """Users that were not served in the window that ends now."""
        since_ns = time_ns - self._window_ns
        served = sum(served_ns >= since_ns for served_ns in self._served_ns.values())
        return max(self._users - served, 0)

    def update(self, time_ns: int, tallies: Mapping[str, Tally]) -> bool:
        """True while the load is steady; the streams' tallies play no part."""
        self._seen.append((time_ns, self._total))
        while len(self._seen) > 1 and self._seen[1][0] <= time_ns - self._window_ns:
            self._seen.popleft()
        before = self._seen[0][1]
        answered, ok = self._total.planned - before.planned, self._total.ok - before.ok
        return not self.unserved(time_ns) and ok >= LEAST_RATIO * answered


class _Stream:
    """The tallies of one stream, as far back as they are needed."""

    def __init__(self) -> None:
        self._seen: list[tuple[int, Tally]] = []

    def update(self, time_ns: int, tally: Tally) -> bool:
        seen = self._seen
        if len(seen) > 1 and seen[-2][1] == seen[-1][1] == tally:
            seen.pop()  # nothing happened: an idle stream is not remembered tick by tick
        seen.append((time_ns, tally))
        for begin in range(len(seen) - 1, -1, -1):
            if time_ns - seen[begin][0] < WINDOW_S * 1e9:
                continue
            planned = tally.planned - seen[begin][1].planned
            earlier_ns = seen[begin][0] - _ANSWERED_WITHIN_NS
            if seen[0][0] <= earlier_ns:
                ended = seen[self._at(time_ns - _ANSWERED_WITHIN_NS)][1]
                planned = min(planned, ended.planned - seen[self._at(earlier_ns)][1].planned)
            if planned >= LEAST_SLOTS:
                ok = tally.ok - seen[begin][1].ok
                del seen[: self._at(earlier_ns)]
                return ok >= LEAST_RATIO * planned - 1
        return False

    def _at(self, time_ns: int) -> int:
        """The last entry of that time or before; the first if there is none."""
        return max(bisect_right(self._seen, time_ns, key=lambda entry: entry[0]) - 1, 0)
