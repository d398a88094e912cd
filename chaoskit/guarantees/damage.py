"""What the record cannot say because a part of it is missing."""

from chaoskit.guarantees.intervals import counted
from chaoskit.history.events import LoadMark
from chaoskit.history.reader import History


def lost_events(history: History, start_ns: int | None, end_ns: int | None) -> list[str]:
    """Doubts: events between the two moments (None: no limit) may be missing."""
    return [
        f"events may be missing: {damage.file}: {damage.detail}"
        for damage in history.damage
        if damage.holds == "events" and damage.overlaps(start_ns, end_ns)
    ]


def has_all_events(history: History) -> bool:
    """Whether no event is missing: only then does a mark without its counterpart make no sense."""
    return not any(damage.holds == "events" for damage in history.damage)


def lost_requests(history: History, start_ns: int | None, end_ns: int | None) -> list[str]:
    """Doubts: requests planned between the two moments (None: no limit) may be missing."""
    return [
        f"requests may be missing: {damage.file}: {damage.detail}"
        for damage in history.damage
        if damage.holds == "requests" and damage.overlaps(start_ns, end_ns)
    ]


def incomplete_loads(history: History) -> list[str]:
    """Doubts: a load died, was never stopped, or has fewer rows than slots."""
    rows = rows_per_load(history)
    doubts = []
    last: dict[str, LoadMark] = {}
    for mark in history.of(LoadMark):
        if mark.mark == "died":
            doubts.append(f"load {mark.load_id} died {mark.detail}".rstrip())
        last[mark.load_id] = mark
    for load_id, mark in last.items():
        if mark.mark in ("started", "steady", "stopping"):
            doubts.append(f"the record does not hold the end of load {load_id}")
        elif rows.get(load_id, 0) < mark.planned:
            seen = rows.get(load_id, 0)
            doubts.append(f"load {load_id} has {seen} requests for {mark.planned} planned slots")
    return doubts


def rows_per_load(history: History) -> dict[str, int]:
    """How many requests each load has in the record."""
    codes, loads = history.texts("load")
    return dict(zip(loads, counted(codes, len(loads)).tolist(), strict=True))
