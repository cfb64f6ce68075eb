"""Session descriptions: what a gate offers (RFC 4566), in our terms.

Tolerant in form (line ends, unknown lines, missing o= and t=), strict in what would make us send
to somebody who did not ask for it: see answer.py.
"""

import ipaddress
from dataclasses import dataclass
from enum import Enum

_BODY_MAX = 65536
_STREAMS_MAX = 16
_FORMATS_MAX = 64
_STATIC = {0: "PCMU", 8: "PCMA", 9: "G722"}
"""RFC 3551 table 4: valid without rtpmap."""


class OfferRefused(Exception):
    """The offer cannot be taken. The reason quotes nothing of the offer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        """488 (Not Acceptable Here), or 400 for what is no SDP at all."""
        self.reason = reason
        """A few plain words."""


class Direction(Enum):
    """Who sends, from the side of whoever wrote the attribute (RFC 3264 5.1)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        """Whether the writer sends."""
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        """Whether the writer wants to receive."""
        return self in (Direction.SENDRECV, Direction.RECVONLY)

    @staticmethod
    def of(*, sends: bool, receives: bool) -> "Direction":
        """Give the direction of somebody who does the one, the other, both or none."""
        if sends:
            return Direction.SENDRECV if receives else Direction.SENDONLY
        return Direction.RECVONLY if receives else Direction.INACTIVE


@dataclass(frozen=True)
class Stream:
    """One m= line with what belongs to it."""

    media: str
    """`audio`, `video` ..."""
    port: int | None
    """None if it is no port at all (0 is a refused or switched-off stream)."""
    protocol: str
    """`RTP/AVP` is what we speak."""
    formats: tuple[str, ...]
    """As on the line; payload types for RTP."""
    connection: str | None
    """The address of the c= line that holds for it (RFC 4566 5.7); None without one."""
    encodings: tuple[tuple[int, str], ...]
    """(payload type, `NAME/rate[/channels]` in upper case), in the order offered."""
    ptime_ms: int | None
    """The packet length the writer would like to get."""
    maxptime_ms: int | None
    """The longest packet it takes."""
    direction: Direction
    """From the side of the writer."""
    rtcp_port: int | None = None
    """Where it takes RTCP (RFC 3605), if that is not the port above."""


@dataclass(frozen=True)
class Offer:
    """A session description."""

    streams: tuple[Stream, ...]
    """In the order of their m= lines; there is at least one."""


def parse_offer(body: bytes) -> Offer:
    """Read a session description. Raises OfferRefused, nothing else."""
    if not body.strip():
        raise OfferRefused(488, "no offer in the request")
    if len(body) > _BODY_MAX:
        raise OfferRefused(400, "session description too long")
    # Only CR and LF end a line; splitlines() knows more ends, which a name may contain.
    cut = body.replace(b"\r", b"\n").split(b"\n")
    lines = [line.decode("utf-8", "replace").strip() for line in cut if line.strip()]
    # RFC 4566 5: the first line is v=0.
    if lines[0].replace(" ", "") != "v=0":
        raise OfferRefused(400, "not a session description")
    session, *streams = _sections(lines[1:])
    if not streams:
        raise OfferRefused(488, "no media offered")
    if len(streams) > _STREAMS_MAX:
        raise OfferRefused(488, "too many media streams")
    return Offer(tuple(_stream(lines, session) for lines in streams))


def is_address(text: str) -> bool:
    """Whether the text is an IP address (a name is none: nothing here asks the DNS)."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _sections(lines: list[str]) -> list[list[str]]:
    """The session's lines first, then those of each stream."""
    sections: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("m="):
            sections.append([])
        sections[-1].append(line)
    return sections


def _stream(lines: list[str], session: list[str]) -> Stream:
    words = lines[0][2:].split()
    if len(words) < 4 or not (lines[0].isascii() and lines[0].isprintable()):
        raise OfferRefused(488, "broken media line")
    media, port, protocol, *formats = words
    if len(formats) > _FORMATS_MAX:
        raise OfferRefused(488, "too many formats")
    attributes = [line[2:] for line in lines if line.startswith("a=")]
    return Stream(
        media=media.lower(),
        port=_number(port.partition("/")[0], 65535),
        protocol=protocol,
        formats=tuple(formats),
        connection=_connection(lines) or _connection(session),
        encodings=_encodings(formats, attributes),
        ptime_ms=_milliseconds("ptime", attributes),
        maxptime_ms=_milliseconds("maxptime", attributes),
        direction=_direction(attributes)
        or _direction([line[2:] for line in session if line.startswith("a=")])
        or Direction.SENDRECV,
        rtcp_port=_rtcp_port(attributes),
    )


def _number(text: str, largest: int) -> int | None:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        return None
    value = int(text)
    return value if value <= largest else None


def _connection(lines: list[str]) -> str | None:
    """The address of the first c= line, without TTL; it may turn out to be no address."""
    for line in lines:
        if line.startswith("c="):
            words = line[2:].split()
            address = words[2] if len(words) > 2 else ""
            return address.partition("/")[0] or "?"
    return None


def _encodings(formats: list[str], attributes: list[str]) -> tuple[tuple[int, str], ...]:
    mapped = {}
    for attribute in attributes:
        name, _, value = attribute.partition(":")
        words = value.split()
        if name.lower() == "rtpmap" and len(words) > 1:
            mapped[_number(words[0], 127)] = words[1].upper()
    found = []
    for text in formats:
        payload_type = _number(text, 127)
        if payload_type is None:
            continue
        static = _STATIC.get(payload_type)
        encoding = mapped.get(payload_type, f"{static}/8000" if static else None)
        if encoding is not None:
            found.append((payload_type, encoding.removesuffix("/1")))
    return tuple(found)


def _milliseconds(wanted: str, attributes: list[str]) -> int | None:
    for attribute in attributes:
        name, _, value = attribute.partition(":")
        if name.lower() == wanted:
            return _number(value.strip(), 1000) or None
    return None


def _rtcp_port(attributes: list[str]) -> int | None:
    """The port of a=rtcp. An address behind it is not looked at: we send to the host of RTP."""
    for attribute in attributes:
        name, _, value = attribute.partition(":")
        if name.lower() == "rtcp" and value.split():
            return _number(value.split()[0], 65535) or None
    return None


def _direction(attributes: list[str]) -> Direction | None:
    for attribute in attributes:
        try:
            return Direction(attribute.strip().lower())
        except ValueError:
            continue
    return None
