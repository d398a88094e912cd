"""How many of each version there were throughout a phase."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings
from chaoskit.guarantees.intervals import FOREVER_NS
from chaoskit.guarantees.objects.availability_over_time import SLACK_NS
from chaoskit.guarantees.objects.watched import Object
from chaoskit.guarantees.traffic.selection import phase_spans
from chaoskit.history.reader import History


@dataclass(frozen=True)
class Present:
    """What is there from one moment on: names and versions by uid."""

    time_ns: int
    members: Mapping[str, tuple[str, str]]

    @property
    def versions(self) -> dict[str, int]:
        """How many there are of each version."""
        return dict(Counter(version for _name, version in self.members.values()))


def version_of(pod: Object) -> str:
    """The tag of a pod's first image."""
    return str(pod["spec"]["containers"][0]["image"]).rsplit(":")[-1]


def require_numbers(subject: str, versions: Mapping[str, int]) -> None:
    """Raise `UsageError` for a number that is not above 0."""
    if any(number < 1 for number in versions.values()):
        raise UsageError("must be above 0", subject=f"{subject}'s numbers", seen=dict(versions))


def in_words(versions: Mapping[str, int]) -> str:
    """The numbers by version: "5 of v1 and 3 of v2"."""
    return " and ".join(f"{n} of {version}" for version, n in sorted(versions.items())) or "none"


def judge_phase(
    found: Findings,
    history: History,
    phase: str,
    wanted: Mapping[str, int],
    states: Sequence[Present],
    *,
    same: bool = False,
) -> None:
    """Violate where others are there in the phase, from 1 s after its beginning on.

    With `same` also where one comes or goes. `states` are by time.
    """
    spans, doubts = phase_spans(history, phase)
    found.doubt(*doubts)
    for start_ns, end_ns in spans:
        settled_ns = start_ns + SLACK_NS
        if end_ns <= settled_ns:
            found.doubt(f"the phase {phase} lasted less than 1 s")
            continue
        last = None if end_ns == FOREVER_NS else end_ns
        before = [state for state in states if state.time_ns <= settled_ns]
        inside = [
            s for s in states if settled_ns < s.time_ns and (last is None or s.time_ns <= last)
        ]
        first = before[-1] if before else Present(settled_ns, {})
        found.coverage["changes in the phase"] = len(inside)
        found.summary = found.summary or f"there were {in_words(first.versions)}"
        first = Present(settled_ns, first.members)
        _judge(found, wanted, [first, *inside], same=same)


def _judge(
    found: Findings, wanted: Mapping[str, int], states: Sequence[Present], *, same: bool
) -> None:
    right: Present | None = None  # the last one with the wanted numbers
    for state in states:
        if state.versions != dict(wanted):
            text = f"there were {in_words(state.versions)}, not {in_words(wanted)}"
            names = [name for name, _version in state.members.values()]
            found.violate(state.time_ns, text, *names)
            continue
        if same and right is not None and state.members.keys() != right.members.keys():
            came = [state.members[uid][0] for uid in state.members.keys() - right.members.keys()]
            gone = [right.members[uid][0] for uid in right.members.keys() - state.members.keys()]
            text = f"{', '.join(sorted(came))} came in place of {', '.join(sorted(gone))}"
            found.violate(state.time_ns, text, *came, *gone)
        right = state
