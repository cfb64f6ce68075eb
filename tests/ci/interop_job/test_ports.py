"""Blocks of free ports."""

import socket

import pytest

from ci.interop_job import ports
from ci.interop_job.ports import HIGHEST, HOST, LOWEST, free_block


def test_each_port_of_a_block_can_be_had() -> None:
    low = free_block(20)

    assert low % 2 == 0
    assert LOWEST <= low <= HIGHEST - 20
    for port in range(low, low + 20):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((HOST, port))


def test_a_taken_neighbour_spoils_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    low = free_block(4)
    monkeypatch.setattr(ports, "LOWEST", low)
    monkeypatch.setattr(ports, "HIGHEST", low + 6)  # so that it has one place to look at

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((HOST, low + 3))
        with pytest.raises(OSError, match="no 4 free ports"):
            free_block(4)
