"""Faults by seed, and the deaf socket compared with the real one of the standard library."""

import asyncio
import functools
import socket
import sys
from asyncio import proactor_events
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from simulator.clock import run_virtual
from simulator.network import WSAECONNRESET, Address, Impairment, Link, windows_udp

FAR = ("127.0.0.1", 9)


class Sink:
    """Keeps what arrives and when."""

    def __init__(self) -> None:
        self.got: list[tuple[float, bytes]] = []

    def __call__(self, data: bytes, _address: Address) -> None:
        self.got.append((round(asyncio.get_running_loop().time() - 1000.0, 6), data))

    @property
    def data(self) -> list[int]:
        return [int(data) for _, data in self.got]


def send_200(fault: Impairment) -> tuple[Sink, Link]:
    """200 datagrams, one each 20 ms, through the fault."""
    sink = Sink()

    async def main() -> Link:
        link = Link(sink, fault)
        for n in range(200):
            link(b"%d" % n, FAR)
            await asyncio.sleep(0.02)
        await asyncio.sleep(1.0)
        return link

    return sink, run_virtual(main())


def test_a_whole_network_delivers_at_once_and_in_order() -> None:
    sink, link = send_200(Impairment())

    assert sink.data == list(range(200))
    assert sink.got[7] == (0.14, b"7")
    assert link.counts == {"sent": 200, "delivered": 200}


def test_loss_takes_its_share_and_the_seed_decides_which() -> None:
    first, link = send_200(Impairment(loss=0.1, seed=7))
    again, _ = send_200(Impairment(loss=0.1, seed=7))
    other, _ = send_200(Impairment(loss=0.1, seed=8))

    assert first.got == again.got
    assert first.got != other.got
    assert 5 <= link.counts["lost"] <= 40
    assert link.counts["lost"] + link.counts["delivered"] == 200


def test_another_fault_does_not_change_which_are_lost() -> None:
    lossy, _ = send_200(Impairment(loss=0.1, seed=7))
    worse, _ = send_200(Impairment(loss=0.1, jitter_s=0.015, duplicate=0.5, seed=7))

    assert sorted(lossy.data) == sorted(dict.fromkeys(worse.data))


def test_jitter_is_bounded_and_spread() -> None:
    sink, _ = send_200(Impairment(jitter_s=0.015, delay_s=0.1, seed=3))
    late = [at - int(data) * 0.02 for at, data in sink.got]

    assert 0.1 <= min(late) < 0.102
    assert 0.113 < max(late) <= 0.115 + 1e-6
    assert sink.data == list(range(200))


def test_reordered_datagrams_are_overtaken() -> None:
    sink, link = send_200(Impairment(reorder=0.05, seed=1))

    assert link.counts["reordered"] > 3
    assert sink.data != list(range(200))
    assert sorted(sink.data) == list(range(200))


def test_duplicates_arrive_twice() -> None:
    sink, link = send_200(Impairment(duplicate=0.1, seed=1))

    assert link.counts["duplicated"] > 5
    assert len(sink.data) == 200 + link.counts["duplicated"]


def test_a_flight_is_lost_by_number() -> None:
    sink, _ = send_200(Impairment(drop=(0, 2)))

    assert sink.data[:3] == [1, 3, 4]


def test_a_delay_alone_overtakes_nothing() -> None:
    sink = Sink()

    async def main() -> None:
        link = Link(sink, Impairment(delay_s=0.1))
        for n in range(50):
            link(b"%d" % n, FAR)
        await asyncio.sleep(1.0)

    run_virtual(main())
    assert sink.data == list(range(50))


async def test_a_fault_for_a_few_lines() -> None:
    sink = Sink()
    link = Link(sink)
    link(b"1", FAR)
    with link.impaired(Impairment(loss=1.0)):
        link(b"2", FAR)
    link(b"3", FAR)

    assert sink.data == [1, 3]


async def test_a_closed_link_delivers_nothing_more() -> None:
    sink = Sink()
    link = Link(sink, Impairment(delay_s=0.001))
    link(b"1", FAR)
    assert link.under_way == 1
    link.close()
    await asyncio.sleep(0.005)

    assert sink.got == []
    assert link.under_way == 0


async def test_what_is_under_way_is_bounded_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.network.PENDING", 2)
    link = Link(Sink(), Impairment(delay_s=1.0))
    for n in range(5):
        link(b"%d" % n, FAR)
    assert (link.under_way, link.counts["overflow"]) == (2, 3)
    link.close()


@pytest.mark.parametrize("fault", [{"loss": 1.5}, {"duplicate": -0.1}, {"jitter_s": -1.0}])
def test_a_fault_that_cannot_be_is_refused(fault: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"not|cannot"):
        Impairment(**fault)  # type: ignore[arg-type]


class Ear(asyncio.DatagramProtocol):
    """Writes down what a transport tells it."""

    def __init__(self) -> None:
        self.story: list[str] = []

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.story.append(data.decode())

    def error_received(self, exc: Exception) -> None:
        self.story.append(f"{type(exc).__name__} {getattr(exc, 'errno', None)}")


DEAF_STORY = ["one", f"ConnectionResetError {WSAECONNRESET}"]
WHOLE_STORY = [*DEAF_STORY, "two", "three"]


class FakeProactor:
    """Completes one read at a time, by hand, as IOCP would."""

    def __init__(self) -> None:
        self.reads: list[asyncio.Future[tuple[bytes, Address]]] = []

    def recvfrom(self, _sock: socket.socket, _size: int) -> asyncio.Future[tuple[bytes, Address]]:
        self.reads.append(asyncio.get_running_loop().create_future())
        return self.reads[-1]

    def _stop_serving(self, _sock: socket.socket) -> None:
        """Nothing was served."""

    async def complete(self, outcome: bytes | OSError) -> None:
        """End the read that waits, if one does."""
        await asyncio.sleep(0)
        waiting = [read for read in self.reads if not read.done()]
        for read in waiting:
            if isinstance(outcome, OSError):
                read.set_exception(outcome)
            else:
                read.set_result((outcome, FAR))
        for _ in range(3):
            await asyncio.sleep(0)


def on_a_selector_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a test on the loop of gateway and simulator; pytest takes another one on Windows."""

    @functools.wraps(test)
    def run() -> None:
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(test())

    return run


async def story_of_the_real_transport() -> list[str]:
    """Drive the standard library's own Proactor transport through the error."""
    loop: Any = asyncio.get_running_loop()
    proactor = FakeProactor()
    loop._proactor = proactor
    ear = Ear()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect(FAR)  # or Linux would refuse the shutdown() with which the transport closes
    transport = proactor_events._ProactorDatagramTransport(  # type: ignore[attr-defined]
        loop, sock, ear
    )
    try:
        await asyncio.sleep(0)
        await proactor.complete(b"one")
        await proactor.complete(ConnectionResetError(WSAECONNRESET, "forcibly closed"))
        await proactor.complete(b"two")
        await proactor.complete(b"three")
    finally:
        transport.close()
        for _ in range(3):
            await asyncio.sleep(0)
        del loop._proactor
    return ear.story


@asynccontextmanager
async def open_ear(port: int = 0) -> AsyncIterator[tuple[Ear, Any]]:
    loop = asyncio.get_running_loop()
    transport, ear = await loop.create_datagram_endpoint(
        Ear, local_addr=("127.0.0.1", port), family=socket.AF_INET
    )
    try:
        yield ear, transport
    finally:
        transport.close()
        await asyncio.sleep(0)


async def hear(address: Address, *texts: bytes) -> None:
    """Send from another socket and let it be read."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for text in texts:
            sender.sendto(text, address)
    await asyncio.sleep(0.01)


async def story_of_the_imitation(deaf: bool) -> list[str]:
    with windows_udp(deaf=deaf) as fault:
        async with open_ear() as (ear, transport):
            address = transport.get_extra_info("sockname")
            await hear(address, b"one")
            assert fault.trigger() == 1
            await hear(address, b"two", b"three")
            assert fault.deaf_ports == ((address[1],) if deaf else ())
        assert fault.ports == ()
    return ear.story


@on_a_selector_loop
async def test_the_sin_is_real_and_the_imitation_is_true() -> None:
    real = await story_of_the_real_transport()
    if sys.version_info < (3, 13):
        assert real == DEAF_STORY
    # Later releases may carry the cure (gh-127057); the imitation plays those that do not.
    assert real in (DEAF_STORY, WHOLE_STORY)
    assert await story_of_the_imitation(deaf=True) == DEAF_STORY


@on_a_selector_loop
async def test_a_selector_socket_goes_on_after_the_error() -> None:
    assert await story_of_the_imitation(deaf=False) == WHOLE_STORY


@on_a_selector_loop
async def test_a_deaf_socket_still_sends_and_closes() -> None:
    with windows_udp() as fault:
        async with open_ear() as (_, deaf), open_ear() as (other, near):
            fault.trigger(port=deaf.get_extra_info("sockname")[1])
            deaf.sendto(b"still here", near.get_extra_info("sockname"))
            await asyncio.sleep(0.01)
            assert other.story == ["still here"]
            assert fault.trigger() == 1  # only the one that is not deaf yet


@on_a_selector_loop
async def test_only_the_chosen_sockets_are_struck() -> None:
    with windows_udp(affects=lambda protocol: not isinstance(protocol, Ear)) as fault:
        async with open_ear() as (ear, _):
            assert fault.trigger() == 0
            assert ear.story == []


@on_a_selector_loop
async def test_the_loop_is_as_before_afterwards() -> None:
    loop = asyncio.get_running_loop()
    with windows_udp():
        assert "create_datagram_endpoint" in vars(loop)
    assert "create_datagram_endpoint" not in vars(loop)


def closed_port() -> Address:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        name: Address = probe.getsockname()
    return name


@pytest.mark.skipif(sys.platform != "linux", reason="IP_RECVERR is Linux's")
@pytest.mark.parametrize(("deaf", "after"), [(True, []), (False, ["two"])])
async def test_a_real_icmp_error_strikes(deaf: bool, after: list[str]) -> None:
    with windows_udp(deaf=deaf, icmp=True) as fault:
        async with open_ear() as (ear, transport):
            address = transport.get_extra_info("sockname")
            await hear(address, b"one")
            transport.sendto(b"is anybody there", closed_port())
            await asyncio.sleep(0.01)
            await hear(address, b"two")
            assert fault.deaf_ports == ((address[1],) if deaf else ())
    assert ear.story == [*DEAF_STORY, *after]


@pytest.mark.skipif(sys.platform != "linux", reason="IP_RECVERR is Linux's")
def test_an_icmp_error_that_was_heard_does_not_make_the_loop_spin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("simulator.clock.SPINS", 1000)

    async def main() -> list[str]:
        with windows_udp(deaf=False, icmp=True):
            async with open_ear() as (ear, transport):
                transport.sendto(b"is anybody there", closed_port())
                await asyncio.sleep(1.0)
        return ear.story

    assert run_virtual(main()) == DEAF_STORY[1:]
