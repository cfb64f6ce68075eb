"""The programs that are measured or help to measure, each a process of its own, and their meter."""

import asyncio
import json
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from ci.bench.lines import HOST
from ci.interop_job.ports import free_block
from ci.interop_job.tools import plain_environment, running

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 40.0
STEP_S = 0.02
RTP_PORTS = 400
MAX_CALLS = 200


class ProgramLost(Exception):
    """A program did not start; the text holds the end of what it said."""


class Meter:
    """CPU, memory and descriptors of one process."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)

    def cpu_s(self) -> float:
        """Give the CPU seconds used so far, user and system."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def rss_kb(self) -> float:
        """Give the resident memory."""
        return float(self._process.memory_info().rss) / 1024

    def descriptors(self) -> int:
        """Give the open descriptors (handles on Windows)."""
        if sys.platform == "win32":
            return int(self._process.num_handles())
        return int(self._process.num_fds())


@dataclass(frozen=True)
class Target:
    """A program that takes calls."""

    voice: str
    """sipp, echo or gemini."""
    address: tuple[str, int]
    """Its SIP address."""
    meter: Meter
    """What it uses."""
    service: Meter | None = None
    """What the fake service uses; None where there is none."""


@asynccontextmanager
async def open_target(voice: str, folder: Path) -> AsyncIterator[Target]:
    """Start what answers as `voice`; nothing of it runs after the block. Raises ProgramLost."""
    if voice == "sipp":
        async with open_sipp(folder) as target:
            yield target
    elif voice == "echo":
        async with open_gateway(folder, {"VOICEGATE_VOICE__BACKEND": "echo"}) as gateway:
            yield Target(voice, *gateway)
    else:
        async with (
            open_service(folder) as (variables, service),
            open_gateway(folder, variables) as gateway,
        ):
            yield Target(voice, *gateway, service)


@asynccontextmanager
async def open_gateway(
    folder: Path, settings: Mapping[str, str]
) -> AsyncIterator[tuple[tuple[str, int], Meter]]:
    """Start `voicegate serve` on free ports; give its SIP address and its meter."""
    low = free_block(RTP_PORTS + 2)
    variables = plain_environment() | {
        "PYTHONPATH": os.environ.get("PYTHONPATH", str(ROOT)),
        "VOICEGATE_SIP__HOST": HOST,
        "VOICEGATE_SIP__PORT": str(low),
        "VOICEGATE_SIP__MAX_CALLS": str(MAX_CALLS),
        "VOICEGATE_ADMIN__PORT": str(low + 1),
        "VOICEGATE_MEDIA__RTP_PORTS": json.dumps((low + 2, low + RTP_PORTS)),
        "VOICEGATE_CALL__GOODBYE": "off",
    }
    command = (sys.executable, "-m", "voicegate", "serve")
    log = folder / "gateway.log"
    async with running(
        command, log, folder=folder, environment=variables | dict(settings)
    ) as process:
        await _said(log, "gateway ready", process)
        yield (HOST, low), Meter(process.pid)


@asynccontextmanager
async def open_service(folder: Path) -> AsyncIterator[tuple[Mapping[str, str], Meter]]:
    """Start the fake service; give the environment that leads to it, and its meter."""
    variables = plain_environment() | {"PYTHONPATH": str(ROOT)}
    command = (sys.executable, "-m", "ci.bench.service")
    log = folder / "service.log"
    async with running(command, log, folder=folder, environment=variables) as process:
        text = await _said(log, "}\n", process)
        yield json.loads(text.splitlines()[-1]), Meter(process.pid)


@asynccontextmanager
async def open_sipp(folder: Path) -> AsyncIterator[Target]:
    """Start SIPp as an echo written in C: the yardstick."""
    sipp = shutil.which("sipp")
    if sipp is None:
        raise ProgramLost("sipp is not installed")
    low = free_block(6)
    command = (
        sipp, "-sn", "uas", "-rtp_echo", "-nostdin", "-i", HOST, "-p", str(low),
        "-mi", HOST, "-mp", str(low + 2),
    )  # fmt: skip
    log = folder / "sipp.log"
    async with running(command, log, folder=folder) as process:
        await _listens(low, log, process)
        yield Target("sipp", (HOST, low), Meter(process.pid))


async def _said(log: Path, text: str, process: asyncio.subprocess.Process) -> str:
    """Wait until a program has printed that; give all it printed. Raises ProgramLost."""
    await _until(lambda: text in _text(log), log, process)
    return _text(log)


async def _listens(port: int, log: Path, process: asyncio.subprocess.Process) -> None:
    """Wait until a program has that UDP port, for one that prints nothing. Raises ProgramLost."""
    await _until(lambda: _is_taken(port), log, process)


async def _until(
    condition: Callable[[], bool], log: Path, process: asyncio.subprocess.Process
) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + READY_WITHIN_S
    while not condition():
        if process.returncode is not None or loop.time() > deadline:
            raise ProgramLost("\n".join(_text(log).splitlines()[-15:]) or "it said nothing")
        await asyncio.sleep(STEP_S)


def _is_taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")
