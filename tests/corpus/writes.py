"""Writes of hand-made histories."""

from chaoskit.history.requests import RequestRow
from tests.corpus.requests import steady


def writes(*outcomes: str, member: str = "kv-0", start_s: float = 1.0) -> list[RequestRow]:
    """One write a second to a member; write n writes value vn to key kn."""
    rows = steady(
        start_s=start_s,
        seconds=len(outcomes),
        rate_per_s=1,
        operation="write",
        stream=f"kept via {member}",
        load=f"load-{member}",
    )
    return [
        row._replace(entry=member, outcome=outcome, key=f"k{number}", value=f"{member}-v{number}")
        for number, (row, outcome) in enumerate(zip(rows, outcomes, strict=True))
    ]
