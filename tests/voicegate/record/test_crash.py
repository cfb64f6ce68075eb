"""A killed gateway leaves a recording that plays. In real time, with a process of its own."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from simulator.audio.heard import Heard
from simulator.audio.sound import stamps
from simulator.audio.wav import read
from simulator.gate.gate import SimulatedGate
from simulator.target.command import SERVE, as_environment, free_block, running
from voicegate.record.names import AUDIO, EVENTS

TALK_S = 4.0
READY_S = 30.0
LOST_S = 2.0
"""A second between two writes, and what the tape holds back."""


def is_ready(log: Path) -> bool:
    return b"gateway ready" in log.read_bytes()


async def ready(log: Path) -> None:
    async with asyncio.timeout(READY_S):
        while not is_ready(log):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
async def test_a_recording_survives_the_kill_of_its_process(tmp_path: Path) -> None:
    port = free_block(42)
    settings: dict[str, dict[str, object]] = {
        "sip": {"port": port},
        "admin": {"port": port + 1},
        "media": {"rtp_ports": [port + 2, port + 40]},
        "voice": {"backend": "echo"},
        "record": {"dir": str(tmp_path / "records"), "audio": True},
    }
    variables = dict(os.environ) | as_environment(settings)
    log = tmp_path / "log"
    with running(SERVE, log, variables) as process:
        await ready(log)
        async with SimulatedGate(gateway=("127.0.0.1", port)) as gate:
            call = await gate.dial("1000", speak=stamps(every_s=1.0))
            await call.lasts(TALK_S)
            process.send_signal(signal.SIGKILL)
            process.wait()
            call.vanish()
    [record] = (tmp_path / "records").glob("*/*")
    assert {one.name for one in record.iterdir()} == {AUDIO, EVENTS}
    pcm, rate = read(record / AUDIO)
    assert TALK_S - LOST_S <= len(pcm) / rate <= TALK_S + 1
    caller = Heard()
    caller.add(pcm[:, 0], rate, 0.0)
    assert caller.only_from(call, at_least=1)
