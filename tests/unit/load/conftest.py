"""A server process to send load to, and warm drivers for the session."""

import socket
from collections.abc import Iterator

import pytest

from chaoskit.load.driver import Driver
from tests.unit.load.loads import ServerProcess


@pytest.fixture(scope="session")
def server_process() -> Iterator[ServerProcess]:
    process = ServerProcess()
    yield process
    process.stop()


@pytest.fixture
def server(server_process: ServerProcess) -> ServerProcess:
    """The server in mode ok, with nothing counted or stored yet."""
    server_process.forget()
    return server_process


@pytest.fixture(scope="session")
def warm_driver() -> Iterator[Driver]:
    with Driver() as driver:
        driver.wait_ready()
        yield driver


@pytest.fixture(scope="session")
def warm_trio() -> Iterator[Driver]:
    """A driver of three processes."""
    with Driver(processes=3) as driver:
        driver.wait_ready()
        yield driver


@pytest.fixture
def closed_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])
