"""The Kubernetes API over plain dictionaries; with `connection` the only user of `kubernetes`.

It speaks HTTP through that package's configuration and connection code (kubeconfig, certificates,
exec plugins) and leaves its generated models alone, so that objects of newer servers pass through
unchanged. Nothing is retried here: a fault under test must stay visible. Callers that wait tell
`Transient` errors from lasting ones.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import urllib3
from kubernetes.client import ApiClient
from kubernetes.stream import ws_client

from chaoskit.errors import ClusterError, KubernetesError
from chaoskit.kube import connection, executed, kinds, refusal, request
from chaoskit.kube.answers import Answered, Page
from chaoskit.kube.executed import Executed
from chaoskit.kube.kinds import Object, Objects
from chaoskit.kube.refusal import Call
from chaoskit.kube.request import Address, PatchStyle, Propagation, Request, Selector


class Kube:
    """One cluster's API. Safe to share between threads.

    Every method raises `Refused` (a `KubernetesError`) or one of its kinds: `NotFound`,
    `AlreadyExists`, `Conflict`, `Gone` are lasting; `Transient` may pass, of which `Unreachable`
    (also a `ClusterError`) says that no connection could be made.
    """

    def __init__(
        self,
        kubeconfig: Path,
        *,
        context: str | None = None,
        timeouts: request.Timeouts | None = None,
    ) -> None:
        """Read `kubeconfig`; connects to nothing yet. Raises `UsageError` for an unusable one."""
        self.kubeconfig = kubeconfig
        self._timeouts = timeouts or request.Timeouts()
        self._configuration = connection.configured(kubeconfig, context)
        self._client = ApiClient(self._configuration)

    @property
    def server(self) -> str:
        """The API server's URL."""
        return str(self._configuration.host)

    def close(self) -> None:
        """Close all idle connections."""
        self._client.close()

    # reading

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object:
        """One object."""
        return self._json(request.read(kind, name, namespace))

    def find(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """The object, or None when there is none of that name."""
        try:
            return self.get(kind, name, namespace)
        except refusal.NotFound:
            return None

    def list(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        labels: Selector | None = None,
        fields: str | None = None,
    ) -> Objects:
        """All objects of a kind in a namespace, or in all of them; `labels` selects."""
        page = self.list_page(kind, namespace, labels=labels, fields=fields)
        items = page.items
        while page.rest is not None:
            page = self.list_page(kind, namespace, labels=labels, fields=fields, rest=page.rest)
            items += page.items
        return items

    def list_page(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        labels: Selector | None = None,
        fields: str | None = None,
        limit: int = 500,
        rest: str | None = None,
        revision: int | None = None,
    ) -> Page:
        """Up to `limit` objects, as they are or as they were at `revision`.

        Raises `Gone` when `rest` or `revision` is older than what the server has kept.
        """
        answer = self._json(
            request.page(
                kind,
                namespace,
                labels=labels,
                fields=fields,
                limit=limit,
                rest=rest,
                revision=revision,
            )
        )
        for item in answer["items"]:  # the items of a list come without these two
            item.setdefault("kind", kind)
            item.setdefault("apiVersion", kinds.known(kind).api_version)
        metadata = answer["metadata"]
        rest = metadata.get("continue") or None
        return Page(answer["items"], int(metadata["resourceVersion"]), rest)

    def version(self) -> Object:
        """The server's version: gitVersion, major, minor …"""
        return self._json(Request(Call("get", "/version"), "GET", "/version"))

    def raw_get(self, path: str, *, read_timeout_s: float | None = None) -> str:
        """The answer to a plain GET of `path` ("/readyz?verbose", "/metrics") as text."""
        return self._bytes(Request(Call("get", path), "GET", path), read_timeout_s).decode()

    def require_reachable(self, *, timeout_s: float = 5.0) -> None:
        """Raise `ClusterError` unless the API server answers /version within `timeout_s`."""
        try:
            self.raw_get("/version", read_timeout_s=timeout_s)
        except KubernetesError as error:
            raise ClusterError(
                "the API server does not serve this kubeconfig",
                subject=f"{self.server} (from {self.kubeconfig})",
                seen=str(error),
                next_step="start the cluster, or name the kubeconfig of one that runs",
            ) from error

    def logs(
        self,
        name: str,
        namespace: str,
        *,
        container: str | None = None,
        previous: bool = False,
        tail_lines: int | None = None,
    ) -> str:
        """What a pod's container wrote, with timestamps in front of each line."""
        asked = request.logs(
            name, namespace, container=container, previous=previous, tail_lines=tail_lines
        )
        return self._bytes(asked).decode(errors="replace")

    def proxy(
        self,
        name: str,
        namespace: str,
        path: str,
        *,
        port: int,
        method: request.Method = "GET",
        body: Object | None = None,
        read_timeout_s: float | None = None,
    ) -> Answered:
        """An HTTP request to a pod, by way of the API server and not of any Service.

        All answers are returned, also redirects, errors, and the API server's in the pod's place.
        """
        asked = request.proxied(method, name, namespace, port, path, body)
        response = self._send(asked, read_timeout_s, any_status=True)
        with connection.connection_errors(asked.call, self.server):
            return Answered.of(response.status, response.headers, response.data)

    # writing

    def create(self, manifest: Object, *, dry_run: bool = False) -> Object:
        """Create one object; its namespace stands in its metadata."""
        return self._json(request.create(self._address(manifest), manifest, dry_run=dry_run))

    def apply(self, manifest: Object, *, dry_run: bool = False, force: bool = True) -> Object:
        """Server-side apply; `force` takes over fields that others manage.

        Unknown and duplicate fields are refused rather than dropped silently.
        """
        at = self._address(manifest)
        return self._json(request.apply(at, manifest, dry_run=dry_run, force=force))

    def patch(
        self,
        kind: str,
        name: str,
        namespace: str | None,
        change: Object | Objects,
        *,
        style: PatchStyle = "merge",
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> Object:
        """Change one object: `change` is a list of operations for style "json", else an object."""
        return self._json(
            request.patch(
                kind,
                name,
                namespace,
                change,
                style=style,
                subresource=subresource,
                dry_run=dry_run,
            )
        )

    def delete(
        self,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        grace_period_s: int | None = None,
        propagation: Propagation | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
    ) -> Object:
        """Ask for the end of one object; returns what the server says (object or Status).

        `grace_period_s` 0 is sent as 0 (a forced deletion), None leaves the object's own. With
        `uid` a namesake that came meanwhile is spared, with `resource_version` an object that was
        changed (`Conflict`).
        """
        return self._json(
            request.delete(
                kind,
                name,
                namespace,
                grace_period_s=grace_period_s,
                propagation=propagation,
                uid=uid,
                resource_version=resource_version,
            )
        )

    def evict(
        self,
        name: str,
        namespace: str,
        *,
        grace_period_s: int | None = None,
        uid: str | None = None,
    ) -> None:
        """Evict a pod; `Transient` with status 429 while a disruption budget forbids it."""
        self._json(request.evict(name, namespace, grace_period_s=grace_period_s, uid=uid))

    def ask_pod(
        self, name: str, namespace: str, port: int, path: str, change: Object | None = None
    ) -> Object:
        """What a pod's own server answers through the API server; `change` is sent by POST."""
        method: request.Method = "GET" if change is None else "POST"
        return self._json(request.proxied(method, name, namespace, port, path, change))

    # streams

    def exec(
        self,
        name: str,
        namespace: str,
        argv: Sequence[str],
        *,
        timeout_s: float,
        container: str | None = None,
    ) -> Executed:
        """Run a command in a pod's container, on a connection of its own.

        Raises `Transient` when it did not end within `timeout_s` or the connection was lost, and
        `Refused` when it could not be started.
        """
        asked = request.execute(name, namespace, argv, container)
        _, url, headers, *_ = self._serialized(asked)
        deadline_s = time.monotonic() + timeout_s
        with connection.websocket_errors(asked.call, timeout_s):
            stream = ws_client.websocket_call(
                self._configuration, "GET", url, headers=headers, _preload_content=False
            )
            try:
                stream.run_forever(timeout=max(deadline_s - time.monotonic(), 0.001))
                if stream.is_open():
                    raise TimeoutError(f"still running after {timeout_s} s")
                return Executed(
                    stdout=stream.read_channel(ws_client.STDOUT_CHANNEL),
                    stderr=stream.read_channel(ws_client.STDERR_CHANNEL),
                    exit_code=executed.exit_code(
                        asked.call, stream.read_channel(ws_client.ERROR_CHANNEL)
                    ),
                )
            finally:
                # Not `close`: after the server's closing word that leaves the socket open.
                stream.sock.shutdown()

    @contextmanager
    def watch_lines(
        self,
        kind: str,
        namespace: str | None,
        resource_version: int,
        *,
        timeout_s: int,
        silence_s: float | None = None,
    ) -> Iterator[Iterator[bytes]]:
        """The raw watch from `resource_version` on: one JSON document per line, with bookmarks.

        The server ends it after `timeout_s`; `silence_s` without a byte raises `Transient`.
        An ERROR event (such as 410) is a line like any other. `Gone` may come at once.
        """
        asked = request.watch(kind, namespace, resource_version, timeout_s)
        response = self._send(asked, silence_s or timeout_s + 10)
        try:
            yield self._lines(asked.call, response)
        finally:
            response.close()  # not back to the pool: the stream may not have ended

    # the one way through

    def _address(self, manifest: Object) -> Address:
        kind = kinds.served_as(manifest)
        if kind is None:
            version, name = manifest.get("apiVersion", ""), manifest.get("kind", "")
            served = self._json(request.resources(version, name))["resources"]
            kind = kinds.from_discovery(manifest, served)
        return request.address(manifest, kind)

    def _json(self, asked: Request) -> Object:
        answer: Object = json.loads(self._bytes(asked))
        return answer

    def _bytes(self, asked: Request, read_timeout_s: float | None = None) -> bytes:
        response = self._send(asked, read_timeout_s)
        with connection.connection_errors(asked.call, self.server):
            return response.data

    def _lines(self, call: Call, response: urllib3.HTTPResponse) -> Iterator[bytes]:
        torn = b""
        with connection.connection_errors(call, self.server):
            for chunk in response.stream(amt=1 << 20):
                *lines, torn = (torn + chunk).split(b"\n")
                yield from (line for line in lines if line)

    def _serialized(self, asked: Request) -> tuple[Any, ...]:
        return tuple(
            self._client.param_serialize(
                asked.method,
                asked.path,
                query_params=list(asked.query),
                header_params={
                    "Accept": "application/json, */*",
                    "Content-Type": asked.content_type,
                },
                body=asked.body,
                auth_settings=["BearerToken"],
            )
        )

    def _send(
        self, asked: Request, read_timeout_s: float | None = None, *, any_status: bool = False
    ) -> urllib3.HTTPResponse:
        timeout = (self._timeouts.connect_s, read_timeout_s or self._timeouts.read_s)
        with connection.connection_errors(asked.call, self.server):
            answer = self._client.call_api(*self._serialized(asked), _request_timeout=timeout)
            response: urllib3.HTTPResponse = answer.response
            if response.status >= 300 and not any_status:
                reason = response.reason or ""
                raise refusal.from_answer(asked.call, response.status, reason, response.data)
        return response
