"""The agent's client against the real agent: built from source, joined by pipes."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import chaoskit
from chaoskit import clock
from chaoskit.cluster.agent import AgentClient
from chaoskit.cluster.node import Agent
from chaoskit.errors import ClusterError, UsageError
from chaoskit.waiting import wait_until

_SOURCES = Path(chaoskit.__file__).parent / "images" / "apps"
# a network namespace of its own, as root of a user namespace of its own, with a wired interface
_NIC = {"interface": "nic0"}
_IN_A_NETWORK = (
    *("unshare", "--map-root-user", "--net", "sh", "-c"),
    "ip link add nic0 type veth peer name far0 && ip link set far0 up && ip link set nic0 up &&"
    ' ip address add 10.9.0.1/24 dev nic0 && ip route add default via 10.9.0.2 && exec "$@"',
    "sh",
)


class PipeStream:
    """A child process's stdin and stdout."""

    def __init__(self, argv: Sequence[str | Path]) -> None:
        self.process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )

    def send(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    def recv(self) -> bytes:
        assert self.process.stdout is not None
        return os.read(self.process.stdout.fileno(), 65536)

    def close(self) -> None:
        self.process.kill()
        self.process.wait(timeout=5)
        assert self.process.stdin is not None
        self.process.stdin.close()

    def release(self) -> None:
        """Once nobody reads any more."""
        assert self.process.stdout is not None
        self.process.stdout.close()


Connect = Callable[[Sequence[str | Path]], AgentClient]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Clients that are closed at the end."""
    opened: list[tuple[AgentClient, PipeStream]] = []

    def to(argv: Sequence[str | Path]) -> AgentClient:
        stream = PipeStream(argv)
        opened.append((AgentClient(stream, subject="agent of node one"), stream))
        return opened[-1][0]

    yield to
    for client, stream in opened:
        client.close()
        stream.release()


class RunningAgent:
    """A real agent in the foreground."""

    def __init__(
        self, binary: Path, run_dir: Path, connect: Connect, *, prefix: Sequence[str] = ()
    ) -> None:
        self._connect = connect
        self._argv: list[str | Path] = [binary, "connect", "-run-dir", run_dir]
        serve: list[str | Path] = [
            binary,
            "serve",
            "-foreground",
            "-ttl-s",
            "0",
            "-run-dir",
            run_dir,
        ]
        self.process = subprocess.Popen([*prefix, *serve], stderr=subprocess.PIPE)
        wait_until((run_dir / "agent.sock").exists, what="the agent's socket", timeout_s=10)

    def client(self) -> AgentClient:
        return self._connect(self._argv)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=5)

    def close(self) -> None:
        self.kill()
        assert self.process.stderr is not None
        self.process.stderr.close()


@pytest.fixture(scope="session")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent, built from source; Go's own cache makes the second build quick."""
    built = tmp_path_factory.mktemp("nodeagent") / "nodeagent"
    subprocess.run(
        ["go", "build", "-o", built, "./nodeagent"],
        cwd=_SOURCES,
        env={**os.environ, "CGO_ENABLED": "0"},
        check=True,
        timeout=600,
    )
    return built


Starter = Callable[..., RunningAgent]


@pytest.fixture
def start_agent(binary: Path, tmp_path: Path, connect: Connect) -> Iterator[Starter]:
    started: list[RunningAgent] = []

    def start(*, prefix: Sequence[str] = ()) -> RunningAgent:
        started.append(RunningAgent(binary, tmp_path / "run", connect, prefix=prefix))
        return started[-1]

    yield start
    for agent in started:
        agent.close()


def test_hello_tells_the_time_of_our_clock(start_agent: Starter) -> None:
    agent: Agent = start_agent().client()
    before_ns = clock.now_ns()
    hello = agent.call("hello")
    assert before_ns <= hello["time_ns"] <= clock.now_ns()
    assert hello["boot_id"] == clock.boot_id()
    assert hello["hostname"] == os.uname().nodename
    assert not {"id", "ok"} & hello.keys()


def test_a_refusal_is_a_cluster_error_in_the_agents_words(start_agent: Starter) -> None:
    agent = start_agent().client()
    with pytest.raises(ClusterError, match=r"agent of node one: .*eth9.*there are .*lo"):
        agent.call("link_state", interface="eth9")
    assert agent.call("link_state", interface="lo")["interface"] == "lo"


def test_many_threads_get_their_own_answers(start_agent: Starter) -> None:
    agent = start_agent().client()

    def ask(number: int) -> None:
        with pytest.raises(ClusterError, match=f"nic{number}:"):
            agent.call("link_state", interface=f"nic{number}")

    with ThreadPoolExecutor(max_workers=8) as threads:
        list(threads.map(ask, range(200)))


def test_cut_and_heal_over_the_stream(start_agent: Starter) -> None:
    agent = start_agent(prefix=_IN_A_NETWORK).client()
    assert agent.call("link_state", interface="nic0")["default_route"] is True
    down = agent.call("inject", kind="link_down", parameters=_NIC, heal_after_s=60)
    assert down["armed_ns"] <= down["injected_ns"] <= down["time_ns"]
    cut = agent.call("link_state", interface="nic0")
    assert (cut["operstate"], cut["default_route"]) == ("down", False)
    assert agent.call("heal", kind="link_down", parameters=_NIC)["healed"] is True
    whole = agent.call("link_state", interface="nic0")
    assert (whole["operstate"], whole["default_route"]) == ("up", True)


def test_the_agents_death_ends_calls_with_a_clear_error(start_agent: Starter) -> None:
    running = start_agent()
    agent = running.client()
    agent.call("hello")
    running.kill()
    wait_until(lambda: not _is_alive(agent), what="the client to notice", timeout_s=5)
    with pytest.raises(ClusterError, match=r"agent of node one: .*stream to the agent has ended"):
        agent.call("hello")


def _is_alive(agent: AgentClient) -> bool:
    try:
        agent.call("hello")
    except ClusterError:
        return False
    return True


def test_a_call_that_waits_ends_when_the_stream_does(connect: Connect) -> None:
    agent = connect(["sleep", "0.2"])
    started = time.monotonic()
    with pytest.raises(ClusterError, match="the stream to the agent has ended"):
        agent.call("hello", timeout_s=30)
    assert time.monotonic() - started < 5


def test_no_answer_in_time_names_the_time_spent(connect: Connect) -> None:
    agent = connect(["sleep", "60"])
    with pytest.raises(ClusterError, match="hello was not answered") as caught:
        agent.call("hello", timeout_s=0.2)
    assert caught.value.spent_s == pytest.approx(0.2, abs=0.2)


def test_a_late_answer_is_not_taken_for_the_next_one(connect: Connect) -> None:
    script = """
        sleep 0.5
        echo '{"id": 1, "ok": true, "n": 1}'
        echo '{"id": 2, "ok": true, "n": 2}'
        exec sleep 60
    """
    agent = connect(["sh", "-c", script])
    with pytest.raises(ClusterError, match="was not answered"):
        agent.call("hello", timeout_s=0.1)
    assert agent.call("hello", timeout_s=5)["n"] == 2


class TornStream(PipeStream):
    """One that breaks as the engine's do, by an error of ours."""

    def recv(self) -> bytes:
        super().recv()
        raise ClusterError("the exec broke")


def test_a_stream_that_breaks_ends_the_calls_that_wait() -> None:
    stream = TornStream(["sh", "-c", "sleep 0.2; echo; exec sleep 60"])
    agent = AgentClient(stream)
    with pytest.raises(ClusterError, match="the stream to the agent has ended") as caught:
        agent.call("hello", timeout_s=5)
    assert caught.value.seen == "ClusterError: the exec broke"
    agent.close()
    stream.release()


@pytest.mark.parametrize("line", ["no JSON", "[1]", '{"ok": true}', '{"id": 1}'])
def test_something_else_than_an_agent_is_noticed(connect: Connect, line: str) -> None:
    agent = connect(["sh", "-c", f"echo '{line}'; exec sleep 60"])
    with pytest.raises(ClusterError, match="the stream to the agent has ended"):
        agent.call("hello", timeout_s=5)


def test_arguments_that_cannot_be_sent_are_refused_at_once(connect: Connect) -> None:
    agent = connect(["cat"])
    with pytest.raises(UsageError, match="do not fit into JSON"):
        agent.call("hello", number=float("nan"))
    with pytest.raises(UsageError, match="the protocol owns these"):
        agent.call("hello", id=7)


def test_closed_twice_and_then_called(start_agent: Starter) -> None:
    agent = start_agent().client()
    agent.close()
    agent.close()
    with pytest.raises(ClusterError, match="closed by us"):
        agent.call("hello")
