"""A deaf socket is replaced, for as long as somebody keeps it."""

import asyncio

import pytest

from voicegate.aio import beside
from voicegate.ear import Ear
from voicegate.hearing import GAP_S, Hearing

pytestmark = pytest.mark.virtual
QUIET_S = 1.0


class Socket:
    """Notes when it was reopened; refuses as often as it is told to."""

    def __init__(self, refusals: int = 0) -> None:
        self.at: list[float] = []
        self._refusals = refusals

    async def reopen(self) -> None:
        self.at.append(asyncio.get_running_loop().time())
        if len(self.at) <= self._refusals:
            raise OSError("in use")


async def test_a_quiet_socket_is_reopened_once_after_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hearing, socket, began_at = Hearing(QUIET_S), Socket(), asyncio.get_running_loop().time()
    ear = Ear(hearing, 5060)
    async with beside(ear.keep(socket.reopen), "ear"):
        await asyncio.sleep(1)
        ear.erred()
        await asyncio.sleep(30)
    assert socket.at == [pytest.approx(began_at + 1 + QUIET_S)]
    assert hearing.replaced == 1
    assert "deaf UDP socket reopened" in caplog.text


async def test_a_socket_that_hears_is_left_alone() -> None:
    socket = Socket()
    ear = Ear(Hearing(QUIET_S), 5060)
    async with beside(ear.keep(socket.reopen), "ear"):
        ear.erred()
        for _ in range(100):
            await asyncio.sleep(0.02)
            ear.heard()
    assert socket.at == []


async def test_on_hold_it_waits_until_something_is_expected() -> None:
    socket, now = Socket(), asyncio.get_running_loop().time
    expected_at = now() + 10
    ear = Ear(Hearing(QUIET_S), 5060)
    async with beside(ear.keep(socket.reopen, lambda: now() >= expected_at), "ear"):
        ear.erred()
        await asyncio.sleep(20)
    assert len(socket.at) == 1
    assert socket.at[0] >= expected_at


async def test_a_refused_socket_is_tried_again_at_a_bounded_rate() -> None:
    hearing, socket = Hearing(QUIET_S), Socket(refusals=2)
    ear = Ear(hearing, 5060)
    async with beside(ear.keep(socket.reopen), "ear"):
        ear.erred()
        await asyncio.sleep(60)
    first = socket.at[0]
    assert socket.at == [pytest.approx(first + n * GAP_S) for n in range(3)]
    assert hearing.replaced == 1
