"""The virtual loop: jumps, stands still, and says where everything hangs."""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from simulator.clock import Deadlock, VirtualLoop, run_virtual, task_report


class Echo(asyncio.DatagramProtocol):
    """Sends back what comes, and keeps when it came."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.got: list[tuple[float, bytes]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.got.append((asyncio.get_running_loop().time(), data))
        if data.startswith(b"ping"):
            self.transport.sendto(data.replace(b"ping", b"pong"), addr)


async def open_echo() -> tuple[Echo, Any]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        Echo, local_addr=("127.0.0.1", 0), family=socket.AF_INET
    )
    return protocol, transport.get_extra_info("sockname")


def test_sleep_takes_virtual_seconds_and_no_real_ones() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        before = loop.time()
        await asyncio.sleep(100)
        return loop.time() - before

    assert run_virtual(main()) == pytest.approx(100, abs=1e-6)


def test_a_periodic_deadline_is_exact() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        start, seen = loop.time(), []
        for n in range(1, 501):
            await asyncio.sleep(start + n * 0.02 - loop.time())
            seen.append(loop.time() - start - n * 0.02)
        return seen

    assert max(abs(late) for late in run_virtual(main())) < 1e-6


def test_udp_on_loopback_takes_no_virtual_time() -> None:
    async def main() -> list[tuple[float, bytes]]:
        loop = asyncio.get_running_loop()
        near, _ = await open_echo()
        far, address = await open_echo()
        start = loop.time()
        for n in range(100):
            near.transport.sendto(b"ping%d" % n, address)
            await asyncio.sleep(0.02)
        near.transport.close()
        far.transport.close()
        await asyncio.sleep(0)
        return [(round(at - start, 6), data) for at, data in near.got]

    expected = [(round(n * 0.02, 6), b"pong%d" % n) for n in range(100)]
    assert run_virtual(main()) == expected


async def tls_conversation(authority: trustme.CA) -> list[str]:
    """35 virtual s of WebSocket over TLS, fake and peer in one loop."""
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server_side)
    client_side = ssl.create_default_context()
    authority.configure_trust(client_side)

    async def answer(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(f"heard {message!r}")

    loop = asyncio.get_running_loop()
    story = []
    async with serve(answer, "127.0.0.1", 0, ssl=server_side) as server:
        port = server.sockets[0].getsockname()[1]
        # "localhost" is resolved by the default executor: the clock must wait for it.
        async with connect(f"wss://localhost:{port}", ssl=client_side) as connection:
            start = loop.time()
            for n in range(35):
                await connection.send(f"piece {n}")
                story.append(f"{loop.time() - start:.3f} {await connection.recv()!r}")
                await asyncio.sleep(1.0)
    return story


def test_tls_and_websockets_tell_the_same_story_each_time() -> None:
    authority = trustme.CA()
    stories = [run_virtual(tls_conversation(authority)) for _ in range(3)]

    assert stories[0][34] == "34.000 \"heard 'piece 34'\""
    assert stories[1] == stories[0]
    assert stories[2] == stories[0]


def test_time_stands_still_while_an_executor_job_runs() -> None:
    async def main() -> tuple[str, float]:
        loop = asyncio.get_running_loop()
        gate = threading.Event()
        start = loop.time()
        with ThreadPoolExecutor(1) as pool:
            job = loop.run_in_executor(pool, gate.wait, 5.0)
            loop.call_soon(gate.set)
            async with asyncio.timeout(0.001):
                assert await job
        return "done", loop.time() - start

    assert run_virtual(main()) == ("done", 0.0)


def test_a_job_that_never_ends_is_a_deadlock() -> None:
    gate = threading.Event()

    async def main() -> None:
        await asyncio.get_running_loop().run_in_executor(None, gate.wait, 30.0)

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(patience_s=0.05)) as runner:
        with pytest.raises(Deadlock, match=r"more than 0\.05 real s"):
            runner.run(main())
        gate.set()


def test_names_are_resolved_on_the_executor() -> None:
    async def main() -> tuple[Any, float]:
        loop = asyncio.get_running_loop()
        start = loop.time()
        async with asyncio.timeout(0.001):
            found = await loop.getaddrinfo("localhost", 5060, family=socket.AF_INET)
        return found[0][4], loop.time() - start

    assert run_virtual(main()) == (("127.0.0.1", 5060), 0.0)


def test_a_hang_is_a_deadlock_that_names_the_place() -> None:
    async def wait_for_godot() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(wait_for_godot(), name="call-7/uplink")

    with pytest.raises(Deadlock) as caught:
        run_virtual(main())
    text = str(caught.value)
    assert "nothing can happen any more" in text
    assert "task call-7/uplink:" in text
    assert "wait_for_godot" in text
    assert "Event.wait" in text


def test_a_ticker_cannot_hide_a_hang() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.02)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(tick(), name="ticker")

    with pytest.raises(Deadlock, match="virtual time limit is over") as caught:
        run_virtual(main(), limit_s=10)
    assert 490 <= ticks <= 510
    assert "after 10.000 virtual s" in str(caught.value)


def test_a_busy_loop_is_a_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.clock.SPINS", 1000)

    async def main() -> None:
        while True:  # noqa: ASYNC110 - the sin itself
            await asyncio.sleep(0)

    with pytest.raises(Deadlock, match="something spins"):
        run_virtual(main())


def test_clean_up_runs_after_a_deadlock() -> None:
    cleaned = []

    async def main() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(30)
            cleaned.append("yes")

    with pytest.raises(Deadlock):
        run_virtual(main(), limit_s=20)
    assert cleaned == []  # the limit of 20 s holds for the clean-up too

    with pytest.raises(Deadlock):
        run_virtual(main(), limit_s=60)
    assert cleaned == ["yes"]


def test_clean_up_runs_after_the_limit_too() -> None:
    cleaned = []

    async def main() -> None:
        try:
            while True:  # noqa: ASYNC110 - a ticker hides the hang
                await asyncio.sleep(0.02)
        finally:
            await asyncio.sleep(5)
            cleaned.append("yes")

    with pytest.raises(Deadlock, match="limit is over"):
        run_virtual(main(), limit_s=10)
    assert cleaned == ["yes"]


def test_a_job_that_ends_late_costs_no_virtual_time() -> None:
    gate = threading.Event()

    async def main() -> float:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        job = loop.run_in_executor(None, gate.wait, 0.1)
        job.cancel()  # the thread goes on; closing waits for it, while a timer is far away
        loop.call_later(100, gate.set)
        await loop.shutdown_default_executor()
        return loop.elapsed_s

    assert run_virtual(main()) == 0.0


def test_the_limit_can_be_moved_by_a_long_test() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.limit_s = 7200
        await asyncio.sleep(3600)
        return loop.elapsed_s

    assert run_virtual(main(), limit_s=1) == pytest.approx(3600)


def test_a_thread_may_hold_the_clock() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        done = asyncio.Event()
        thread = threading.Thread(target=loop.call_soon_threadsafe, args=(done.set,))
        start = loop.time()
        with loop.held():
            thread.start()
            async with asyncio.timeout(0.001):
                await done.wait()
        thread.join()
        return loop.time() - start

    assert run_virtual(main()) == 0.0


def test_the_report_follows_the_await_chain_into_generators() -> None:
    async def numbers() -> AsyncIterator[int]:
        await asyncio.sleep(1)
        yield 1

    async def main() -> str:
        async def consume() -> None:
            async for _ in numbers():
                pass

        async with asyncio.TaskGroup() as group:
            group.create_task(consume(), name="consumer")
            await asyncio.sleep(0.5)
            return task_report(asyncio.get_running_loop())

    report = run_virtual(main())
    assert "consume" in report
    assert f"{Path(__file__).name}" in report


@pytest.mark.asyncio(loop_scope="function")
async def test_the_real_loop_is_untouched() -> None:
    assert not isinstance(asyncio.get_running_loop(), VirtualLoop)
