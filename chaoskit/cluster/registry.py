"""A private registry beside the nodes: filled, asked and broken from inside its own container.

Neither this host's network nor the nodes' is needed for that, so it works with any engine and
whatever else is cut.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import docker

from chaoskit.cluster.launch import tarballs
from chaoskit.cluster.launch.exec_stream import ExecStream, finished
from chaoskit.cluster.launch.private_registry import HOST
from chaoskit.cluster.node import Node
from chaoskit.errors import ClusterError
from chaoskit.kube.kinds import Object

_ASKED_WITHIN_S = 15.0
_PUSHED_WITHIN_S = 120.0
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who may pull."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of a request: an HTTP status; without one, whether nobody listens there."""

    status: int | None
    refused: bool
    said: str


class Registry:
    """The registry of one cluster. Image names begin with `host`; tags are given without it."""

    #: The front of its images' names.
    host = HOST

    def __init__(self, client: docker.DockerClient, *, container: str, address: str) -> None:
        self._client = client
        self._container = container
        #: Host and port under which nodes reach it.
        self.address = address

    def __repr__(self) -> str:
        return f"<registry {self._container}>"

    def reference(self, tag: str) -> str:
        """The name by which pods ask for "team/app:v1"."""
        return f"{HOST}/{tag}"

    def push(self, image: str, tag: str) -> str:
        """Push an image of the engine as `tag`, which it takes over; its digest.

        Raises `ImageError` if the engine has it not, `ClusterError` if the registry refuses it.
        """
        (tarball,) = tarballs.saved(self._client, (image,))
        return self._run("push", tag, stdin=_pieces(tarball), timeout_s=_PUSHED_WITHIN_S)

    def digest(self, tag: str) -> str:
        """What a tag names now; raises `ClusterError` when there is no such tag."""
        return self._run("digest", tag)

    def tags(self, repository: str) -> tuple[str, ...]:
        """The tags of "team/app", by name; none if nothing was pushed there."""
        return tuple(sorted(self._run("tags", repository).split()))

    def delete(self, tag: str) -> None:
        """Take a tag away, if it is there; images that nodes have already stay theirs."""
        self._run("delete", tag)

    def account(self) -> Account:
        """The account for pulling; its password is made with the registry and known to it alone."""
        made = json.loads(self._run("account"))
        return Account(username=made["username"], password=made["password"])

    def pull_secret(
        self, namespace: str, name: str = "registry", *, password: str | None = None
    ) -> Object:
        """A Secret for `imagePullSecrets`, to be created by the caller; `password` may be wrong."""
        account = self.account()
        login = {"username": account.username, "password": password or account.password}
        config = json.dumps({"auths": {HOST: login}}).encode()
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/dockerconfigjson",
            "metadata": {"name": name, "namespace": namespace},
            "data": {".dockerconfigjson": base64.b64encode(config).decode()},
        }

    def inject(self, what: Literal["stopped", "refusing"], *, heal_after_s: float) -> None:
        """Break it; it heals by itself after `heal_after_s`, also when nobody asks for it."""
        self._run("inject", what, f"{heal_after_s:g}")

    def heal(self, what: Literal["stopped", "refusing"]) -> None:
        """Put back what `inject` broke; harmless when nothing is broken."""
        self._run("heal", what)

    def answer_to(self, node: Node) -> Answer:
        """What it answers to that node, which asks with the account for pulling."""
        account = self.account()
        answer = node.agent.call(
            "http_status",
            url=f"http://{self.address}/v2/",
            username=account.username,
            password=account.password,
        )
        return Answer(status=answer["status"], refused=answer["refused"], said=answer["said"])

    def _run(
        self, *words: str, stdin: Iterable[bytes] = (), timeout_s: float = _ASKED_WITHIN_S
    ) -> str:
        stream = ExecStream(self._client, self._container, ["/registry", *words])
        done = finished(stream, stdin, timeout_s=timeout_s, command=("registry", *words))
        if done.exit_code != 0:
            raise ClusterError(
                f"the registry could not do it: {' '.join(words)}",
                subject=f"registry {self._container}",
                seen=f"exit code {done.exit_code}: {done.stderr.strip()}",
                next_step=f"docker logs {self._container}; is it broken on purpose?",
            )
        return done.stdout.strip()


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE_BYTES):
            yield piece
