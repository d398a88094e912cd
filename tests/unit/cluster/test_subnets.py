"""Address ranges for clusters."""

import ipaddress
from pathlib import Path

import pytest

from chaoskit.cluster.launch import subnets
from chaoskit.errors import EngineError

POOL = list(ipaddress.IPv4Network("10.200.0.0/14").subnets(new_prefix=24))


def test_the_only_free_range_is_found() -> None:
    free = POOL[77]
    assert subnets.choose([one for one in POOL if one != free]) == str(free)


def test_no_free_range_is_an_error_with_the_next_step() -> None:
    with pytest.raises(EngineError, match="sweep"):
        subnets.choose([ipaddress.IPv4Network("10.0.0.0/8")])


def test_two_callers_seldom_choose_the_same() -> None:
    assert len({subnets.choose([]) for _ in range(50)}) > 25


def test_a_range_stays_clear_of_pods_and_services() -> None:
    chosen = ipaddress.IPv4Network(subnets.choose([]))
    assert not chosen.overlaps(ipaddress.IPv4Network("10.42.0.0/15"))


def test_addresses_are_in_the_range_and_all_different() -> None:
    subnet = "10.200.7.0/24"
    addresses = [
        subnets.gateway(subnet),
        subnets.registry_address(subnet),
        *(subnets.server_address(subnet, index) for index in range(20)),
        *(subnets.agent_address(subnet, index) for index in range(200)),
    ]
    assert len(set(addresses)) == len(addresses)
    assert all(ipaddress.ip_address(one) in ipaddress.ip_network(subnet) for one in addresses)


def test_host_routes_are_read_without_the_default_route(tmp_path: Path) -> None:
    table = tmp_path / "route"
    table.write_text(
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
        "tun0\t0000C80A\t00000000\t0001\t0\t0\t0\t0000FCFF\t0\t0\t0\n"
    )
    assert subnets.host_routes(table) == [
        ipaddress.IPv4Network("192.168.1.0/24"),
        ipaddress.IPv4Network("10.200.0.0/14"),
    ]
