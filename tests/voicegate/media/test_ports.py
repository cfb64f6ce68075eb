import pytest

from voicegate.media.ports import NoPortFree, PortPool


def test_trap_5_only_even_ports_of_the_range_are_lent_once_each() -> None:
    pool = PortPool((10001, 10006))
    assert pool.size == 3
    assert [pool.lend(0.0) for _ in range(3)] == [10002, 10004, 10006]
    assert pool.lent == 3
    with pytest.raises(NoPortFree):
        pool.lend(0.0)


def test_trap_5_a_port_rests_before_it_is_lent_again() -> None:
    pool = PortPool((10000, 10000), rest_s=5)
    port = pool.lend(0.0)
    pool.give_back(port, 100.0)
    assert (pool.lent, pool.resting(100.0), pool.resting(104.9)) == (0, 1, 1)
    with pytest.raises(NoPortFree, match="0 RTP ports lent, 1 resting"):
        pool.lend(104.9)
    assert pool.resting(105.0) == 0
    assert pool.lend(105.0) == port


def test_trap_5_the_port_that_rested_longest_is_next() -> None:
    pool = PortPool((10000, 10004), rest_s=1)
    first, second, third = (pool.lend(0.0) for _ in range(3))
    for at, port in enumerate((second, third, first)):
        pool.give_back(port, float(at))
    assert [pool.lend(50.0) for _ in range(3)] == [second, third, first]


def test_a_fresh_port_comes_before_a_rested_one() -> None:
    pool = PortPool((10000, 10002), rest_s=1)
    pool.give_back(pool.lend(0.0), 0.0)
    assert pool.lend(9.0) == 10002


def test_an_unused_port_needs_no_rest() -> None:
    pool = PortPool((10000, 10002))
    pool.return_unused(pool.lend(0.0))
    assert (pool.lent, pool.resting(0.0)) == (0, 0)
    assert pool.lend(0.0) == 10000


def test_what_was_not_lent_cannot_come_back() -> None:
    pool = PortPool((10000, 10002))
    with pytest.raises(ValueError, match="not lent"):
        pool.give_back(10000, 0.0)
    port = pool.lend(0.0)
    pool.give_back(port, 0.0)
    with pytest.raises(ValueError, match="not lent"):
        pool.give_back(port, 0.0)
    with pytest.raises(ValueError, match="not lent"):
        pool.return_unused(port)


@pytest.mark.parametrize("ports", [(0, 10), (10, 8), (65530, 65536), (10001, 10001)])
def test_a_range_without_an_even_port_is_refused(ports: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="port"):
        PortPool(ports)
