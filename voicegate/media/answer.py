"""The answer to an offer (RFC 3264), and the policy on where our audio may go.

An SDP that names a third party would make a reflector of us: audio goes to the address that
signals, or to one the operator has allowed, and to nobody else.
"""

import ipaddress
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Protocol

from voicegate.media.codec import CODECS, FRAME_MS, Codec
from voicegate.media.sdp import Direction, Offer, OfferRefused, Stream, is_address

Target = tuple[str, int]
"""Host (an IP address) and port."""

PORT_MIN = 1024
"""No phone sends audio below it, and what listens there is no phone."""
EVENT_FORMATS = "0-15"
_PTIME_STEP_MS = 10
_PTIME_MAX_MS = 60


@dataclass(frozen=True)
class Answer:
    """What was agreed on."""

    body: bytes
    """The session description to send."""
    codec: Codec
    """The law of both directions."""
    payload_type: int
    """The number of the codec in this call (RFC 3264 6.1: the offer's)."""
    remote: Target | None
    """Where our audio goes and the caller's comes from; None when the offer holds (0.0.0.0)."""
    telephone_event: int | None
    """The payload type of digits, if agreed on."""
    ptime_ms: int
    """The length of the packets we send."""
    direction: Direction
    """From our side."""
    version: int
    """The version in our o= line."""
    rtcp_port: int | None = None
    """Where the caller takes RTCP, if not at the port above that of RTP."""

    def agrees_with(self, other: "Answer") -> bool:
        """Whether both mean the same stream, in all that the media follow."""
        return (
            self.codec.name == other.codec.name
            and self.payload_type == other.payload_type
            and self.telephone_event == other.telephone_event
            and self.remote == other.remote
            and self.direction == other.direction
            and self.ptime_ms == other.ptime_ms
            and self.rtcp_port == other.rtcp_port
        )


class Answerer(Protocol):
    """Answers an offer as this call would."""

    def __call__(self, body: bytes, version: int, current: Answer | None = None) -> Answer:
        """Give the answer with that o= version, on top of what holds. Raises OfferRefused."""


def make_answer(
    offer: Offer,
    *,
    local_host: str,
    local_port: int,
    codecs: tuple[str, ...],
    signalling_host: str,
    allowed: Callable[[str], bool],
    session_id: int = 1,
    version: int = 1,
    own_addresses: Collection[Target] = (),
    current: Answer | None = None,
) -> Answer:
    """Answer the first audio stream that we can take; the others get port 0.

    `own_addresses` are sockets of ours that must never be a target (the SIP port). `current` is
    what holds so far in this call: then a stream that is switched off is a hold, not a refusal.
    Raises OfferRefused.
    """
    if current is not None and _is_switched_off(offer):
        return _switched_off(offer, replace(current, version=version), session_id, local_host)
    refusal = OfferRefused(488, "no audio offered")
    own = {*own_addresses, (local_host, local_port)}
    for index, stream in enumerate(offer.streams):
        try:
            codec, payload_type = _codec(stream, codecs)
            remote = _remote(stream, local_host, signalling_host, allowed)
            if remote in own:
                raise OfferRefused(488, "media address is one of ours")
        except OfferRefused as error:
            if stream.media == "audio":
                refusal = error
            continue
        # RFC 3264 8.4: to 0.0.0.0 nothing is sent. It is how hold was asked for in RFC 2543.
        held = remote is None
        direction = Direction.of(
            sends=stream.direction.receives and not held, receives=stream.direction.sends
        )
        answer = Answer(
            body=b"",
            codec=codec,
            payload_type=payload_type,
            remote=remote,
            telephone_event=_telephone_event(stream),
            ptime_ms=_ptime_ms(stream),
            direction=direction,
            version=version,
            rtcp_port=stream.rtcp_port,
        )
        body = _body(offer, index, answer, session_id, local_host, local_port)
        return replace(answer, body=body)
    raise refusal


def _codec(stream: Stream, codecs: tuple[str, ...]) -> tuple[Codec, int]:
    """The first codec of the offer that we may speak (RFC 3264 6.1: the offerer's order)."""
    if stream.media != "audio":
        raise OfferRefused(488, "no audio offered")
    if stream.port == 0:
        raise OfferRefused(488, "audio offered with port 0")
    if stream.protocol.upper() != "RTP/AVP":
        raise OfferRefused(488, "audio not offered as RTP/AVP")
    for payload_type, encoding in stream.encodings:
        name, _, rate = encoding.partition("/")
        if name in codecs and name in CODECS and rate == "8000":
            return CODECS[name], payload_type
    raise OfferRefused(488, "no common codec")


def _remote(
    stream: Stream, local_host: str, signalling_host: str, allowed: Callable[[str], bool]
) -> Target | None:
    """Where audio may go; None for hold. Asks no DNS: a name is refused."""
    if stream.port is None or stream.port < PORT_MIN:
        raise OfferRefused(488, "not a usable media port")
    if stream.connection is None:
        raise OfferRefused(488, "no connection line")
    if not is_address(stream.connection):
        raise OfferRefused(488, "media address is not an IP address")
    address = ipaddress.ip_address(stream.connection)
    if address.is_unspecified:
        return None
    # Python calls ::1 reserved too.
    if address.is_multicast or (address.is_reserved and not address.is_loopback):
        raise OfferRefused(488, "media address is not one host")
    if address.version != ipaddress.ip_address(local_host).version:
        raise OfferRefused(488, "media address of another IP version")
    host = str(address)
    same = is_address(signalling_host) and address == ipaddress.ip_address(signalling_host)
    if not same and not allowed(host):
        raise OfferRefused(488, "media address of a third party")
    return host, stream.port


def _ptime_ms(stream: Stream) -> int:
    """The length of the packets we send: what the offer asks for, in steps of 10 up to 60 ms."""
    wanted_ms = stream.ptime_ms or FRAME_MS
    if not _PTIME_STEP_MS <= wanted_ms <= _PTIME_MAX_MS:
        wanted_ms = FRAME_MS
    # RFC 4566 6: maxptime is the longest packet that the writer takes.
    wanted_ms = min(wanted_ms, stream.maxptime_ms or wanted_ms)
    return max(_PTIME_STEP_MS, wanted_ms - wanted_ms % _PTIME_STEP_MS)


def _is_switched_off(offer: Offer) -> bool:
    """RFC 3264 8.2: port 0 ends a stream; who does that to the only audio is holding the call."""
    audio = [stream for stream in offer.streams if stream.media == "audio"]
    return bool(audio) and all(stream.port == 0 for stream in audio)


def _switched_off(offer: Offer, current: Answer, session_id: int, local_host: str) -> Answer:
    """Every stream with port 0, as RFC 3264 8.2 wants it; nothing flows until the next offer."""
    lines = [
        *session_lines(local_host, session_id, current.version),
        *map(_refused, offer.streams),
    ]
    return replace(current, body=text_of(lines), remote=None, direction=Direction.INACTIVE)


def _refused(stream: Stream) -> str:
    return f"m={stream.media} 0 {stream.protocol} {' '.join(stream.formats)}"


def _telephone_event(stream: Stream) -> int | None:
    for payload_type, encoding in stream.encodings:
        if encoding == "TELEPHONE-EVENT/8000":
            return payload_type
    return None


def session_lines(local_host: str, session_id: int, version: int) -> list[str]:
    family = "IP6" if ":" in local_host else "IP4"
    return [
        "v=0",
        f"o=- {session_id} {version} IN {family} {local_host}",
        "s=-",
        f"c=IN {family} {local_host}",
        "t=0 0",
    ]


def _body(
    offer: Offer, chosen: int, answer: Answer, session_id: int, local_host: str, local_port: int
) -> bytes:
    lines = session_lines(local_host, session_id, answer.version)
    for index, stream in enumerate(offer.streams):
        if index == chosen:
            lines += _audio_lines(answer, local_port)
        else:
            # RFC 3264 6: as many m= lines as in the offer; port 0 refuses one.
            lines.append(_refused(stream))
    return text_of(lines)


def _audio_lines(answer: Answer, local_port: int) -> list[str]:
    number, event = answer.payload_type, answer.telephone_event
    formats = f"{number}" if event is None else f"{number} {event}"
    lines = [
        f"m=audio {local_port} RTP/AVP {formats}",
        f"a=rtpmap:{number} {answer.codec.name}/8000",
    ]
    if event is not None:
        lines += [f"a=rtpmap:{event} telephone-event/8000", f"a=fmtp:{event} {EVENT_FORMATS}"]
    return [*lines, f"a=ptime:{answer.ptime_ms}", f"a={answer.direction.value}"]


def text_of(lines: list[str]) -> bytes:
    return "".join(line + "\r\n" for line in lines).encode("utf-8", "replace")
