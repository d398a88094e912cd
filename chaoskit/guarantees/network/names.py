"""Whether names are resolved: not in an outage of DNS, and again soon after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.damage import lost_events
from chaoskit.guarantees.fault_windows import fault_doubts, fault_windows
from chaoskit.guarantees.proportions import trials_needed
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import LookedUp
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class NamesFail:
    """Names are not resolved while a fault lasts.

    So that what goes on meanwhile is known to go on without names. Claims: of the lookups that were
    asked and ended between an injection of `fault` and the request to heal it, at least `at_least`
    got no address, from whatever pod.
    Violated when: more of them got one.
    Unknown when: fewer than 3/(1 - at_least) were asked (the rule of three), a pod that asked had
    no name resolved before the fault, or the fault was not proved in effect.
    """

    at_least: float
    fault: str

    name: ClassVar[str] = "names_fail"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"at least {self.at_least:.1%} of names fail during {self.fault}")
        windows = fault_windows(history, self.fault)
        found.doubt(*fault_doubts(windows, self.fault), *lost_events(history, None, None))
        lookups = history.of(LookedUp)
        first_ns = min((window.requested_ns for window in windows), default=0)
        asked = [
            each
            for each in lookups
            for window in windows
            if window.injected_ns is not None
            and window.injected_ns <= each.asked_ns
            and each.time_ns <= (window.heal_requested_ns or window.end_ns)
        ]
        could = {each.pod for each in lookups if each.time_ns < first_ns and _is_answered(each)}
        for pod in sorted({each.pod for each in asked} - could):
            found.doubt(f"{pod} had no name resolved before {self.fault}")
        needed = trials_needed(1 - self.at_least)
        if len(asked) < needed:
            found.doubt(f"{len(asked)} lookups are too few to tell ({needed} needed)")
        answered = [each for each in asked if _is_answered(each)]
        found.coverage |= {"lookups": len(asked), "answered": len(answered), "pods": len(could)}
        if asked:
            share = 1 - len(answered) / len(asked)
            found.figures["failed_share"] = share
            found.summary = f"{len(asked) - len(answered)} of {len(asked)} lookups failed"
            if len(answered) > (1 - self.at_least) * max(len(asked), needed):
                for each in answered:
                    text = f"{each.pod} was told the address of {each.name}"
                    found.violate(each.time_ns, text, each.pod, each.name)
        return conclude(self, found)


@dataclass(frozen=True, kw_only=True)
class NamesAnswerAgain:
    """Names are resolved again soon after a fault is healed.

    Claims: each pod that asked during `fault` has a name resolved within `at_most_s` of its last
    heal, and no lookup that it asked later than that fails.
    Violated when: it has not, or one fails.
    Unknown when: a pod asked no more after that time, or not at all during the fault, or the fault
    was not proved in effect.
    """

    at_most_s: float
    fault: str

    name: ClassVar[str] = "names_answer_again"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"names answer {self.at_most_s:g} s after {self.fault}")
        windows = fault_windows(history, self.fault)
        found.doubt(*fault_doubts(windows, self.fault), *lost_events(history, None, None))
        healed = [window.healed_ns for window in windows if window.healed_ns is not None]
        lookups = history.of(LookedUp)
        pods = {e.pod for e in lookups for w in windows if w.contains(e.asked_ns)}
        if not pods:
            found.doubt(f"no pod looked a name up during {self.fault}")
        if healed:
            for pod in sorted(pods):
                after = [e for e in lookups if e.pod == pod and e.asked_ns > max(healed)]
                self._judge(found, pod, after, max(healed))
        found.coverage["pods"] = len(pods)
        return conclude(self, found)

    def _judge(self, found: Findings, pod: str, after: Sequence[LookedUp], healed_ns: int) -> None:
        limit_ns = healed_ns + int(self.at_most_s * 1e9)
        late = [each for each in after if each.asked_ns > limit_ns]
        found.coverage["lookups later"] = found.coverage.get("lookups later", 0) + len(late)
        answered = next((each for each in after if _is_answered(each)), None)
        if answered is not None:
            took_s = (answered.time_ns - healed_ns) / 1e9
            longest_s = max(took_s, found.figures.get("answered_after_s", 0.0))
            found.figures["answered_after_s"] = longest_s
            found.summary = f"names answered {longest_s:.2f} s after the heal at the latest"
            if took_s > self.at_most_s:
                text = f"{pod} had no name resolved for {took_s:.1f} s after the heal"
                found.violate(answered.time_ns, text, pod, weight=took_s)
                return
        if not late:
            found.doubt(f"{pod} looked nothing up later than {self.at_most_s:g} s after the heal")
        for each in late:
            if not _is_answered(each):
                what = each.problem or "no such name"
                text = f"{pod} was not told {each.name} after the heal: {what}"
                found.violate(each.time_ns, text, pod, each.name)


def names_fail(at_least: float, *, during: str) -> NamesFail:
    """So many lookups fail during a fault; see `NamesFail`.

    Raises `UsageError` for a share that is not between 0 and 1.
    """
    if not 0 < at_least < 1:
        raise UsageError("is not a share between 0 and 1", subject="names_fail", seen=at_least)
    return NamesFail(at_least=at_least, fault=during)


def names_answer_again(at_most_s: float, *, after: str) -> NamesAnswerAgain:
    """Names answer soon after a fault; see `NamesAnswerAgain`.

    Raises `UsageError` for a time that is not positive.
    """
    if at_most_s <= 0:
        raise UsageError("must be positive", subject="names_answer_again", seen=at_most_s)
    return NamesAnswerAgain(at_most_s=at_most_s, fault=after)


def _is_answered(lookup: LookedUp) -> bool:
    return not lookup.problem and bool(lookup.answers)
