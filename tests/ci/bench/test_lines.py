"""The callers' lean RTP lines, over real sockets."""

import asyncio
import socket
import struct
import sys
from collections.abc import Iterator

import pytest

from ci.bench.lines import HOST, Line, Pump, open_line

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="recvmsg is POSIX's")
SOUND, SILENCE = b"\x55" * 160, b"\xd5" * 160


@pytest.fixture
def line() -> Iterator[Line]:
    opened = open_line([SOUND, SILENCE], SILENCE)
    yield opened
    opened.sock.close()


@pytest.fixture
def far() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HOST, 0))
        sock.settimeout(2)
        yield sock


def test_what_came_is_timed_numbered_and_told_from_silence(line: Line, far: socket.socket) -> None:
    for number, payload in ((65535, SILENCE), (0, SOUND), (1, SILENCE)):
        packet = struct.pack("!BBHII", 0x80, 8, number, 0, 1) + payload
        far.sendto(packet, (HOST, line.port))
    far.sendto(b"no packet", (HOST, line.port))

    line.drain()

    assert line.sequences == [65535, 0, 1]
    assert line.arrivals_s == sorted(line.arrivals_s)
    assert line.sounding == 1
    assert (line.first_at_s, line.first_sound_s) == tuple(line.arrivals_s[:2])
    assert line.sounded.is_set()


def test_a_new_measurement_forgets_the_packets_but_not_the_first(
    line: Line, far: socket.socket
) -> None:
    far.sendto(bytes(12) + SOUND, (HOST, line.port))
    line.drain()

    line.forget()

    assert (line.arrivals_s, line.sequences, line.sounding) == ([], [], 0)
    assert line.first_sound_s is not None


def test_nothing_is_sent_before_the_answer_tells_where(line: Line, far: socket.socket) -> None:
    line.send()
    line.remote = far.getsockname()
    line.send()
    line.send()

    packets = [far.recv(2048) for _ in range(2)]
    assert [struct.unpack("!BBHII", packet[:12])[2:4] for packet in packets] == [(0, 0), (1, 160)]
    assert [packet[12:] for packet in packets] == [SOUND, SILENCE]


async def test_the_pump_sends_every_line_each_20_ms(line: Line) -> None:
    loop = asyncio.get_running_loop()
    arrivals: list[float] = []
    enough = asyncio.Event()

    class Far(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
            arrivals.append(loop.time())
            if len(arrivals) == 6:
                enough.set()

    transport, _ = await loop.create_datagram_endpoint(Far, local_addr=(HOST, 0))
    pump = Pump()
    pump.add(line)
    line.remote = transport.get_extra_info("sockname")
    began_at = loop.time()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        running = group.create_task(pump.run())
        await enough.wait()
        running.cancel()
    transport.close()

    assert 0.1 < arrivals[5] - began_at < 0.5
    pump.remove(line)
    assert line.sock.fileno() == -1
