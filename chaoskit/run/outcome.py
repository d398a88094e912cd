"""How a run ends when its guarantees did not all hold, or could not be tried."""

from chaoskit.errors import ChaoskitError
from chaoskit.guarantees.judge import Judgement
from chaoskit.guarantees.verdict import Evidence, Outcome, Verdict


class CapabilityAbsent(ChaoskitError):
    """This cluster cannot do what a fault needs: the scenario is not run, which is no failure."""


class NotHeld(AssertionError):
    """At least one guarantee is VIOLATED or UNKNOWN; the message shows each with its evidence."""

    def __init__(self, judgement: Judgement, record: str) -> None:
        self.judgement = judgement
        lines = [f"{judgement.outcome}: the record is in {record}"]
        lines += [line for verdict in judgement.verdicts for line in _lines(verdict)]
        lines.append(f"judge it again: chaoskit check {record}")
        super().__init__("\n".join(lines))


def _lines(verdict: Verdict) -> list[str]:
    lines = [f"  {verdict.outcome:<8} {verdict.title}: {verdict.summary}"]
    if verdict.outcome is not Outcome.HELD:
        lines += [f"           {line}" for line in _evidence(verdict.evidence)]
    return lines


def _evidence(evidence: Evidence) -> list[str]:
    named = (("first", evidence.first), ("worst", evidence.worst), ("last", evidence.last))
    return [f"{name}: {witness.text}" for name, witness in named if witness is not None]
