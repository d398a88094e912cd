"""What a fault may not touch unless the scenario says so: judged before anything is broken."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import UsageError
from chaoskit.faults.fault import Fault, Reach
from chaoskit.faults.rights import rights_needed
from chaoskit.kube import rights

#: What `allow=` may name, each with what it lets a fault do.
ALLOWANCES = {
    "entry_node": "cut a node through which a running load comes in",
    "last_control_plane": "cut the last node with a control plane",
    "foreign_namespace": "touch a namespace that is not this run's own",
    "node_faults": "touch nodes of a cluster that chaoskit has not started",
    "shared_cluster": "touch what scenarios of other workers use at the same time",
}
EVERYTHING = tuple(ALLOWANCES)

#: What nothing allows on a cluster that is somebody else's, and what to do.
_NEVER_ELSEWHERE = {
    "foreign_namespace": "choose a target in the run's own namespace",
    "node_faults": "take up the cluster with ExistingProvider(node_faults=True)",
}


#: What to do in place of allowing it.
_BETTER = {
    "shared_cluster": "mark the scenario @pytest.mark.alone: it then waits until it is by itself",
}


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What is to be spared: the nodes through which running loads come in (`entries`), the nodes
    with a control plane that are not cut already, the run's own namespaces (None: any will do),
    and whether nodes may be broken here at all.
    """

    entries: Collection[str]
    control_plane: Collection[str]
    namespaces: Collection[str] | None
    has_node_faults: bool
    #: Somebody else's cluster: nothing beyond the namespace can be allowed.
    is_confined: bool = False
    #: Scenarios of other processes run on it at the same time.
    is_shared: bool = False


def require_allowed(fault: Fault, around: Surroundings, allow: Collection[str]) -> None:
    """Raise `UsageError` for a fault that reaches further than `allow` lets it."""
    if unknown := sorted(set(allow) - ALLOWANCES.keys()):
        raise UsageError(
            "nothing that can be allowed",
            subject=f"fault {fault.name} on {fault.target}",
            seen=", ".join(unknown),
            next_step=f"allow takes {', '.join(ALLOWANCES)}",
        )
    for name, what, seen in _excesses(fault.reach, around):
        if around.is_confined and name in _NEVER_ELSEWHERE:
            raise UsageError(
                f"would {what}",
                subject=f"fault {fault.name} on {fault.target}",
                seen=f"{seen}, of a cluster that chaoskit has not started",
                next_step=_NEVER_ELSEWHERE[name],
            )
        if name not in allow:
            raise UsageError(
                f"would {what}",
                subject=f"fault {fault.name} on {fault.target}",
                seen=seen,
                next_step=f"{_BETTER.get(name, 'choose another target')}, or allow it by name:"
                f' allow=("{name}",)',
            )


def require_on(
    cluster: Cluster,
    fault: Fault,
    allow: Collection[str],
    *,
    namespaces: Collection[str] | None,
    entries: Collection[str] = (),
    cut: Collection[str] = (),
    is_shared: bool = False,
) -> None:
    """`require_allowed` on this cluster, whose nodes `cut` are away already.

    Where the cluster is somebody else's, `ClusterError` names each right that the account lacks
    besides: an account of our own clusters may do anything.
    """
    around = Surroundings(
        entries=entries,
        control_plane={node.name for node in cluster.servers} - set(cut),
        namespaces=namespaces,
        has_node_faults="node_faults" in cluster.capabilities,
        is_confined=cluster.is_confined,
        is_shared=is_shared,
    )
    require_allowed(fault, around, allow)
    if cluster.is_confined:
        rights.require(cluster.kube, rights_needed(fault), purpose=f"fault {fault.name}")


def _excesses(reach: Reach, around: Surroundings) -> Iterator[tuple[str, str, str]]:
    if hit := sorted(reach.cut & set(around.entries)):
        yield "entry_node", ALLOWANCES["entry_node"], f"a load comes in through {', '.join(hit)}"
    servers = set(around.control_plane)
    if servers and servers <= reach.cut:
        names = ", ".join(sorted(servers))
        yield "last_control_plane", ALLOWANCES["last_control_plane"], f"no other than {names}"
    foreign = sorted(reach.namespaces - set(around.namespaces or reach.namespaces))
    if foreign:
        own = ", ".join(sorted(around.namespaces or ()))
        seen = f"namespace {', '.join(foreign)}, its own is {own}"
        yield "foreign_namespace", ALLOWANCES["foreign_namespace"], seen
    if reach.nodes and not around.has_node_faults:
        nodes = ", ".join(sorted(reach.nodes))
        yield "node_faults", ALLOWANCES["node_faults"], f"nodes {nodes}"
    if around.is_shared and (felt := _felt_by_all(reach)):
        yield "shared_cluster", ALLOWANCES["shared_cluster"], felt


def _felt_by_all(reach: Reach) -> str:
    """What of its reach whoever is on the cluster may feel, in words."""
    nodes = frozenset() if reach.only_own else reach.nodes | reach.cut
    felt = [f"nodes {', '.join(sorted(nodes))}"] if nodes else []
    felt += ["the control plane"] if reach.control_plane else []
    felt += ["the private registry"] if reach.registry else []
    return ", ".join(felt)
