"""The callers' sound: lean RTP lines, sent and emptied by one clock, timed by the kernel.

The simulator's calls judge every packet and cost more CPU than a gateway; here a frame costs one
send and two receives. Arrival times are the kernel's (SO_TIMESTAMPNS), so a late reader does not
spoil them; where a system has none, the reader's own time is taken.
"""

import asyncio
import socket
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

HEADER = struct.Struct("!BBHII")
SECONDS_AND_NANOSECONDS = struct.Struct("@ll")
SO_TIMESTAMPNS = 35
"""Linux on x86 and Arm: asm-generic/socket.h."""
KERNEL_TIMES = sys.platform == "linux"
HOST = "127.0.0.1"
FRAME_S = 0.02
FRAME_SAMPLES = 160
SLOTS = 8
"""The clock's hands, 2.5 ms apart, so that the callers do not all send at once."""
DATAGRAM_MAX = 2048
RECEIVE_BUFFER = 1 << 18


@dataclass
class Line:
    """One caller's RTP: what it sends, and when what came."""

    sock: socket.socket
    """Bound; not connected, so that the far port may be learned from the answer."""
    frames: Sequence[bytes]
    """What it says, over and over: 20 ms of G.711 each."""
    silence: bytes
    """A payload that is no sound."""
    remote: tuple[str, int] | None = None
    """Where to send; None before the answer."""
    arrivals_s: list[float] = field(default_factory=list)
    """When packets came, seconds of the wall clock."""
    sequences: list[int] = field(default_factory=list)
    """Their RTP sequence numbers."""
    sounding: int = 0
    """How many of them were not silence."""
    first_at_s: float | None = None
    """When the first one came."""
    first_sound_s: float | None = None
    """When the first one with sound came."""
    sounded: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once it has come."""
    sent: int = 0
    """Packets sent."""

    @property
    def port(self) -> int:
        """Its own port."""
        port: int = self.sock.getsockname()[1]
        return port

    def send(self) -> None:
        """Send the next frame."""
        if self.remote is not None:
            number = self.sent
            head = HEADER.pack(0x80, 8, number & 0xFFFF, number * FRAME_SAMPLES & 0xFFFFFFFF, 7)
            self.sent += 1
            self.sock.sendto(head + self.frames[number % len(self.frames)], self.remote)

    def drain(self) -> None:
        """Take all that came."""
        while True:
            try:
                data, told, _, _ = self.sock.recvmsg(DATAGRAM_MAX, 64)
            except BlockingIOError:
                return
            if len(data) < HEADER.size:
                continue
            self._note(data, _arrival_s(told))

    def forget(self) -> None:
        """Begin a new measurement."""
        self.arrivals_s.clear()
        self.sequences.clear()
        self.sounding = 0

    def _note(self, data: bytes, at_s: float) -> None:
        if self.first_at_s is None:
            self.first_at_s = at_s
        self.arrivals_s.append(at_s)
        self.sequences.append(data[2] << 8 | data[3])
        if data[12:] != self.silence:
            self.sounding += 1
            if self.first_sound_s is None:
                self.first_sound_s = at_s
                self.sounded.set()


def open_line(frames: Sequence[bytes], silence: bytes) -> Line:
    """Open a line on a free port."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    if KERNEL_TIMES:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.bind((HOST, 0))
    return Line(sock, frames, silence)


def _arrival_s(told: Sequence[tuple[int, int, bytes]]) -> float:
    for _level, kind, data in told:
        if kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = SECONDS_AND_NANOSECONDS.unpack(data)
            return float(seconds + nanoseconds * 1e-9)
    return time.time()


class Pump:
    """Sends and empties all lines each 20 ms, on absolute deadlines."""

    def __init__(self) -> None:
        self.late_s: list[float] = []
        """How late each turn was."""
        self._slots: list[list[Line]] = [[] for _ in range(SLOTS)]
        self._loop = asyncio.get_running_loop()

    def add(self, line: Line) -> None:
        """Carry a line from its next turn on, on the hand that carries the fewest."""
        min(self._slots, key=len).append(line)
        if not KERNEL_TIMES:
            self._loop.add_reader(line.sock, line.drain)

    def remove(self, line: Line) -> None:
        """Carry it no more, and close it."""
        for slot in self._slots:
            if line in slot:
                slot.remove(line)
        if not KERNEL_TIMES:
            self._loop.remove_reader(line.sock)
        line.sock.close()

    async def run(self) -> None:
        """Go on until cancelled."""
        origin, count = self._loop.time(), 0
        while True:
            count += 1
            due = origin + count * FRAME_S / SLOTS
            now = self._loop.time()
            if now < due:
                await asyncio.sleep(due - now)
            self.late_s.append(max(0.0, self._loop.time() - due))
            for line in self._slots[count % SLOTS]:
                line.send()
                line.drain()
            if now >= due:
                await asyncio.sleep(0)  # far behind: others still get their turn
