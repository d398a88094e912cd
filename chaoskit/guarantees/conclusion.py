"""From what was found to a verdict, the same way for every guarantee."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from chaoskit.guarantees.verdict import Evidence, Outcome, Verdict, Witness


class Identified(Protocol):
    """The name and version of a guarantee."""

    name: ClassVar[str]
    version: ClassVar[int]


@dataclass(kw_only=True)
class Findings:
    """What one check has found so far.

    Any violation makes the verdict VIOLATED; otherwise any doubt makes it UNKNOWN; otherwise it
    is HELD. `summary` is the sentence with the figures.
    """

    title: str
    summary: str = ""
    violations: list[Witness] = field(default_factory=list)
    violation_count: int | None = None
    worst: Witness | None = None
    doubts: list[str] = field(default_factory=list)
    coverage: dict[str, int] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    heaviest: float = 0.0
    blind_from_ns: int | None = None

    def violate(self, time_ns: int, text: str, *objects: str, weight: float = 0.0) -> None:
        """Something that must not be was seen at `time_ns`; the heaviest is the worst."""
        witness = Witness(time_ns=time_ns, text=text, objects=list(objects))
        self.violations.append(witness)
        if weight > self.heaviest:
            self.heaviest, self.worst = weight, witness

    def go_blind(self, from_ns: int | None) -> None:
        """From that moment on the record may lack what would excuse a violation: accuse no more."""
        if from_ns is not None:
            before = self.blind_from_ns
            self.blind_from_ns = from_ns if before is None else min(before, from_ns)

    def doubt(self, *reasons: str) -> None:
        """Something that keeps the claim from being proved; said once however often it occurs."""
        self.doubts.extend(reason for reason in reasons if reason not in self.doubts)


def conclude(guarantee: Identified, findings: Findings) -> Verdict:
    """The verdict that the findings amount to."""
    blind_ns = findings.blind_from_ns
    seen = [v for v in findings.violations if blind_ns is None or v.time_ns < blind_ns]
    violations = sorted(seen, key=lambda witness: witness.time_ns)
    worst = findings.worst if findings.worst in violations else None
    count = findings.violation_count if len(seen) == len(findings.violations) else None
    evidence = Evidence()
    summary = findings.summary
    if violations:
        outcome = Outcome.VIOLATED
        evidence = Evidence(
            count=count or len(violations),
            first=violations[0],
            worst=worst or violations[0],
            last=violations[-1],
        )
        summary = _joined(summary, (violations[0].text,))
    elif findings.doubts:
        outcome = Outcome.UNKNOWN
        summary = _joined(f"cannot tell: {'; '.join(findings.doubts)}", (summary,))
    else:
        outcome = Outcome.HELD
    return Verdict(
        guarantee=guarantee.name,
        version=guarantee.version,
        title=findings.title,
        outcome=outcome,
        summary=summary or findings.title,
        evidence=evidence,
        coverage=dict(findings.coverage),
        figures=_rounded(findings.figures),
    )


def _joined(first: str, rest: Sequence[str]) -> str:
    return "; ".join(text for text in (first, *rest) if text)


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: round(float(value), 9) for name, value in figures.items()}
