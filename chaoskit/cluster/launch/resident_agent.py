"""The node agent as the launcher keeps it: started in the node, connected, connected again."""

import threading
from typing import Any

import docker

from chaoskit.cluster.agent import AgentClient
from chaoskit.cluster.launch.engine_errors import Gone, NotRunning
from chaoskit.cluster.launch.exec_stream import ExecStream, execute
from chaoskit.errors import ClusterError, WaitTimeout
from chaoskit.waiting import wait_until

#: Where both node images have it: the built one from its build, rancher/k3s by copy.
PATH = "/usr/local/bin/nodeagent"
_HELLO_S = 2.0
_SERVE_S = 15.0


class ResidentAgent:
    """The agent of one node, over a long-lived exec. Safe to share between threads.

    A call that breaks is not repeated, as it may have had its effect; the next one connects
    again. The daemon in the node outlives connections: heal timers keep running in it.
    """

    def __init__(self, client: docker.DockerClient, container: str) -> None:
        self._client = client
        self._container = container
        self._lock = threading.Lock()
        self._stream: ExecStream | None = None
        self._connected: AgentClient | None = None
        #: Whether the node lives on without heartbeats, also after it was started again.
        self.keep = False

    def call(self, operation: str, *, timeout_s: float = 10.0, **arguments: Any) -> dict[str, Any]:
        """One operation of the agent's protocol; raises `ClusterError` with its message."""
        return self._connection().call(operation, timeout_s=timeout_s, **arguments)

    def wait_hello(self, *, timeout_s: float) -> dict[str, Any]:
        """Wait until the agent answers; returns what it says of itself.

        Raises `WaitTimeout`, and `ClusterError` at once if the node does not run.
        """
        last: list[str] = ["not asked yet"]

        def hello() -> dict[str, Any] | None:
            try:
                return self.call("hello", timeout_s=_HELLO_S) or {"hello": True}
            except (Gone, NotRunning):
                raise
            except (ClusterError, WaitTimeout) as error:
                last[0] = str(error)
                self.close()
                return None

        return wait_until(
            hello,
            what=f"the node agent of {self._container} to answer",
            timeout_s=timeout_s,
            interval_s=0.2,
            seen=lambda: last[0],
            next_step=f"docker exec {self._container} {PATH} serve",
        )

    def close(self) -> None:
        """Drop the connection, not the daemon."""
        with self._lock:
            self._drop()

    def _connection(self) -> AgentClient:
        with self._lock:
            if self._stream is not None and self._stream.ended:
                self._drop()
            if self._connected is None:
                self._serve()
                self._stream = ExecStream(self._client, self._container, [PATH, "connect"])
                self._connected = AgentClient(
                    self._stream, subject=f"agent of node {self._container}"
                )
            return self._connected

    def _serve(self) -> None:
        """Start the daemon if none runs; it stays when this command and its exec have ended."""
        argv = [PATH, "serve", *(("-ttl-s", "0") if self.keep else ())]
        completed = execute(self._client, self._container, argv, timeout_s=_SERVE_S)
        if completed.exit_code != 0:
            raise ClusterError(
                "the node agent does not start",
                subject=f"node {self._container}",
                seen=f"exit code {completed.exit_code}: {completed.stderr.strip()}",
                next_step=f"docker exec {self._container} cat /var/log/chaoskit-agent.log",
            )

    def _drop(self) -> None:
        if self._connected is not None:
            self._connected.close()
        if self._stream is not None:
            self._stream.close()
        self._connected = self._stream = None
