"""The SIP messages of each call, picked from the tape as it runs."""

from collections import deque

from simulator.gate.wire import Address, RawMessage, UnreadableError, read
from simulator.pcap import Packet, Tape
from simulator.report.call import LadderRow

ROWS_MAX = 200
CALLS_MAX = 2000
TEXT_MAX = 8000

# RFC 3550 5.1: the first octet of RTP and RTCP of version 2; SIP begins with a letter.
RTP_FIRST = range(0x80, 0xC0)
SECRETS = ("authorization", "proxy-authorization")


class SipIndex:
    """Reads each packet of a tape once and keeps the SIP messages by Call-ID, bounded."""

    def __init__(self, tape: Tape) -> None:
        self.dropped = 0
        """Packets that the tape lost before they were read, and messages beyond a bound."""
        self._tape = tape
        self._read = 0
        self._packets: dict[str, deque[tuple[Packet, RawMessage]]] = {}
        self._dropped_of: dict[str, int] = {}

    def update(self) -> None:
        """Read what is new on the tape."""
        total = self._tape.dropped + len(self._tape)
        new = total - self._read
        packets = self._tape.packets
        self.dropped += max(0, new - len(packets))
        for packet in packets[len(packets) - min(new, len(packets)) :]:
            self._take(packet)
        self._read = total

    def _take(self, packet: Packet) -> None:
        if not packet.payload or packet.payload[0] in RTP_FIRST:
            return
        try:
            message = read(packet.payload)
        except UnreadableError:
            return
        call_id = message.call_id
        if call_id not in self._packets:
            if len(self._packets) >= CALLS_MAX:
                self.dropped += 1
                return
            self._packets[call_id] = deque()
        kept = self._packets[call_id]
        if len(kept) >= ROWS_MAX:
            self._dropped_of[call_id] = self._dropped_of.get(call_id, 0) + 1
        else:
            kept.append((packet, message))

    def rows(self, call_id: str, gateway: Address, zero_s: float) -> tuple[LadderRow, ...]:
        """That call's messages in order of time; `zero_s` is the loop time of the INVITE."""
        seen: list[tuple[tuple[str, int], bytes]] = []
        rows = []
        for packet, message in sorted(self._packets.get(call_id, ()), key=lambda one: one[0].at_s):
            key = (packet.source, packet.payload)
            rows.append(
                LadderRow(
                    at_s=packet.at_s - zero_s,
                    from_gateway=packet.source == tuple(gateway),
                    summary=message.summary,
                    source=str(Address(*packet.source)),
                    destination=str(Address(*packet.destination)),
                    text=readable(message),
                    repeated=key in seen,
                )
            )
            seen.append(key)
        return tuple(rows)

    def dropped_of(self, call_id: str) -> int:
        """How many more messages that call had."""
        return self._dropped_of.get(call_id, 0)


def readable(message: RawMessage) -> str:
    """The message as text, cut, without the answers to a challenge."""
    text = message.data.decode("utf-8", "replace").replace("\r\n", "\n").strip("\n")
    lines = [
        f"{line.partition(':')[0]}: (hidden)" if _is_secret(line) else line
        for line in text.split("\n")
    ]
    shown = "\n".join(lines)
    return shown if len(shown) <= TEXT_MAX else f"{shown[:TEXT_MAX]}\n... cut"


def _is_secret(line: str) -> bool:
    return line.partition(":")[0].strip().lower() in SECRETS
