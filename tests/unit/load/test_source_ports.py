"""Source ports come back as late as possible."""

from chaoskit.load.source_ports import SourcePorts

DESTINATION, OTHER = ("10.0.0.1", 30080), ("10.0.0.1", 30081)


def test_a_port_comes_back_only_after_all_others() -> None:
    ports = SourcePorts(40_000, 40_009, start=40_007)

    taken = [ports.next(DESTINATION) for _ in range(20)]

    assert taken[:4] == [40_007, 40_008, 40_009, 40_000]
    assert sorted(taken[:10]) == list(range(40_000, 40_010))
    assert taken[:10] == taken[10:]


def test_each_destination_has_its_own_round() -> None:
    ports = SourcePorts(40_000, 40_009, start=40_000)

    assert [ports.next(DESTINATION), ports.next(OTHER), ports.next(DESTINATION)] == [
        40_000,
        40_000,
        40_001,
    ]


def test_two_processes_do_not_begin_at_the_same_port() -> None:
    starts = {SourcePorts(32_768, 60_999).next(DESTINATION) for _ in range(20)}

    assert len(starts) > 1


def test_driver_and_sampler_share_no_port() -> None:
    driver, sampler = SourcePorts.of_the_driver(), SourcePorts.of_the_sampler()

    of_driver = {driver.next(DESTINATION) for _ in range(30_000)}
    of_sampler = {sampler.next(DESTINATION) for _ in range(30_000)}

    assert not of_driver & of_sampler
    assert len(of_driver) > 2 * len(of_sampler) > 0
