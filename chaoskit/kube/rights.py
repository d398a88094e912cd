"""What an account may do, as the API server itself says (SelfSubjectAccessReview)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chaoskit.errors import ClusterError
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import known


@dataclass(frozen=True, order=True)
class Right:
    """One verb on one kind; `namespace` None for kinds without one."""

    verb: str
    kind: str
    namespace: str | None
    subresource: str = ""

    def __str__(self) -> str:
        what = known(self.kind).plural + (f"/{self.subresource}" if self.subresource else "")
        where = f" in namespace {self.namespace}" if self.namespace else " (cluster-wide)"
        return f"{self.verb} {what}{where}"

    @property
    def group(self) -> str:
        """The API group, "" for the core."""
        version = known(self.kind).api_version
        return version.rpartition("/")[0]


def rights(verbs: str, kinds: Iterable[str], namespace: str | None) -> list[Right]:
    """Each of these verbs ("get list") on each of these kinds."""
    return [
        Right(verb, kind, namespace if known(kind).namespaced else None)
        for kind in kinds
        for verb in verbs.split()
    ]


def has(kube: Kube, right: Right) -> bool:
    """Whether the account of this client has that right. Raises `KubernetesError`."""
    attributes = {
        "verb": right.verb,
        "group": right.group,
        "resource": known(right.kind).plural,
        "subresource": right.subresource,
        **({"namespace": right.namespace} if right.namespace else {}),
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "metadata": {},
        "spec": {"resourceAttributes": attributes},
    }
    return bool(kube.create(review).get("status", {}).get("allowed"))


def missing(kube: Kube, wanted: Sequence[Right]) -> list[Right]:
    """Those that the account lacks, each once."""
    return [right for right in dict.fromkeys(wanted) if not has(kube, right)]


def require(kube: Kube, wanted: Sequence[Right], *, purpose: str) -> None:
    """Raise `ClusterError` naming every right that the account lacks; touches nothing."""
    lacking = missing(kube, wanted)
    if lacking:
        raise ClusterError(
            f"the account lacks {len(lacking)} rights that {purpose} needs; nothing was touched",
            subject=kube.server,
            seen="; ".join(map(str, lacking)),
            next_step="have a Role with these bound to it, or name another context",
        )
