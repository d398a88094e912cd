"""Which cluster a command means: one of ours, or the context of an existing one."""

import os
from contextlib import ExitStack, closing
from pathlib import Path

from chaoskit.cluster.existing import ExistingProvider
from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.cluster.launch import leftovers
from chaoskit.cluster.provider import Cluster, ClusterSpec
from chaoskit.errors import ClusterError, UsageError


def kubeconfig_file(given: Path | None) -> Path:
    """As kubectl finds it: the option, else the first of KUBECONFIG, else ~/.kube/config."""
    listed = [part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return given or (Path(listed[0]) if listed else Path.home() / ".kube" / "config")


def cluster_for(
    stack: ExitStack,
    *,
    cluster_name: str | None,
    context: str | None,
    namespace: str | None,
    node_faults: bool,
    kubeconfig: Path | None,
) -> Cluster:
    """The cluster that is meant, until the stack ends. Raises `UsageError`, `ClusterError`."""
    if context is None:
        there = {"-n": namespace, "--kubeconfig": kubeconfig, "--node-faults": node_faults}
        if needless := [option for option, given in there.items() if given]:
            raise UsageError(
                "is for an existing cluster",
                subject=", ".join(needless),
                next_step="name that cluster with --context, or leave it out",
            )
        provider = stack.enter_context(closing(K3sProvider()))
        ours = provider.find(_only_cluster(provider, cluster_name))
        return stack.enter_context(closing(ours))
    if cluster_name is not None or namespace is None:
        raise UsageError(
            "an existing cluster is named by --context and -n, and nothing else",
            subject=f"--context {context}",
            seen=f"--cluster {cluster_name}" if cluster_name else "no -n",
            next_step="-n names the one namespace that may be touched",
        )
    existing = ExistingProvider(
        kubeconfig_file(kubeconfig), context, namespace, node_faults=node_faults
    )
    return stack.enter_context(closing(existing.start(ClusterSpec())))


def _only_cluster(provider: K3sProvider, name: str | None) -> str:
    found = [one.cluster for one in leftovers.found(provider.client)]
    if name in found or (name is None and len(found) == 1):
        return name or found[0]
    raise ClusterError(
        "no such cluster" if name else ("there is more than one" if found else "there is none"),
        subject=name or "cluster",
        seen=f"there are: {', '.join(found) or 'none'}",
        next_step="name one with --cluster" if found else "chaoskit cluster up",
    )
