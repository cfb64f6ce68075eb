"""Faults of a scenario come from its seed, and each has chance of its own."""

from simulator.target.network import Network


def test_the_same_seed_gives_the_same_faults() -> None:
    assert Network(7).impaired(loss=0.1) == Network(7).impaired(loss=0.1)


def test_two_faults_of_a_run_do_not_strike_together() -> None:
    network = Network(7)
    assert network.impaired(loss=0.1).seed != network.impaired(loss=0.1).seed


async def test_windows_udp_is_within_reach() -> None:
    with Network(0).windows_udp(deaf=True) as faulty:
        assert faulty.ports == ()
