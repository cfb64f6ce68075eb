"""Evidence of the wire: a pcap file of UDP datagrams, written by hand (LINKTYPE_RAW)."""

import socket
import struct
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

Address = tuple[str, int]

# https://www.tcpdump.org/linktypes.html: the packet begins with the IP header.
LINKTYPE_RAW = 101
UDP = 17
TAPE_PACKETS = 200_000
LARGEST_PAYLOAD = 65535 - 20 - 8


@dataclass(frozen=True)
class Packet:
    """One datagram that passed."""

    at_s: float
    """When, in seconds of the run's clock."""

    source: Address
    """Who sent it."""

    destination: Address
    """Whom it was sent to."""

    payload: bytes
    """The UDP payload."""


def checksum(octets: bytes) -> int:
    """The internet checksum (RFC 1071) of the octets."""
    padded = octets + b"\0" * (len(octets) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip_packet(source: Address, destination: Address, payload: bytes, ident: int = 0) -> bytes:
    """The datagram as an IPv4 packet; OSError for a host that is no IPv4 address."""
    if len(payload) > LARGEST_PAYLOAD:
        raise ValueError(f"{len(payload)} octets do not fit into one UDP datagram")
    hosts = socket.inet_aton(source[0]) + socket.inet_aton(destination[0])
    length = 8 + len(payload)
    ports = struct.pack("!HHH", source[1], destination[1], length)
    # RFC 768: summed with a pseudo header; zero is sent as all ones.
    udp_sum = checksum(hosts + struct.pack("!HH", UDP, length) + ports + b"\0\0" + payload)
    head = struct.pack("!BBHHHBB", 0x45, 0, 20 + length, ident & 0xFFFF, 0x4000, 64, UDP)
    ip_sum = struct.pack("!H", checksum(head + b"\0\0" + hosts))
    return head + ip_sum + hosts + ports + struct.pack("!H", udp_sum or 0xFFFF) + payload


class PcapWriter:
    """A pcap file that is open; use as a context manager."""

    def __init__(self, path: Path | str) -> None:
        self.packets = 0
        self._file: BinaryIO = Path(path).open("wb")  # noqa: SIM115 - closed by __exit__
        self._file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0x40000, LINKTYPE_RAW))

    def write(self, at_s: float, source: Address, destination: Address, payload: bytes) -> None:
        """Add one datagram; `at_s` becomes its time stamp."""
        packet = ip_packet(source, destination, payload, ident=self.packets)
        micros = round(at_s * 1_000_000)
        head = struct.pack("<IIII", *divmod(micros, 1_000_000), len(packet), len(packet))
        self._file.write(head + packet)
        self.packets += 1

    def close(self) -> None:
        """Close the file; harmless twice."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Tape:
    """The newest datagrams of a run, in memory; `dropped` counts those that had to go."""

    def __init__(self, limit: int = TAPE_PACKETS) -> None:
        self.dropped = 0
        self._packets: deque[Packet] = deque(maxlen=limit)

    def record(self, at_s: float, source: Address, destination: Address, payload: bytes) -> None:
        """Keep one datagram."""
        if len(self._packets) == self._packets.maxlen:
            self.dropped += 1
        self._packets.append(Packet(at_s, source[:2], destination[:2], bytes(payload)))

    def forget(self) -> None:
        """Let go of all that is kept, so that a long run can measure somebody else's memory."""
        self.dropped += len(self._packets)
        self._packets.clear()

    @property
    def packets(self) -> tuple[Packet, ...]:
        """What is kept, in the order of recording."""
        return tuple(self._packets)

    def __len__(self) -> int:
        return len(self._packets)

    def save(self, path: Path | str) -> None:
        """Write all that is kept, in order of time, as a pcap file."""
        with PcapWriter(path) as writer:
            for packet in sorted(self._packets, key=lambda packet: packet.at_s):
                writer.write(packet.at_s, packet.source, packet.destination, packet.payload)
