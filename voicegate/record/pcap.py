"""call.pcap as bytes: UDP datagrams as IP packets (LINKTYPE_RAW), the caller's number masked."""

import ipaddress
import re
import struct
from typing import NamedTuple

Address = tuple[str, int]

# https://www.tcpdump.org/linktypes.html: the packet begins with the IP header, 4 or 6
LINKTYPE_RAW = 101
FILE_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0x40000, LINKTYPE_RAW)
_UDP = 17
_HOPS = 64
_DONT_FRAGMENT = 0x4000
_SHOWN = 4
_NUMBER_MIN = 7
_CALL_ID = re.compile(rb"^(?:call-id|i)[ \t]*:[ \t]*(.*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


class Packet(NamedTuple):
    """One datagram that passed."""

    at_s: float
    """Seconds since 1970."""
    source: Address
    """Who sent it."""
    destination: Address
    """Whom it was sent to."""
    payload: bytes
    """What is in it."""


def serialise(packet: Packet) -> bytes:
    """Give the packet as it stands in the file."""
    octets = _ip(packet)
    micros = round(packet.at_s * 1_000_000)
    return struct.pack("<IIII", *divmod(micros, 1_000_000), len(octets), len(octets)) + octets


def call_id_of(message: bytes) -> str:
    """Read the Call-ID of a SIP message, "" where there is none."""
    found = _CALL_ID.search(message.partition(b"\r\n\r\n")[0])
    return found.group(1).decode("utf-8", "surrogateescape") if found else ""


def masked(message: bytes, number: str) -> bytes:
    """Hide a caller's number in a SIP message but for its last four digits, at the same length.

    Every run of digits that ends as the number does is one: gates write it in several forms.
    """
    digits = "".join(sign for sign in number if sign.isdecimal() and sign.isascii())
    if len(digits) >= _NUMBER_MIN:
        pattern = rb"\d*" + digits[1 - _NUMBER_MIN :].encode()
    elif len(number) > _SHOWN:
        pattern = re.escape(number.encode("utf-8", "surrogateescape"))
    else:
        return message
    return re.sub(pattern, _hidden, message)


def _hidden(found: re.Match[bytes]) -> bytes:
    text = found.group()
    return b"*" * (len(text) - _SHOWN) + text[-_SHOWN:]


def _ip(packet: Packet) -> bytes:
    source = ipaddress.ip_address(packet.source[0])
    destination = ipaddress.ip_address(packet.destination[0])
    length = 8 + len(packet.payload)
    ports = struct.pack("!HHH", packet.source[1], packet.destination[1], length)
    if source.version == 4:
        head = struct.pack("!BBHHHBB", 0x45, 0, 20 + length, 0, _DONT_FRAGMENT, _HOPS, _UDP)
        hosts = source.packed + destination.packed
        # RFC 768: a checksum of zero means that none was made
        return (
            head
            + struct.pack("!H", _checksum(head + hosts))
            + hosts
            + ports
            + b"\0\0"
            + packet.payload
        )
    hosts = source.packed + destination.packed
    # RFC 8200 8.1: here UDP must have one, summed with a pseudo header
    pseudo = hosts + struct.pack("!II", length, _UDP)
    sum_ = struct.pack("!H", _checksum(pseudo + ports + packet.payload) or 0xFFFF)
    head = struct.pack("!IHBB", 0x60000000, length, _UDP, _HOPS)
    return head + hosts + ports + sum_ + packet.payload


def _checksum(octets: bytes) -> int:
    """RFC 1071."""
    padded = octets + b"\0" * (len(octets) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
