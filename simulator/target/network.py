"""The network of a scenario: faults as data, all chance from the run's seed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from simulator.network import Impairment, WindowsUdp, windows_udp


class Network:
    """Gives the faults that a gate or a socket is put under."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._given = 0

    def impaired(self, **faults: Any) -> Impairment:
        """Give an impairment (loss, jitter_s, reorder, duplicate ...) with a seed of its own."""
        self._given += 1
        return Impairment(seed=self.seed * 1000 + self._given, **faults)

    @contextmanager
    def windows_udp(self, **options: Any) -> Iterator[WindowsUdp]:
        """Have UDP sockets behave as on Windows after WinError 10054."""
        with windows_udp(**options) as faulty:
            yield faulty
