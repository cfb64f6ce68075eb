import asyncio
import random
from typing import Any

import numpy as np
import pytest

from simulator.audio.g711 import PCMA
from simulator.audio.sound import pcm_sound, tone_sound
from simulator.clock import run_virtual
from simulator.gate.agreement import Negotiated
from simulator.gate.judge import Findings
from simulator.gate.media import BURST_MAX, CallMedia
from simulator.gate.profile import Quirks
from simulator.gate.rtp import FRAME_S, RtpPacket, parse_rtp
from simulator.gate.sip_socket import UdpSocket, open_udp
from simulator.gate.wire import Address


class Line:
    """A call's media and the far end's socket."""

    def __init__(self, **quirks: Any) -> None:
        self.findings = Findings()
        self.got: list[tuple[float, bytes]] = []
        self.changes = 0
        self._loop = asyncio.get_running_loop()
        self.media = CallMedia(
            5, Quirks(**quirks), self.findings, random.Random(2), self._changed, exact=True
        )

    def _changed(self) -> None:
        self.changes += 1

    def _received(self, _socket: UdpSocket, data: bytes, _source: Address) -> None:
        self.got.append((self._loop.time(), data))

    async def __aenter__(self) -> "Line":
        self.far = await open_udp("127.0.0.1", 0, self._received, None, even=True)
        await self.media.open("127.0.0.1", None)
        self.media.agree(Negotiated(self.far.address, {8: "PCMA"}, telephone_event=None))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.media.close()
        self.far.close()
        await self.media.closed()
        await self.far.closed()


def test_the_schedule_is_absolute_and_silence_is_sent_too() -> None:
    async def main() -> None:
        async with Line() as line:
            start = asyncio.get_running_loop().time()
            line.media.start()
            line.media.start()
            await asyncio.sleep(0.99)
            line.media.halt()
            await asyncio.sleep(0.1)
            assert [at - start for at, _ in line.got] == pytest.approx(
                [n * FRAME_S for n in range(50)]
            )
            assert {parse_rtp(data).payload for _, data in line.got} == {PCMA.silence()}
            assert line.media.port % 2 == 0

    run_virtual(main())


def test_a_late_tick_sends_what_is_due_but_no_flood() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        for stall_s, sent, skipped in ((0.107, 6, 0), (1.007, 1 + BURST_MAX, 40)):
            async with Line() as line:
                start = loop.time()
                line.media.start()
                loop._virtual.now_s += stall_s  # type: ignore[attr-defined] # a stalled loop
                await asyncio.sleep(0.001)
                assert line.media.packets_sent == sent
                assert line.media.frames_skipped == skipped
                # Whatever came late, the next one is on the grid of the start again.
                await asyncio.sleep(FRAME_S)
                assert line.media.packets_sent == sent + 1
                offset = (line.got[-1][0] - start) / FRAME_S
                assert offset == pytest.approx(round(offset), abs=0.01)

    run_virtual(main())


def test_what_is_said_arrives_bit_by_bit_and_its_end_is_told() -> None:
    async def main() -> None:
        ramp = np.arange(-8000, 8000, 25, dtype=np.int16)
        async with Line() as line:
            line.media.say(pcm_sound(ramp, 8000))
            line.media.start()
            assert line.media.speaking
            await asyncio.sleep(0.2)
            assert not line.media.speaking
            assert line.changes == 1
            payload = b"".join(parse_rtp(data).payload for _, data in line.got[:4])
            assert payload == PCMA.encode(ramp)
            assert line.media.last_loud_spoken_at is not None

    run_virtual(main())


def test_what_comes_is_heard_at_its_time() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with Line() as line:
            line.media.start()
            frames = list(tone_sound(440, 0.1).frames(9, 8000))
            start = loop.time()
            for number, pcm in enumerate(frames):
                packet = RtpPacket(8, number, number * 160, 1, PCMA.encode(pcm))
                line.far.send(packet.serialise(), ("127.0.0.1", line.media.port))
                await asyncio.sleep(FRAME_S)
            assert line.media.heard.start_s == pytest.approx(start, abs=0.001)
            assert line.media.heard.duration_s == pytest.approx(0.1)
            assert line.media.heard.level_dbfs() > -30
            assert line.media.last_loud_heard_at == pytest.approx(start + 0.1, abs=0.001)
            line.media.stop()
            assert line.findings.violations == []

    run_virtual(main())


def test_a_new_ssrc_starts_a_new_stream() -> None:
    async def main() -> None:
        async with Line() as line:
            line.media.start()
            await asyncio.sleep(0.05)
            line.media.change_ssrc()
            await asyncio.sleep(0.05)
            packets = [parse_rtp(data) for _, data in line.got]
            assert len({packet.ssrc for packet in packets}) == 2
            assert [packet.marker for packet in packets].count(True) == 2

    run_virtual(main())


def test_keys_need_a_telephone_event() -> None:
    async def main() -> None:
        async with Line() as line:
            with pytest.raises(ValueError, match="no telephone-event"):
                line.media.press("1")
            with pytest.raises(ValueError, match="more than 64 digits"):
                line.media.press("1" * 65)

    run_virtual(main())
