"""What the process holds, by name, without the admin side's own share."""

import asyncio

import pytest

from simulator.gate.gate import SimulatedGate
from tests.wine import not_under_wine
from voicegate.admin.resources import sample
from voicegate.gateway import Gateway

pytestmark = pytest.mark.virtual


async def test_an_unnamed_task_goes_by_its_coroutines_name(gateway: Gateway) -> None:
    async def lingering() -> None:
        await asyncio.Event().wait()

    task = asyncio.ensure_future(lingering())
    names = (await sample(gateway, 0))["tasks"]
    task.cancel()
    await asyncio.wait((task,))
    assert any("lingering" in name for name in names)
    assert "gateway" in names


async def test_the_blocking_threads_are_there_from_the_start(gateway: Gateway) -> None:
    threads = (await sample(gateway, 0))["threads"]
    assert sum(name.startswith("voicegate-blocking") for name in threads) == 2


@not_under_wine("lists not every socket of a process")
async def test_a_call_takes_three_sockets_and_gives_them_back(
    gateway: Gateway, gate: SimulatedGate
) -> None:
    assert gateway.admin_address
    port = gateway.admin_address.port
    before = (await sample(gateway, port))["sockets"]
    async with gate.dial("1000") as call:
        await call.lasts(1)
        during = await sample(gateway, port)
    await asyncio.sleep(2)
    after = await sample(gateway, port)
    # RTP, RTCP and the service's; in this process the far ends of the three count too
    assert during["sockets"] - before == 6
    assert after["sockets"] == before
    # a port of the range that another program has rests too: so it is with tests beside these
    assert after["rtp_ports"]["lent"] == 0
    assert after["rtp_ports"]["resting"] >= 1
