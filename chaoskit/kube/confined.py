"""A client that stays within one namespace, whatever the account behind it may do."""

import re
from pathlib import Path

from chaoskit.errors import UsageError
from chaoskit.kube.client import Kube
from chaoskit.kube.request import Request, Timeouts

_OF_NAMESPACE = re.compile(r"/namespaces/([^/]+)(/.*)?$")

#: What is asked about oneself changes nothing, though it is a POST.
_ABOUT_ONESELF = "/apis/authorization.k8s.io/"


class ConfinedKube(Kube):
    """Refuses, before anything is sent, what reaches beyond `namespace`.

    Objects without a namespace (nodes, volumes) may be read; with `may_change_nodes` nodes may be
    changed too. Everything else raises `UsageError`.
    """

    def __init__(
        self,
        kubeconfig: Path,
        namespace: str,
        *,
        context: str | None = None,
        timeouts: Timeouts | None = None,
        may_change_nodes: bool = False,
    ) -> None:
        super().__init__(kubeconfig, context=context, timeouts=timeouts)
        self.namespace = namespace
        self._may_change_nodes = may_change_nodes

    def _serialized(self, asked: Request) -> tuple[object, ...]:
        self._require_within(asked)
        return super()._serialized(asked)

    def _require_within(self, asked: Request) -> None:
        if self._is_within(asked.method == "GET", asked.path):
            return
        raise UsageError(
            "reaches beyond the namespace that was named",
            subject=f"{asked.method} {asked.path}",
            seen=f"only namespace {self.namespace} may be touched",
            next_step="name that namespace with -n, or leave this out",
        )

    def _is_within(self, reads: bool, path: str) -> bool:
        match = _OF_NAMESPACE.search(path)
        if match is not None:
            # The object Namespace itself is read only: deleting it would end all in it.
            return match[1] == self.namespace and (reads or bool(match[2]))
        if path.startswith(_ABOUT_ONESELF):
            return True
        if self._may_change_nodes and path.startswith("/api/v1/nodes/"):
            return True
        return reads and self._is_of_cluster(path)

    def _is_of_cluster(self, path: str) -> bool:
        """Whether this is no collection of a kind that has namespaces, over all of them."""
        parts = path.strip("/").split("/")
        depth = {"api": 2, "apis": 3}.get(parts[0])
        return depth is None or len(parts) <= depth or parts[depth] in _CLUSTER_WIDE


_CLUSTER_WIDE = frozenset({"nodes", "namespaces", "persistentvolumes", "storageclasses"})
