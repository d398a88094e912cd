"""A rollout as far as it is known before anything is started or touched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chaoskit.errors import UsageError
from chaoskit.kube.kinds import Object
from chaoskit.rollout import sources, throw_away
from chaoskit.rollout.asked import Asked
from chaoskit.rollout.entry import Entry, entry_of
from chaoskit.rollout.facts import WorkloadFacts
from chaoskit.rollout.promises import Promise, Rollout, promises
from chaoskit.rollout.workloads import changed, images_of
from chaoskit.workloads import template
from chaoskit.workloads.manifest import Manifest

#: What is done to manifests before they are applied.
Adapt = Callable[[Sequence[Manifest]], list[Manifest]]


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What is to be done, and what is promised of it.

    `manifests` are applied before, `further` together with the change, besides the workload, which
    is then `after`.
    """

    asked: Asked
    rollout: Rollout
    after: Object
    entry: Entry
    promised: Sequence[Promise]
    manifests: Sequence[Manifest] = ()
    further: Sequence[Manifest] = ()
    notes: Sequence[str] = ()

    @property
    def images(self) -> list[str]:
        """Every image that the nodes need."""
        objects = [each.content for each in (*self.manifests, *self.further)]
        wanted = throw_away.images_wanted(objects)
        return list(dict.fromkeys([*wanted, *images_of(self.after)]))

    @property
    def description(self) -> str:
        """What is promised, for report and terminal."""
        lines = [f"{self.asked.load} to {self.entry}.", "", "Promised:"]
        for is_judged in (True, False):
            chosen = [p for p in self.promised if (p.guarantee is not None) is is_judged]
            if chosen and not is_judged:
                lines += ["", "Not judged:"]
            lines += [f"- {each.says} ({each.because})" for each in chosen]
        return "\n".join(lines)


def from_manifests(asked: Asked, standard_input: Callable[[], str]) -> Prepared:
    """Read the manifests and derive what they promise. Raises `UsageError`."""
    if not asked.manifests:
        raise UsageError(
            "there is nothing to roll out",
            subject=str(asked.ref),
            next_step="--manifest with its manifests, or --context of the cluster where it runs",
        )
    notes: list[str] = []
    read = sources.read(asked.manifests, asked.namespace, standard_input)
    notes += [f"left out: {each}" for each in read.left_out]
    manifests = throw_away.adapted(read.manifests, notes.append)
    before = workload_in(manifests, asked)
    applied, further = change_from_manifests(
        asked, standard_input, lambda read: throw_away.adapted(read, notes.append)
    )
    return prepared(
        asked,
        before=before,
        beside=[each.content for each in manifests],
        applied=applied,
        manifests=manifests,
        further=further,
        notes=notes,
    )


def prepared(
    asked: Asked,
    *,
    before: Object,
    beside: Sequence[Object],
    applied: Object | None = None,
    manifests: Sequence[Manifest] = (),
    further: Sequence[Manifest] = (),
    notes: Sequence[str] = (),
    sees_nodes: bool = True,
    sees_claims: bool = True,
    is_inside: bool = False,
) -> Prepared:
    """From the workload as it is, and what stands beside it; `applied` is what it is to be.

    `is_inside`: requests come from inside of the cluster.

    Raises `UsageError` for a change that cannot be made, or no Service to send requests to.
    """
    after = changed(before, asked.change, asked.ref, applied)
    if not asked.change.restart and template.equal(
        before["spec"]["template"], after["spec"]["template"]
    ):
        raise UsageError(
            "nothing would be rolled out: the pod template stays as it is",
            subject=str(asked.ref),
            seen=str(asked.change),
            next_step="another image or manifest, or --restart for the same anew",
        )
    rollout = Rollout(
        before=WorkloadFacts(before, beside),
        after=WorkloadFacts(after, _replaced(beside, further)),
        change=asked.change,
        claims=asked.claims,
        sees_nodes=sees_nodes,
        sees_claims=sees_claims,
        by_users=asked.load.by_users,
    )
    return Prepared(
        asked=asked,
        rollout=rollout,
        after=after,
        entry=entry_of(rollout.before, asked.load.service, asked.load.port, is_inside=is_inside),
        promised=promises(rollout),
        manifests=manifests,
        further=further,
        notes=notes,
    )


def change_from_manifests(
    asked: Asked, standard_input: Callable[[], str], adapt: Adapt = list
) -> tuple[Object | None, list[Manifest]]:
    """The workload as it is to be, and what is applied with it; (None, []) for other changes."""
    if not asked.change.to:
        return None, []
    read = sources.read(asked.change.to, asked.namespace, standard_input)
    later = adapt(read.manifests)
    applied = workload_in(later, asked)
    return applied, [each for each in later if each.content is not applied]


def workload_in(manifests: Sequence[Manifest], asked: Asked) -> Object:
    """The workload that was named. Raises `UsageError` saying what there is."""
    for each in manifests:
        if each.ref == asked.ref:
            return each.content
    raise UsageError(
        "is not among the manifests",
        subject=str(asked.ref),
        seen=", ".join(str(each.ref) for each in manifests) or "no object",
        next_step="name one of these, or further manifests",
    )


def _replaced(beside: Sequence[Object], further: Sequence[Manifest]) -> list[Object]:
    """What stands beside the workload once the change was applied."""
    new = {str(each.ref): each.content for each in further}
    kept = [item for item in beside if _name(item) not in new]
    return [*kept, *new.values()]


def _name(item: Object) -> str:
    namespace = item["metadata"].get("namespace")
    name = item["metadata"]["name"]
    return f"{item['kind']} {namespace}/{name}" if namespace else f"{item['kind']} {name}"
