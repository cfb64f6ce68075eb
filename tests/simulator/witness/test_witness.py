"""Ten kinds of leak, each found by number and name; clean runs, each silent."""

import asyncio
import socket
import ssl
import threading
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from simulator.clock import run_virtual
from simulator.witness import LeakFound, Snapshot, Witness
from simulator.witness.census import Trace
from simulator.witness.channels import ErrorSeen

CALLS = 3


class Call:
    """Stands for a call object; kept by a cycle with itself."""

    def __init__(self) -> None:
        self.me = self


class Deaf(asyncio.DatagramProtocol):
    """A protocol that hears nothing."""


class Sins:
    """Each method is one call with one kind of leak; undo ends what it left, after the check."""

    def __init__(self, witness: Witness) -> None:
        self.witness = witness
        self.undo = ExitStack()
        self.kept: list[Any] = []

    async def thread_with_a_loop(self) -> None:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="call/asyncio")
        thread.start()
        self.undo.callback(loop.close)
        self.undo.callback(thread.join)
        self.undo.callback(loop.call_soon_threadsafe, loop.stop)

    async def task_not_cancelled(self) -> None:
        task = asyncio.create_task(asyncio.Event().wait(), name="call/uplink")
        self.undo.callback(task.cancel)

    async def task_collected(self) -> None:
        async def orphan() -> None:
            await asyncio.get_running_loop().create_future()

        task = asyncio.create_task(orphan(), name="call/orphan")
        await asyncio.sleep(0)
        del task

    async def task_collected_in_another_thread(self) -> None:
        async def orphan() -> None:
            await asyncio.get_running_loop().create_future()

        async def main() -> None:
            asyncio.create_task(orphan())  # noqa: RUF006 - the sin
            await asyncio.sleep(0)

        def work() -> None:
            loop = asyncio.new_event_loop()
            loop.run_until_complete(main())
            loop.close()

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    async def error_never_retrieved(self) -> None:
        future = asyncio.get_running_loop().create_future()
        future.set_exception(ValueError("nobody asked"))

    async def transport_left_open(self) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Deaf, local_addr=("127.0.0.1", 0))
        self.undo.callback(transport.close)

    async def socket_dropped(self) -> None:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind(("127.0.0.1", 0))

    async def loop_not_closed(self) -> None:
        loop = asyncio.new_event_loop()
        self.kept.append(loop)
        self.undo.callback(loop.close)

    async def call_object_kept(self) -> None:
        self.kept.append(self.witness.watch(Call(), "call"))

    async def error_in_a_thread(self) -> None:
        def work() -> None:
            raise ValueError("in a thread")

        thread = threading.Thread(target=work, name="call/worker")
        thread.start()
        thread.join()

    async def file_left_open(self) -> None:
        file = Path(__file__).open("rb")  # noqa: ASYNC230, SIM115 - the sin
        self.kept.append(self.undo.enter_context(file))

    async def socket_without_an_object(self) -> None:
        plain = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        again = socket.socket(fileno=plain.detach())
        number = again.detach()
        self.undo.callback(lambda: socket.socket(fileno=number).close())


async def found_after(sin: str) -> LeakFound:
    """Two calls to warm up, a baseline, three calls: what the witness says then."""
    with Witness() as witness:
        sins = Sins(witness)
        witness.baseline()
        try:
            for _ in range(CALLS):
                await getattr(sins, sin)()
            with pytest.raises(LeakFound) as caught:
                await witness.check_settled(after="call 3")
        finally:
            sins.undo.close()
            await asyncio.sleep(0)
    return caught.value


@pytest.mark.parametrize(
    ("sin", "counts", "says"),
    [
        ("thread_with_a_loop", {"threads": 3, "loops": 3}, "3 threads left behind: call/asyncio"),
        ("task_not_cancelled", {"tasks": 3}, "3 tasks left behind: call/uplink"),
        ("task_collected", {"errors": 3}, "error (loop): Task was destroyed but it is pending"),
        (
            "task_collected_in_another_thread",
            {"errors": 3},
            "error (asyncio-log): Task was destroyed but it is pending",
        ),
        ("error_never_retrieved", {"errors": 3}, "never retrieved: ValueError: nobody asked"),
        ("transport_left_open", {"sockets": 3}, "3 sockets left behind: udp 127.0.0.1:"),
        ("socket_dropped", {"errors": 3}, "unclosed <socket.socket"),
        ("loop_not_closed", {"loops": 3}, "3 loops left behind"),
        ("call_object_kept", {"objects": 3}, "3 objects left behind: call, call, call"),
        ("error_in_a_thread", {"errors": 3}, "error (thread): in call/worker: ValueError"),
        ("file_left_open", {"files": 3}, "3 files left behind: "),
    ],
)
def test_each_kind_of_leak_is_found(sin: str, counts: dict[str, int], says: str) -> None:
    found = run_virtual(found_after(sin))

    assert found.counts() == counts
    assert says in str(found)
    assert str(found).startswith("after call 3:")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are listed on Linux")
def test_a_descriptor_that_no_object_owns_is_found() -> None:
    found = run_virtual(found_after("socket_without_an_object"))

    assert found.counts() == {"files": 3}
    assert "socket:[" in str(found)


async def clean_call() -> None:
    """A task group, a job on a thread, a datagram socket: all of it ended."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Deaf, local_addr=("127.0.0.1", 0))
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(0.01), name="call/uplink")
        group.create_task(asyncio.to_thread(sum, [1, 2]))
    Call()
    transport.close()


async def clean_conversation(authority: trustme.CA) -> None:
    """TLS and WebSocket, both sides in this process."""
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    client_side = ssl.create_default_context()
    authority.configure_trust(client_side)

    async def answer(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with serve(answer, "127.0.0.1", 0, ssl=server_side) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"wss://127.0.0.1:{port}", ssl=client_side) as connection:
            await connection.send("hello")
            assert await connection.recv() == "hello"


def test_24_clean_runs_are_silent() -> None:
    authority = trustme.CA()

    async def main() -> dict[str, int]:
        with Witness() as witness:
            for _ in range(2):
                await clean_call()
                await clean_conversation(authority)
            await witness.settle()
            witness.baseline()
            before = witness.counts()
            for n in range(24):
                witness.watch(Call())
                await clean_call()
                await clean_conversation(authority)
                await witness.check_settled(after=f"call {n}")
            assert witness.counts() == before
            return before

    assert run_virtual(main())["objects"] == 0


async def test_a_clean_run_in_real_time_is_silent() -> None:
    with Witness() as witness:
        await clean_call()
        await witness.settle()
        witness.baseline()
        await clean_call()
        await witness.check_settled()
        assert witness.errors == []


async def test_something_gone_does_not_pay_for_something_left() -> None:
    with Witness() as witness:
        first = asyncio.create_task(asyncio.Event().wait(), name="first")
        await witness.settle()
        witness.baseline()
        first.cancel()
        second = asyncio.create_task(asyncio.Event().wait(), name="second")
        await asyncio.sleep(0)
        with pytest.raises(LeakFound, match="1 tasks left behind: second"):
            witness.check()
        second.cancel()
        await witness.check_settled()


async def test_what_needs_a_moment_to_close_is_waited_for() -> None:
    with Witness() as witness:
        witness.baseline()
        slow = asyncio.create_task(asyncio.sleep(0.3), name="slow close")
        with pytest.raises(LeakFound):
            witness.check()
        await witness.check_settled()
        assert slow.done()


async def test_without_a_baseline_there_is_nothing_to_check() -> None:
    with Witness() as witness, pytest.raises(RuntimeError, match="no baseline"):
        witness.check()


async def test_another_process_can_be_watched() -> None:
    answers: Iterator[Snapshot] = iter(
        [
            Snapshot.from_resources({"threads": ["MainThread"], "sockets": 2}),
            Snapshot.from_resources({"threads": ["MainThread", "call-3"], "sockets": 3}),
        ]
    )
    witness = Witness(take=lambda: next(answers))
    with witness:
        witness.baseline()
        with pytest.raises(LeakFound) as caught:
            witness.check()
    assert caught.value.counts() == {"threads": 1, "sockets": 1}
    assert "call-3" in str(caught.value)


def test_a_long_list_is_cut() -> None:
    traces = tuple(Trace("tasks", f"t{n}", str(n)) for n in range(30))
    errors = tuple(ErrorSeen("loop", f"e{n}") for n in range(25))
    text = str(LeakFound("the run", traces, errors))

    assert "30 tasks left behind: t0, t1" in text
    assert "and 10 more" in text
    assert "and 5 more errors" in text


async def test_watch_gives_the_object_back_and_lets_it_die() -> None:
    with Witness() as witness:
        witness.baseline()
        ref = weakref.ref(witness.watch(Call()))
        await witness.check_settled()
        assert ref() is None


@contextmanager
def some_loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    try:
        yield loop
    finally:
        loop.close()


def test_a_loop_attached_later_is_heard() -> None:
    with some_loop() as loop, Witness() as witness:
        witness.attach(loop)
        loop.call_exception_handler({"message": "something is wrong"})

        assert witness.errors == [ErrorSeen("loop", "something is wrong")]
    assert loop.get_exception_handler() is None
