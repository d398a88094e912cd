"""A finding: one thing that a manifest cannot promise."""

from dataclasses import dataclass

from chaoskit.rollout.facts import WorkloadFacts


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`rule` names it, `rows` are those of the catalogue that would show it."""

    rule: str
    subject: str
    field: str
    lacks: str
    remedy: str
    rows: tuple[str, ...]


def finding(
    facts: WorkloadFacts, rule: str, field: str, lacks: str, remedy: str, *rows: str
) -> Finding:
    """One about a workload."""
    return Finding(
        rule=rule, subject=str(facts.ref), field=field, lacks=lacks, remedy=remedy, rows=rows
    )
