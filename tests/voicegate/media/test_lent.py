import asyncio
import errno
import socket

import pytest

from tests.wine import not_under_wine
from voicegate.ear import Ear
from voicegate.hearing import Hearing
from voicegate.media.lent import LentSocket, RtpProtocol
from voicegate.media.ports import NoPortFree, PortPool

HOST = "127.0.0.1"


class Listener:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def receive(self, data: bytes, source: tuple[str | int, ...]) -> None:
        self.told.append((data, source))

    def note_blocked(self, paused: bool) -> None:
        self.told.append(paused)


@pytest.mark.parametrize("host", [HOST, "::1"])
async def test_the_socket_is_on_the_lent_port_until_both_go_back(host: str) -> None:
    pool = PortPool((31000, 31010))
    lent = LentSocket(pool, host, asyncio.get_running_loop())
    assert lent.sock.getsockname()[:2] == (host, lent.port)
    assert lent.port % 2 == 0
    assert not lent.sock.getblocking()
    assert pool.lent == 1
    lent.close()
    lent.close()
    assert lent.sock.fileno() == -1
    assert pool.lent == 0


async def test_another_socket_takes_the_place_until_the_port_goes_back() -> None:
    pool = PortPool((31000, 31010))
    lent = LentSocket(pool, HOST, asyncio.get_running_loop())
    first = lent.sock
    lent.rebind()
    assert first.fileno() == -1
    assert lent.sock.getsockname() == (HOST, lent.port)
    lent.close()
    with pytest.raises(OSError, match="gone back"):
        lent.rebind()
    assert (lent.sock.fileno(), pool.lent) == (-1, 0)


async def test_only_a_port_that_a_peer_knows_needs_rest() -> None:
    loop = asyncio.get_running_loop()
    pool = PortPool((31000, 31000))
    LentSocket(pool, HOST, loop).close()
    lent = LentSocket(pool, HOST, loop)
    lent.advertised = True
    lent.close()
    assert pool.resting(loop.time()) == 1
    with pytest.raises(NoPortFree):
        LentSocket(pool, HOST, loop)


async def test_a_port_that_another_program_has_is_passed_over() -> None:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, 31020))
        pool = PortPool((31020, 31022))
        lent = LentSocket(pool, HOST, loop)
        assert lent.port == 31022
        assert (pool.lent, pool.resting(loop.time())) == (1, 1)
        lent.close()


async def test_with_every_port_refused_it_gives_up() -> None:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, 31030))
        pool = PortPool((31030, 31030))
        with pytest.raises(NoPortFree):
            LentSocket(pool, HOST, loop)
        assert pool.lent == 0


@not_under_wine("binds to any address")
async def test_an_address_that_is_not_ours_is_refused_in_bounded_tries() -> None:
    pool = PortPool((31000, 31998))
    with pytest.raises(NoPortFree, match="refused 20"):
        LentSocket(pool, "192.0.2.1", asyncio.get_running_loop())
    assert pool.lent == 0


async def test_what_asyncio_reports_reaches_the_listener() -> None:
    listener, hearing = Listener(), Hearing(1.0)
    protocol = RtpProtocol(listener, Ear(hearing, 4000))
    protocol.error_received(OSError(errno.ECONNREFUSED, "refused"))
    assert hearing.due
    protocol.datagram_received(b"x", (HOST, 4000))
    assert hearing.due is None
    assert hearing.errors == 1
    protocol.pause_writing()
    protocol.resume_writing()
    assert listener.told == [(b"x", (HOST, 4000)), True, False]
    assert not protocol.closed.done()
    protocol.connection_lost(None)
    protocol.connection_lost(None)
    assert protocol.closed.done()


async def test_a_pair_of_which_another_program_has_the_odd_port_is_passed_over() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, 31041))
        lent = LentSocket(PortPool((31040, 31042)), HOST, asyncio.get_running_loop())
        assert lent.port == 31042
        assert lent.control.getsockname() == (HOST, 31043)
        lent.close()
        assert lent.control.fileno() == -1
