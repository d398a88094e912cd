"""Requests to the API server as values: what is asked, before anything is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

from chaoskit.errors import UsageError
from chaoskit.kube import kinds
from chaoskit.kube.kinds import Kind, Object, Objects
from chaoskit.kube.refusal import Call

FIELD_MANAGER = "chaoskit"

PatchStyle = Literal["merge", "strategic", "json", "apply"]
Propagation = Literal["Background", "Foreground", "Orphan"]
Selector = Mapping[str, str] | str
Method = Literal["GET", "HEAD", "POST", "PATCH", "DELETE"]

_PATCH_TYPES: dict[PatchStyle, str] = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Seconds until a connection must stand, and until each read must bring something."""

    connect_s: float = 3.0
    read_s: float = 30.0


@dataclass(frozen=True)
class Request:
    """One HTTP request; `call` says it in words for errors."""

    call: Call
    method: Method
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Object | Objects | None = None
    content_type: str = "application/json"


@dataclass(frozen=True)
class Address:
    """Where one object is, or would be: its kind, namespace and name."""

    kind: Kind
    namespace: str | None
    name: str | None


def read(kind: str, name: str, namespace: str | None) -> Request:
    """GET one object."""
    path = kinds.known(kind).path(namespace, name)
    return Request(Call("get", kind, namespace, name), "GET", path)


def page(
    kind: str,
    namespace: str | None,
    *,
    labels: Selector | None = None,
    fields: str | None = None,
    limit: int = 500,
    rest: str | None = None,
    revision: int | None = None,
) -> Request:
    """GET up to `limit` objects of a collection, from `rest` on; as it was at `revision`."""
    query = [("limit", str(limit))]
    if revision is not None and not rest:  # what continues a list knows its revision
        query += [("resourceVersion", str(revision)), ("resourceVersionMatch", "Exact")]
    if labels:
        query.append(("labelSelector", selector_text(labels)))
    if fields:
        query.append(("fieldSelector", fields))
    if rest:
        query.append(("continue", rest))
    path = kinds.known(kind).path(namespace)
    return Request(Call("list", kind, namespace), "GET", path, tuple(query))


def watch(kind: str, namespace: str | None, resource_version: int, timeout_s: int) -> Request:
    """Watch a collection from `resource_version` on, with bookmarks."""
    query = (
        ("watch", "true"),
        ("allowWatchBookmarks", "true"),
        ("resourceVersion", str(resource_version)),
        ("timeoutSeconds", str(timeout_s)),
    )
    return Request(Call("watch", kind, namespace), "GET", kinds.known(kind).path(namespace), query)


def create(at: Address, manifest: Object, *, dry_run: bool) -> Request:
    """POST a new object."""
    call = Call("create", at.kind.name, at.namespace, at.name)
    path = at.kind.path(at.namespace)
    return Request(call, "POST", path, _writing(dry_run), manifest)


def apply(at: Address, manifest: Object, *, dry_run: bool, force: bool) -> Request:
    """PATCH by server-side apply."""
    query = (*_writing(dry_run), ("force", "true" if force else "false"))
    call = Call("apply", at.kind.name, at.namespace, at.name)
    path = at.kind.path(at.namespace, at.name)
    return Request(call, "PATCH", path, query, manifest, _PATCH_TYPES["apply"])


def patch(
    kind: str,
    name: str,
    namespace: str | None,
    change: Object | Objects,
    *,
    style: PatchStyle,
    subresource: str | None,
    dry_run: bool,
) -> Request:
    """PATCH one object, or its subresource."""
    path = kinds.known(kind).path(namespace, name, subresource)
    call = Call("patch", kind, namespace, name)
    return Request(call, "PATCH", path, _writing(dry_run), change, _PATCH_TYPES[style])


def delete(
    kind: str,
    name: str,
    namespace: str | None,
    *,
    grace_period_s: int | None,
    propagation: Propagation | None,
    uid: str | None,
    resource_version: str | None = None,
) -> Request:
    """DELETE one object; a grace period of 0 is sent as 0, None is left out."""
    options: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
    if grace_period_s is not None:
        options["gracePeriodSeconds"] = grace_period_s
    if propagation is not None:
        options["propagationPolicy"] = propagation
    asked = {"uid": uid, "resourceVersion": resource_version}
    if preconditions := {key: value for key, value in asked.items() if value is not None}:
        options["preconditions"] = preconditions
    path = kinds.known(kind).path(namespace, name)
    return Request(Call("delete", kind, namespace, name), "DELETE", path, body=options)


def evict(
    name: str, namespace: str, *, grace_period_s: int | None, uid: str | None = None
) -> Request:
    """POST an Eviction of a pod; with `uid` of no namesake that came meanwhile."""
    body: Object = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
    }
    options: Object = {}
    if grace_period_s is not None:
        options["gracePeriodSeconds"] = grace_period_s
    if uid is not None:
        options["preconditions"] = {"uid": uid}
    if options:
        body["deleteOptions"] = options
    path = kinds.known("Pod").path(namespace, name, "eviction")
    return Request(Call("evict", "Pod", namespace, name), "POST", path, body=body)


def logs(
    name: str, namespace: str, *, container: str | None, previous: bool, tail_lines: int | None
) -> Request:
    """GET what a container wrote, each line with its timestamp."""
    query = [("timestamps", "true")]
    if container:
        query.append(("container", container))
    if previous:
        query.append(("previous", "true"))
    if tail_lines is not None:
        query.append(("tailLines", str(tail_lines)))
    path = kinds.known("Pod").path(namespace, name, "log")
    return Request(Call("read the log of", "Pod", namespace, name), "GET", path, tuple(query))


def execute(name: str, namespace: str, argv: Sequence[str], container: str | None) -> Request:
    """Run a command in a pod's container; to be sent as a WebSocket handshake."""
    query = [("command", argument) for argument in argv]
    query += [("stdout", "true"), ("stderr", "true")]
    if container:
        query.append(("container", container))
    path = kinds.known("Pod").path(namespace, name, "exec")
    return Request(Call("exec in", "Pod", namespace, name), "GET", path, tuple(query))


def proxied(
    method: Method, name: str, namespace: str, port: int, path: str, body: Object | None
) -> Request:
    """An HTTP request to a pod itself, by way of the API server; `path` "" ends in no slash."""
    way, _, query = path.partition("?")
    at = kinds.known("Pod").path(namespace, f"{name}:{port}", "proxy") + way
    call = Call(f"{method} {path or '(no path)'} through the proxy of", "Pod", namespace, name)
    return Request(call, method, at, tuple(parse_qsl(query)), body)


def resources(api_version: str, kind: str) -> Request:
    """GET what an apiVersion serves, to find a kind in it."""
    root = "/api/" if "/" not in api_version else "/apis/"
    return Request(Call(f"look in apiVersion {api_version} for", kind), "GET", root + api_version)


def address(manifest: Object, kind: Kind) -> Address:
    """Where this manifest belongs; raises `UsageError` when it leaves its namespace open."""
    metadata = manifest.get("metadata", {})
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if kind.namespaced and namespace is None:
        raise UsageError(
            "has no metadata.namespace",
            subject=f"{kind.name} {name}",
            next_step="set it; nothing is ever written to a default namespace by accident",
        )
    return Address(kind, namespace if kind.namespaced else None, name)


def selector_text(labels: Selector) -> str:
    """A label selector as the API takes it."""
    if isinstance(labels, str):
        return labels
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _writing(dry_run: bool) -> tuple[tuple[str, str], ...]:
    # Strict: an unknown or duplicate field is an error, not a silent loss.
    query = (("fieldManager", FIELD_MANAGER), ("fieldValidation", "Strict"))
    return (*query, ("dryRun", "All")) if dry_run else query
