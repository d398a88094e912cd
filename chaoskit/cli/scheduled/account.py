"""The account of a scheduled pod: what it may do in the one namespace that it works in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from chaoskit.kube.kinds import known

if TYPE_CHECKING:
    from chaoskit.kube.rights import Right


def role(rights: Iterable[Right], metadata: dict[str, Any]) -> dict[str, Any]:
    """A Role of exactly these rights."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": metadata,
        "rules": list(_rules(rights)),
    }


def binding(name: str, account_namespace: str, metadata: dict[str, Any]) -> dict[str, Any]:
    """The Role `name` of the metadata's namespace for the account `name` of another one."""
    account = {"kind": "ServiceAccount", "name": name, "namespace": account_namespace}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [account],
    }


def _rules(rights: Iterable[Right]) -> Iterator[dict[str, Any]]:
    """One rule for the kinds of a group that have the same verbs, in the order of the rights."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for right in dict.fromkeys(rights):
        resource = known(right.kind).plural + (f"/{right.subresource}" if right.subresource else "")
        verbs.setdefault((right.group, resource), []).append(right.verb)
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), allowed in verbs.items():
        alike.setdefault((group, tuple(dict.fromkeys(allowed))), []).append(resource)
    for (group, allowed_all), resources in alike.items():
        yield {"apiGroups": [group], "resources": resources, "verbs": list(allowed_all)}
