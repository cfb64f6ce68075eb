"""Half-open and aborted peers; pongs on demand."""

import asyncio
import socket
import ssl

import pytest
from websockets.exceptions import ConnectionClosed

from simulator.gemini import FakeGemini
from simulator.gemini.script import (
    pong,
)
from tests.simulator.gemini.bench import PATH, Bench, frame, play, read, setup


def test_half_open_peers_hold_up_the_end_for_a_bounded_time() -> None:
    lasted_s: list[float] = []

    async def scenario(bench: Bench) -> None:
        fake, loop = bench.gemini, asyncio.get_running_loop()
        # One stops before TLS, one before HTTP, one before its setup, one reads nothing any more.
        mute = socket.create_connection(("127.0.0.1", fake.port))
        _, writer = await asyncio.open_connection("127.0.0.1", fake.port, ssl=trusting(fake))
        idle, deaf = [await bench.dial(PATH + "?key=k") for _ in range(2)]
        await deaf.send(setup())
        await read(deaf)
        deaf.transport.pause_reading()
        for _ in range(400):
            fake.session(1).raw("x" * 60_000)
        await asyncio.sleep(0.1)
        started_s = loop.time()
        await fake.aclose()
        lasted_s.append(loop.time() - started_s)
        mute.close()
        writer.transport.abort()
        for ws in (idle, deaf):
            ws.transport.abort()
            await ws.wait_closed()

    # In debug mode asyncio reports each handshake that fails.
    fake = play(scenario, debug=False)
    assert lasted_s[0] <= 2 * fake.close_timeout_s
    assert [session.closed for session in fake.sessions] == [(1001, ""), (1006, "")]


def trusting(fake: FakeGemini) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=fake.ca_file)


def test_an_aborted_peer_leaves_nothing() -> None:
    async def scenario(bench: Bench) -> None:
        async with bench.raw() as ws:
            await ws.send(setup())
            await read(ws)
            ws.transport.abort()
            await bench.gemini.until(lambda: bench.gemini.open_sessions == 0)

    fake = play(scenario)
    assert fake.session(0).closed == (1006, "")


@pytest.mark.parametrize("delay_s", [0.0, 8.0, None])
def test_pongs_may_be_late_or_missing(delay_s: float | None) -> None:
    fake = FakeGemini()
    fake.on_connect(pong(delay_s))

    async def scenario(bench: Bench) -> None:
        async with bench.raw() as ws:
            await ws.send(setup())
            await read(ws)
            await asyncio.sleep(0.1)
            answer = asyncio.ensure_future(await ws.ping())
            start_s = asyncio.get_running_loop().time()
            if delay_s is None:
                await asyncio.sleep(15.0)
                assert not answer.done()
                answer.cancel()
            else:
                await answer
                assert asyncio.get_running_loop().time() - start_s == pytest.approx(delay_s)

    play(scenario, fake)


def test_a_half_open_connection_is_silent_both_ways_until_it_is_mended() -> None:
    async def scenario(bench: Bench) -> None:
        async with bench.raw() as ws:
            await ws.send(setup())
            await read(ws)
            session = await bench.gemini.connected()
            session.wire.half_open()
            session.raw("{}")
            pong_waiter = asyncio.ensure_future(await ws.ping())
            await ws.send(frame(realtimeInput={"text": "are you there?"}))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(30):
                    await ws.recv()
            assert not pong_waiter.done()
            assert session.received == {"setup": 1}
            session.wire.half_open(False)
            assert await read(ws) == {}
            await pong_waiter
            await session.until(lambda: session.received["text"] == 1)

    play(scenario)


def test_a_half_open_connection_knows_nothing_of_its_peer_s_end() -> None:
    async def scenario(bench: Bench) -> None:
        ws = await bench.dial(PATH + "?key=k")
        await ws.send(setup())
        await read(ws)
        session = await bench.gemini.connected()
        session.wire.half_open()
        await ws.close()
        await asyncio.sleep(5.0)
        assert bench.gemini.open_sessions == 1
        session.wire.half_open(False)
        await bench.gemini.until(lambda: bench.gemini.open_sessions == 0, within_s=3)

    play(scenario)


def test_a_slow_connection_delays_both_ways_and_loses_nothing() -> None:
    async def scenario(bench: Bench) -> None:
        now = asyncio.get_running_loop().time
        async with bench.raw() as ws:
            await ws.send(setup())
            await read(ws)
            session = await bench.gemini.connected()
            session.wire.slow(octets_per_s=1000.0, delay_s=0.25)
            start_s = now()
            await ws.send(frame(realtimeInput={"text": "x" * 900}))
            await session.until(lambda: session.received["text"] == 1)
            assert now() - start_s == pytest.approx(0.25 + 0.94, abs=0.05)
            session.raw("[" + "0" * 498 + "]")
            start_s = now()
            await ws.recv()
            assert now() - start_s == pytest.approx(0.25 + 0.5, abs=0.05)
            session.wire.slow()
            await ws.send(frame(realtimeInput={"text": "fast"}))
            await session.until(lambda: session.received["text"] == 2)

    play(scenario)


def test_a_slow_reader_fills_the_sender_s_buffers() -> None:
    sent: list[float] = []

    async def scenario(bench: Bench) -> None:
        loop = asyncio.get_running_loop()
        async with bench.raw() as ws:
            await ws.send(setup())
            await read(ws)
            session = await bench.gemini.connected()
            session.wire.slow(octets_per_s=100_000.0)
            start_s = loop.time()
            for _ in range(200):
                await ws.send(frame(realtimeInput={"text": "x" * 60_000}))
            sent.append(loop.time() - start_s)
            ws.transport.abort()

    play(scenario)
    assert sent[0] > 10.0, "12 MB at 0.1 MB/s can not all be in buffers"


def test_an_announced_frame_is_enough_for_a_peer_with_a_limit() -> None:
    async def scenario(bench: Bench) -> None:
        async with bench.raw() as ws:
            await ws.send(setup())
            await read(ws)
            session = await bench.gemini.connected()
            session.wire.oversize(2**20 + 1)
            with pytest.raises(ConnectionClosed) as closed:
                await ws.recv()
            assert closed.value.sent is not None
            assert closed.value.sent.code == 1009

    play(scenario)
