"""What Windows wants done differently: one place for it, no effect elsewhere.

Facts and sources: docs/windows.md.
"""

import asyncio
import ctypes
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIO_UDP_CONNRESET = 0x9800000C
"""Control code (mswsock.h): with FALSE an ICMP port-unreachable is no error of the next receive."""

SOCKETS_MAX = 512
"""select() of Windows watches so many in one process; one more, and the loop ends."""

TIMER_MS = 1
STOP_SIGNALS = ("SIGINT", "SIGTERM", "SIGBREAK")
HEARTBEAT_S = 1.0
"""A selector that sleeps on Windows sees no Ctrl+C; so often it is woken to look."""


def disable_udp_connreset(sock: socket.socket) -> None:
    """Keep WinError 10054 out of this UDP socket; nothing happens off Windows.

    `socket.ioctl` refuses the code (it knows three others), so WSAIoctl is called directly. A
    refusal is no error of ours: the error is then counted where it arrives.
    """
    if sys.platform != "win32":
        return
    value = ctypes.c_ulong(0)
    returned = ctypes.c_ulong(0)
    ctypes.windll.ws2_32.WSAIoctl(
        ctypes.c_size_t(sock.fileno()),
        ctypes.c_ulong(SIO_UDP_CONNRESET),
        ctypes.byref(value),
        ctypes.c_ulong(ctypes.sizeof(value)),
        None,
        ctypes.c_ulong(0),
        ctypes.byref(returned),
        None,
        None,
    )


@contextmanager
def fine_timer() -> Iterator[None]:
    """Let timers fire to the millisecond while the block runs: else the system's own step, 15.6 ms,
    is what a call is paced by. Windows counts such blocks; nothing happens elsewhere."""
    if sys.platform != "win32":
        yield
        return
    ctypes.windll.winmm.timeBeginPeriod(TIMER_MS)
    try:
        yield
    finally:
        ctypes.windll.winmm.timeEndPeriod(TIMER_MS)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Give the loop the gateway runs on: a selector loop on every system.

    The Proactor loop of Windows goes deaf on a UDP socket after one WinError 10054
    (cpython gh-91227, gh-127057); the selector loop does not.
    """
    return asyncio.SelectorEventLoop()


@contextmanager
def stop_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` on the loop for every Ctrl+C, Ctrl+Break or SIGTERM while the block runs."""
    loop = asyncio.get_running_loop()
    numbers = [getattr(signal, name) for name in STOP_SIGNALS if hasattr(signal, name)]
    try:
        for number in numbers:
            loop.add_signal_handler(number, stop)
    except NotImplementedError:
        with _plain_signals(loop, numbers, stop):
            yield
        return
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


@contextmanager
def reload_signal(reload: Callable[[], None]) -> Iterator[None]:
    """Call `reload` on the loop for every SIGHUP while the block runs; Windows has none."""
    if sys.platform == "win32":
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, reload)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


@contextmanager
def _plain_signals(
    loop: asyncio.AbstractEventLoop, numbers: list[signal.Signals], stop: Callable[[], None]
) -> Iterator[None]:
    """Do the same by `signal.signal`, with a heartbeat so that the interpreter gets to see it."""

    def seen(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)

    beat = loop.call_later(HEARTBEAT_S, lambda: None)

    def again() -> None:
        nonlocal beat
        beat = loop.call_later(HEARTBEAT_S, again)

    before = {number: signal.signal(number, seen) for number in numbers}
    again()
    try:
        yield
    finally:
        beat.cancel()
        for number, old in before.items():
            signal.signal(number, old)


def ignore_stop_signals() -> None:
    """Let a late Ctrl+C pass: the work is done, the process is on its way out."""
    for name in STOP_SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def use_utf8_output() -> None:
    """Let no character end the program: Windows consoles and services default to cp1252."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")
