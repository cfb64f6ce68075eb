"""What Windows wants done differently, shown on any system."""

import asyncio
import ctypes
import io
import runpy
import select
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from simulator.gate.gate import SimulatedGate
from voicegate import windows
from voicegate.admin.live import VIEWERS_MAX
from voicegate.gateway import Gateway
from voicegate.host.local import SELECTOR_CALLS_ON_WINDOWS, SOCKETS_PER_CALL
from voicegate.sip import stream


async def test_a_signal_asks_to_stop_and_is_unhooked_afterwards() -> None:
    asked = asyncio.Event()
    before = signal.getsignal(signal.SIGTERM)
    with windows.stop_signals(asked.set):
        signal.raise_signal(signal.SIGTERM)
        await asyncio.wait_for(asked.wait(), 5)
    assert signal.getsignal(signal.SIGTERM) == before


async def test_trap_15_the_plain_way_is_taken_where_the_loop_knows_no_signals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()

    def refuse(*_: Any) -> None:
        raise NotImplementedError

    monkeypatch.setattr(loop, "add_signal_handler", refuse)
    monkeypatch.setattr(windows, "HEARTBEAT_S", 0.01)
    asked = asyncio.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with windows.stop_signals(asked.set):
        signal.raise_signal(signal.SIGINT)
        await asyncio.wait_for(asked.wait(), 5)
    assert {number: signal.getsignal(number) for number in before} == before


async def test_ctrl_break_asks_to_stop_like_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(signal, "SIGBREAK"):
        monkeypatch.setattr(signal, "SIGBREAK", signal.SIGUSR1, raising=False)
    number = signal.Signals(getattr(signal, "SIGBREAK"))  # noqa: B009 - elsewhere it has none
    asked = asyncio.Event()
    before = signal.getsignal(number)
    with windows.stop_signals(asked.set):
        signal.raise_signal(number)
        await asyncio.wait_for(asked.wait(), 5)
    assert signal.getsignal(number) == before


async def test_where_there_is_no_sighup_none_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.delattr(signal, "SIGHUP", raising=False)
    with windows.reload_signal(lambda: None):
        await asyncio.sleep(0)


async def test_the_heartbeat_wakes_the_loop_until_the_block_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    beats: list[float] = []
    real = loop.call_later

    def counted(delay: float, callback: Any, *args: Any) -> asyncio.TimerHandle:
        beats.append(delay)
        return real(0, callback, *args)

    monkeypatch.setattr(loop, "call_later", counted)
    with windows._plain_signals(loop, [], lambda: None):
        while len(beats) < 5:  # noqa: ASYNC110 - the beats are what the loop does meanwhile
            await asyncio.sleep(0)
    assert beats[:5] == [windows.HEARTBEAT_S] * 5


def test_the_loop_is_a_selector_loop_everywhere() -> None:
    loop = windows.new_event_loop()
    assert isinstance(loop, asyncio.SelectorEventLoop)
    loop.close()


def test_all_sockets_of_a_full_gateway_can_be_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    connections = runpy.run_path(stream.__file__)["MAX_CONNECTIONS"]
    calls = SELECTOR_CALLS_ON_WINDOWS * SOCKETS_PER_CALL
    assert calls + connections + VIEWERS_MAX < windows.SOCKETS_MAX


@pytest.mark.skipif(sys.platform != "win32", reason="elsewhere the limit is another one")
def test_select_watches_512_sockets_and_no_more() -> None:
    with ExitStack() as opened:
        sockets = [
            opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            for _ in range(windows.SOCKETS_MAX + 1)
        ]
        select.select(sockets[1:], [], [], 0)
        with pytest.raises(ValueError, match="too many file descriptors"):
            select.select(sockets, [], [], 0)


def test_trap_15_connreset_is_switched_off_by_wsaioctl(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[Any, ...]] = []

    def control(*arguments: Any) -> int:
        calls.append(arguments)
        return 0

    library = SimpleNamespace(WSAIoctl=control)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(ws2_32=library), raising=False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        windows.disable_udp_connreset(sock)
        handle, code = calls[0][:2]
        assert (handle.value, code.value) == (sock.fileno(), 0x9800000C)


def test_trap_15_the_timer_is_fine_while_a_call_is_up_and_coarse_again_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    library = SimpleNamespace(
        timeBeginPeriod=lambda ms: told.append(f"begin {ms}"),
        timeEndPeriod=lambda ms: told.append(f"end {ms}"),
    )
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(winmm=library), raising=False)
    with pytest.raises(RuntimeError), windows.fine_timer():
        assert told == ["begin 1"]
        raise RuntimeError("a fault in the call")
    assert told == ["begin 1", "end 1"]


@pytest.mark.virtual
async def test_each_call_has_the_fine_timer(
    gateway: Gateway, gate: SimulatedGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    up: list[str] = []

    @contextmanager
    def noted() -> Iterator[None]:
        up.append("begin")
        yield
        up.append("end")

    monkeypatch.setattr("voicegate.media.opening.fine_timer", noted)
    async with gate.dial("1000") as call:
        await call.lasts(1)
        assert up == ["begin"]
    await asyncio.sleep(2)
    assert up == ["begin", "end"]


def test_elsewhere_nothing_is_touched() -> None:
    if sys.platform == "win32":
        pytest.skip("shown by the test above on Windows")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        windows.disable_udp_connreset(sock)


def test_trap_15_no_character_ends_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    console = io.TextIOWrapper(raw, encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", console)
    windows.use_utf8_output()
    console.write("\N{GRINNING FACE} довиждане \udc80")
    console.flush()
    assert raw.getvalue() == "\N{GRINNING FACE} довиждане ".encode() + b"\\udc80"
