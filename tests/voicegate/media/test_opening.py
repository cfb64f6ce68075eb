"""Opening and leaving the media of a call: what it lends goes back, whatever happens."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.voicegate.media.lab import HOST, Lab, calling, offer, port_of
from voicegate.media.ports import NoPortFree, PortPool
from voicegate.media.sdp import OfferRefused

pytestmark = pytest.mark.virtual


@pytest.fixture
def lab() -> Lab:
    return Lab()


def free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


async def test_the_port_rests_5_s_without_a_socket(lab: Lab) -> None:
    lab.pool = PortPool((32000, 32000))
    async with calling() as caller:
        async with lab.open(offer(caller.port)) as media:
            media.start()
        assert free(32000)
        await asyncio.sleep(4.9)
        with pytest.raises(NoPortFree):
            async with lab.open(offer(caller.port)):
                pytest.fail("a resting port was lent")
        await asyncio.sleep(0.2)
        async with lab.open(offer(caller.port)) as again:
            assert port_of(again) == 32000


async def test_a_refused_offer_costs_no_port(lab: Lab) -> None:
    for body, status in (
        (b" ", 488),
        (b"junk", 400),
        (offer(4000, host="198.51.100.7"), 488),
        (offer(5060), 488),
    ):
        with pytest.raises(OfferRefused) as refused:
            async with lab.open(body, own_addresses=[(HOST, 5060)]):
                pytest.fail("the offer was taken")
        assert refused.value.status == status
    assert (lab.pool.lent, lab.pool.resting(asyncio.get_running_loop().time())) == (0, 0)
    assert free(32000)


async def test_an_error_in_the_block_or_its_end_by_cancel_leaves_nothing(lab: Lab) -> None:
    ports: list[int] = []

    async def broken(fail: Callable[[], Any]) -> None:
        async with lab.open(offer(4000)) as media:
            media.start()
            ports.append(port_of(media))
            await fail()

    async def bug() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await broken(bug)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await broken(asyncio.Event().wait)
    assert lab.pool.lent == 0
    assert not lab.ticker.running
    assert len(ports) == 2
    assert all(map(free, ports))


async def test_a_call_given_up_while_its_socket_opens_leaves_nothing(lab: Lab) -> None:
    async def opened() -> None:
        async with lab.open(offer(4000)):
            pytest.fail("it was given up before")

    for turns in range(3):
        task = asyncio.create_task(opened())
        for _ in range(turns):
            await asyncio.sleep(0)
        if task.done():
            break
        task.cancel()
        with pytest.raises((asyncio.CancelledError, pytest.fail.Exception)):
            await task
        await asyncio.sleep(0)
        assert lab.pool.lent == 0
