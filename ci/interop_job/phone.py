"""baresip under our fingers, by its control port: keys, hold, transfer, and what it tells."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ci.interop_job.baresip import RATE_HZ, prepare
from ci.interop_job.ports import HOST, free_block
from ci.interop_job.tools import ended, running
from simulator.audio.pcm import Pcm, resample
from simulator.audio.wav import read

CONTROL = """\
module_app ctrl_tcp.so
ctrl_tcp_listen {host}:{port}
"""
START_LIMIT_S = 30.0
TELL_LIMIT_S = 20.0
LIFE_LIMIT_S = 90
POLL_S = 0.05
QUIT_S = 10.0


class PhoneLost(Exception):
    """baresip is not there, or does not tell what it should; the text says what."""


class Phone:
    """A running baresip."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, recordings: Path
    ) -> None:
        self.events: list[str] = []
        """The kinds of event that it told of, in order: CALL_ESTABLISHED, CALL_CLOSED ..."""
        self._reader = reader
        self._writer = writer
        self._recordings = recordings

    async def listen(self) -> None:
        """Take what it tells until it goes: JSON in netstrings."""
        while True:
            try:
                length = await self._reader.readuntil(b":")
                told: dict[str, Any] = json.loads(
                    (await self._reader.readexactly(int(length[:-1]) + 1))[:-1]
                )
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            if "type" in told:
                self.events.append(str(told["type"]))

    async def command(self, name: str, parameter: str = "") -> None:
        """Have it do something, as its own menu would."""
        words = json.dumps({"command": name, "params": parameter, "token": name}).encode()
        self._writer.write(b"%d:%s," % (len(words), words))
        await self._writer.drain()

    async def until(self, kind: str, times: int = 1) -> None:
        """Wait until it has told of such an event so many times. Raises PhoneLost."""
        try:
            async with asyncio.timeout(TELL_LIMIT_S):
                while self.events.count(kind) < times:  # noqa: ASYNC110 - another program
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise PhoneLost(f"no {kind} (of {times}) among {self.events}") from None

    def recordings(self) -> list[Pcm]:
        """Give what it heard, call by call, at 8 kHz."""
        found = [read(file) for file in sorted(self._recordings.glob("*-dec.wav"))]
        heard = [resample(pcm[:, 0], rate, RATE_HZ) for pcm, rate in found if len(pcm)]
        return heard or [np.zeros(0, dtype=np.int16)]


@asynccontextmanager
async def open_phone(
    folder: Path, codec: str, speech: Pcm, users: Sequence[str], more: str = ""
) -> AsyncIterator[Phone]:
    """Start baresip with an account for each user; it is gone after the block.

    Its recordings are whole when it has ended: read them after the block."""
    control = free_block(2)
    extra = CONTROL.format(host=HOST, port=control) + more
    recordings = await asyncio.to_thread(prepare, folder, codec, users, speech, extra)
    command = ["baresip", "-4", "-f", str(folder), "-t", str(LIFE_LIMIT_S)]
    async with running(command, folder / "baresip.out", folder=folder) as process:
        reader, writer = await _connected(control)
        phone = Phone(reader, writer, recordings)
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(phone.listen())
            try:
                yield phone
                await phone.command("quit")
                if await ended(process, QUIT_S) is None:
                    raise PhoneLost(f"it did not quit within {QUIT_S:.0f} s")
            finally:
                listening.cancel()
                writer.close()


async def _connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Reach its control port as soon as it is there. Raises PhoneLost."""
    try:
        async with asyncio.timeout(START_LIMIT_S):
            while True:
                try:
                    return await asyncio.open_connection(HOST, port)
                except OSError:
                    await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise PhoneLost(f"baresip has not opened its port {port}") from None
