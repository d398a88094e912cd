"""The witnesses of a scenario's verdicts, numbered as the verdicts and the timeline show them."""

from collections.abc import Sequence
from dataclasses import dataclass

from chaoskit.guarantees.verdict import Verdict, Witness
from chaoskit.report.axis import clock_label


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A witness of a verdict, numbered over the scenario; `anchor` is its pin's id."""

    anchor: str
    number: int
    role: str  # "first", "worst", "last", "only", "first and worst" …
    witness: Witness
    moment: str
    outcome: str


def numbered(
    verdicts: Sequence[Verdict], start_ns: int | None, prefix: str
) -> list[list[Evidence]]:
    """For each verdict its witnesses, each once, numbered through the scenario."""
    found = []
    number = 0
    for verdict in verdicts:
        roles: dict[tuple[int, str], list[str]] = {}
        witnesses: dict[tuple[int, str], Witness] = {}
        for role in ("first", "worst", "last"):
            witness: Witness | None = getattr(verdict.evidence, role)
            if witness is not None:
                key = (witness.time_ns, witness.text)
                roles.setdefault(key, []).append(role)
                witnesses[key] = witness
        own = []
        for key, witness in witnesses.items():
            number += 1
            own.append(
                Evidence(
                    anchor=f"{prefix}-e{number}",
                    number=number,
                    role=" and ".join(roles[key]) if verdict.evidence.count != 1 else "only",
                    witness=witness,
                    moment=moment_label(witness.time_ns, start_ns),
                    outcome=verdict.outcome.value.lower(),
                )
            )
        found.append(own)
    return found


def moment_label(time_ns: int, start_ns: int | None) -> str:
    """A moment by the seconds since the first one of its record."""
    if start_ns is None:
        return "time unknown"
    seconds = (time_ns - start_ns) / 1e9
    return f"{seconds:.2f} s" if seconds < 60 else clock_label(seconds)
