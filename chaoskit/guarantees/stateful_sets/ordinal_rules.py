"""When a StatefulSet's controller may make or take a member.

The conditions are those of pkg/controller/statefulset/stateful_set_control.go in Kubernetes 1.36:
processReplica (making), processCondemned (scaling down), and the two forms of the rolling update,
with and without the feature gate MaxUnavailableStatefulSet.
"""

from dataclasses import dataclass

from chaoskit.guarantees.objects.watched import is_finished, is_leaving
from chaoskit.guarantees.stateful_sets.members import Members, Wanted, revision_label


@dataclass(frozen=True)
class Objection:
    """Why the controller may not do it, and which other members that concerns."""

    text: str
    others: tuple[str, ...] = ()


def to_creation(
    wanted: Wanted, members: Members, ordinal: int, revision: str | None, now_ns: int
) -> Objection | None:
    """What forbids making the member of that ordinal at that revision; None: nothing."""
    name = members.name(ordinal)
    if ordinal not in wanted.ordinals:
        return Objection(f"{name} was made though only {_ordinals(wanted)} are wanted")
    if not wanted.parallel:
        lower = range(wanted.ordinals.start, ordinal)
        missing = members.unhealthy(lower, now_ns, wanted.min_ready_s)
        if missing:
            return _while(members, f"{name} was made", missing[0])
    due = wanted.revision_of(ordinal)
    if revision is not None and due is not None and revision != due:
        side = "below" if wanted.is_below_partition(ordinal) else "not below"
        where = f" ({side} partition {wanted.partition})" if wanted.partition else ""
        return Objection(f"{name} was made at revision {revision} where {due} is due{where}")
    return None


def to_removal(wanted: Wanted, members: Members, ordinal: int, now_ns: int) -> Objection | None:
    """What forbids taking away the member of that ordinal, of the set's own; None: nothing."""
    if wanted.leaving:
        return None
    if ordinal not in wanted.ordinals:
        return None if wanted.parallel else _to_scaling(wanted, members, ordinal, now_ns)
    state = members.of(ordinal)
    if state is not None and is_finished(state.last.object):
        return None if wanted.parallel else _to_clearing(wanted, members, ordinal, now_ns)
    return _to_update(wanted, members, ordinal, now_ns)


def _to_clearing(wanted: Wanted, members: Members, ordinal: int, now_ns: int) -> Objection | None:
    lower = range(wanted.ordinals.start, ordinal)
    missing = members.unhealthy(lower, now_ns, wanted.min_ready_s)
    done = f"{members.name(ordinal)}, which had finished, was removed"
    return _while(members, done, missing[0]) if missing else None


def _to_scaling(wanted: Wanted, members: Members, ordinal: int, now_ns: int) -> Objection | None:
    done = f"{members.name(ordinal)} was scaled away"
    missing = members.unhealthy(wanted.ordinals, now_ns, wanted.min_ready_s)
    if missing:
        return _while(members, done, missing[0])
    condemned = [o for o in members.ordinals() if o not in wanted.ordinals]
    higher = [o for o in condemned if o > ordinal]
    if higher:
        other = members.name(higher[-1])
        return Objection(f"{done} while {other} was not yet gone", (other,))
    # One that is not healthy itself may go if it is the first such, counted from below.
    unhealthy = [o for o in condemned if not members.is_healthy(o, now_ns, wanted.min_ready_s)]
    if ordinal in unhealthy and unhealthy[0] < ordinal:
        return _while(members, f"{done}, not healthy itself,", unhealthy[0])
    return None


def _to_update(wanted: Wanted, members: Members, ordinal: int, now_ns: int) -> Objection | None:
    done = f"{members.name(ordinal)} was taken away"
    if wanted.on_delete:
        return Objection(f"{done} though its update strategy is OnDelete")
    if wanted.is_below_partition(ordinal):
        return Objection(f"{done} though partition {wanted.partition} protects it")
    if wanted.update_revision is None:
        return None  # without any revision seen nothing can be said
    state = members.of(ordinal)
    if state is not None and revision_label(state.last.object) == wanted.update_revision:
        return Objection(f"{done} though it had the update revision {wanted.update_revision}")
    higher = range(ordinal + 1, wanted.ordinals.stop)
    outdated = [o for o in higher if _is_outdated(wanted, members, o)]
    if outdated:
        other = members.name(outdated[-1])
        return Objection(f"{done} while {other} still had the old revision", (other,))
    return _to_taking_one_more(wanted, members, ordinal, now_ns)


def _to_taking_one_more(
    wanted: Wanted, members: Members, ordinal: int, now_ns: int
) -> Objection | None:
    """Is the outdated member of the highest ordinal the next one now?"""
    done = f"{members.name(ordinal)} was taken away"
    missing = members.unhealthy(wanted.ordinals, now_ns, wanted.min_ready_s)
    if not wanted.parallel:
        condemned = [o for o in members.ordinals() if o not in wanted.ordinals]
        if condemned:
            other = members.name(condemned[-1])
            return Objection(f"{done} for an update while {other} was not yet gone", (other,))
    if wanted.max_unavailable is not None:
        count = len({*missing, ordinal})
        if count <= wanted.max_unavailable:
            return None
        others = tuple(members.name(o) for o in missing if o != ordinal)
        most = wanted.max_unavailable
        return Objection(
            f"{done}, which leaves {count} unavailable (at most {most} may be)", others
        )
    in_the_way = [o for o in missing if o > ordinal or not wanted.parallel]
    if in_the_way:
        return _while(members, f"{done} for an update", in_the_way[-1])
    return None


def _is_outdated(wanted: Wanted, members: Members, ordinal: int) -> bool:
    state = members.of(ordinal)
    if state is None or is_leaving(state.last.object):
        return False
    return revision_label(state.last.object) != wanted.update_revision


def _while(members: Members, done: str, other: int) -> Objection:
    return Objection(f"{done} while {members.how(other)}", (members.name(other),))


def _ordinals(wanted: Wanted) -> str:
    first, last = wanted.ordinals.start, wanted.ordinals.stop - 1
    return f"ordinals {first} to {last}" if last >= first else "no members"
