"""Plans that cannot or must not be driven are refused where they are made, with the reason."""

from typing import Any

import msgspec
import pytest

from chaoskit.errors import UsageError
from chaoskit.load.messages import MAX_PACKET_BYTES, Begin, packet_of, read_to_child
from chaoskit.load.profile import MAX_STREAMS, Operation
from tests.unit.load.loads import READ, WRITE, plan, stream


@pytest.mark.parametrize(
    "host",
    ["8.8.8.8", "169.254.169.254", "0.0.0.0", "172.32.0.1", "2001:db8::1", "localhost", ""],
)
def test_only_local_addresses_are_driven(host: str) -> None:
    with pytest.raises(UsageError, match="stream kept"):
        stream(80, host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.42.1.7", "172.18.0.2", "192.168.1.1", "::1"])
def test_local_addresses_are_taken(host: str) -> None:
    assert stream(80, host=host).host == host


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"entry": ""},
        {"connection": "shared"},
        {"port": 0},
        {"port": 65_536},
        {"operations": ()},
        {"share": 0},
        {"host_header": "a\r\nX: b"},
    ],
    ids=str,
)
def test_streams_are_checked(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="stream"):
        stream(**({"port": 80} | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "scan"},
        {"method": "PUT"},
        {"path": "relative"},
        {"path": "//elsewhere/"},
        {"path": "/a b"},
        {"path": "/\r\nX: y"},
        {"weight": 0},
        {"weight": float("nan")},
    ],
    ids=str,
)
def test_operations_are_checked(changes: dict[str, Any]) -> None:
    values: dict[str, Any] = {"name": "read", "method": "GET", "path": "/"}
    with pytest.raises(UsageError, match="operation"):
        Operation(**(values | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"load_id": "../elsewhere"},
        {"load_id": ""},
        {"rate_per_s": 0},
        {"rate_per_s": 5_001},
        {"rate_per_s": float("inf")},
        {"rate_per_s": float("nan")},
        {"arrivals": "bursts"},
        {"connect_timeout_s": 0},
        {"answer_timeout_s": 301},
        {"max_in_flight": 4_001},
        {"max_run_s": 0.5},
        {"kept_connections": 101},
        {"streams": ()},
        {"streams": (stream(80), stream(81))},
    ],
    ids=str,
)
def test_plans_are_checked(changes: dict[str, Any]) -> None:
    values: dict[str, Any] = {"streams": (stream(80),)}
    with pytest.raises(UsageError, match="load"):
        plan(**(values | changes))


def test_new_connections_are_bounded_by_entry() -> None:
    plan(stream(80, "new"), rate_per_s=200)
    plan(stream(80, "new"), stream(81, "new", name="other"), rate_per_s=400)
    plan(stream(80, "new"), stream(80, "kept", share=9), rate_per_s=2000)
    with pytest.raises(UsageError, match=r"200\.5 new connections/s"):
        plan(stream(80, "new"), rate_per_s=200.5)
    with pytest.raises(UsageError, match=r"127.0.0.1:80.*\n.*201.0 new connections/s"):
        plan(stream(80, "new"), stream(80, "new", name="same entry"), rate_per_s=201)


def test_in_flight_limit_follows_rate_and_timeouts() -> None:
    patient = plan(stream(80), rate_per_s=200, connect_timeout_s=0.5, answer_timeout_s=4.5)
    assert patient.in_flight_limit == 1000
    assert plan(stream(80), rate_per_s=1).in_flight_limit == 16
    assert plan(stream(80), rate_per_s=5000, answer_timeout_s=60).in_flight_limit == 4000
    assert plan(stream(80), max_in_flight=3).in_flight_limit == 3


def test_kept_connections_follow_the_rate() -> None:
    new, kept = stream(80, "new", share=1), stream(80, "kept", share=9)
    both = plan(new, kept, rate_per_s=1000)
    assert both.kept_by(new) == 0
    assert both.kept_by(kept) == 18
    assert plan(kept, rate_per_s=10).kept_by(kept) == 4
    assert plan(kept, rate_per_s=10, kept_connections=9).kept_by(kept) == 9


def test_greatest_plan_fits_a_packet_and_comes_out_the_same() -> None:
    streams = [
        stream(80 + n, name=f"kept via {n} {'x' * 60}", operations=(READ, WRITE))
        for n in range(MAX_STREAMS)
    ]
    begin = Begin(
        turn=1, plan=plan(*streams), record_folder="/" + "r" * 4000, log_path="/" + "l" * 4000
    )
    packet = packet_of(begin)
    assert len(packet) < MAX_PACKET_BYTES / 2
    assert read_to_child(packet) == begin


def test_plan_is_checked_again_when_it_arrives() -> None:
    bad = msgspec.json.encode({"load_id": "l", "streams": [], "rate_per_s": 1, "seed": 1})
    with pytest.raises(UsageError):
        msgspec.json.decode(bad, type=type(plan(stream(80))))
