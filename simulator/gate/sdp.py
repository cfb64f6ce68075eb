"""The SDP answer as the gate reads and judges it (RFC 3264, RFC 4566)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from .agreement import Negotiated
from .judge import Violation
from .wire import Address

STATIC_CODECS = {"0": "PCMU/8000", "8": "PCMA/8000", "9": "G722/8000"}
"""RFC 3551 table 4: payload types that need no rtpmap."""

DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
ALLOWED_ANSWERS = {
    "sendrecv": DIRECTIONS,
    "sendonly": ("recvonly", "inactive"),
    "recvonly": ("sendonly", "inactive"),
    "inactive": ("inactive",),
}
"""RFC 3264 6.1: the directions an answer may have, by that of the offer."""


@dataclass(frozen=True)
class MediaLine:
    """One m= line with what belongs to it."""

    kind: str
    "audio, video ..."

    port: int
    "0 when refused."

    transport: str
    "RTP/AVP here."

    formats: tuple[str, ...]
    "Payload types as text, in order."

    host: str
    "The address of its c= line, or the session's."

    direction: str = "sendrecv"
    "RFC 3264 6.1; sendrecv when nothing is said."

    ptime_ms: int = 20
    "The packet length its side would like to get."

    rtpmaps: dict[str, str] = field(default_factory=dict)
    "Encoding name and clock by payload type, in capitals."

    @property
    def remote(self) -> Address:
        """Where its RTP goes."""
        return Address(self.host, self.port)

    @property
    def is_held(self) -> bool:
        """RFC 3264 8.4: the old way to hold, an address that nothing can be sent to."""
        return self.host in ("0.0.0.0", "::")

    @property
    def sends(self) -> bool:
        """Whether its side is to send."""
        return self.direction in ("sendrecv", "sendonly")

    @property
    def hears(self) -> bool:
        """Whether its side wants to be sent anything."""
        return self.direction in ("sendrecv", "recvonly") and not self.is_held

    @property
    def telephone_event(self) -> int | None:
        """The payload type of RFC 4733 events, or None."""
        for number in self.formats:
            if self.rtpmaps.get(number, "").startswith("TELEPHONE-EVENT"):
                return int(number)
        return None

    @property
    def codecs(self) -> dict[int, str]:
        """The codec's name by payload type, in order of preference."""
        named = {
            number: self.rtpmaps.get(number, STATIC_CODECS.get(number, ""))
            for number in self.formats
        }
        return {
            int(number): name.split("/")[0]
            for number, name in named.items()
            if name in STATIC_CODECS.values()
        }


@dataclass(frozen=True)
class Sdp:
    """A session description."""

    origin: str
    "The o= line without its version number."

    version: int
    "The version number of the o= line; -1 when it cannot be read."

    media: tuple[MediaLine, ...]
    "The m= lines in order."

    body: bytes
    "As it came."

    @property
    def audio(self) -> MediaLine | None:
        """The first audio stream that was not refused."""
        return next((line for line in self.media if line.kind == "audio" and line.port), None)

    @property
    def agreed(self) -> Negotiated | None:
        """What it settles as the answer to a plain offer, or None when no audio can flow."""
        audio = self.audio
        if audio is None or not audio.codecs or not audio.remote.is_sendable:
            return None
        return Negotiated(
            audio.remote, audio.codecs, audio.telephone_event, audio.sends, audio.hears
        )


def settle(local: Sdp, remote: Sdp, codecs: dict[int, str]) -> Negotiated | None:
    """What our description and the gateway's make together (RFC 3264 6.1, 8.4); `codecs` as agreed.

    None where no audio can ever flow; a hold is an agreement that nothing flows for now.
    """
    own, theirs = local.audio, remote.audio
    if own is None or theirs is None or not codecs:
        return None
    if not theirs.remote.is_sendable and not theirs.is_held:
        return None
    return Negotiated(
        theirs.remote,
        codecs,
        theirs.telephone_event,
        receives=own.hears and theirs.sends and not theirs.is_held,
        sends=own.sends and theirs.hears,
        ptime_ms=own.ptime_ms,
        # RFC 3264 8.4: who says 0.0.0.0 wants to hear nothing, and may still speak.
        silent=not own.hears or not theirs.sends,
    )


def read_sdp(body: bytes) -> Sdp:
    """Read a body leniently: what is broken is left out."""
    lines = body.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    session: list[str] = []
    sections: list[list[str]] = []
    for line in lines:
        if line.startswith("m="):
            sections.append([line])
        else:
            (sections[-1] if sections else session).append(line)
    origin = next((line for line in session if line.startswith("o=")), "o=").split()
    version = int(origin[2]) if len(origin) == 6 and origin[2].isdecimal() else -1
    media = [_read_media(section, session) for section in sections]
    return Sdp(
        " ".join(origin[:2] + origin[3:]),
        version,
        tuple(line for line in media if line is not None),
        body,
    )


def _read_media(section: list[str], session: list[str]) -> MediaLine | None:
    match = re.match(r"m=(\S+) (\d+)(?:/\d+)? (\S+) (.+)$", section[0])
    if match is None:
        return None
    host = next((line for line in [*section, *session] if line.startswith("c=")), "").split()
    direction = next(
        (line[2:] for line in [*section, *session] if line[:2] == "a=" and line[2:] in DIRECTIONS),
        "sendrecv",
    )
    ptime = re.search(r"^a=ptime:([1-9]\d{0,2})$", "\n".join(section), re.MULTILINE)
    maps = dict(re.findall(r"a=rtpmap:(\d+) (\S+?/\d+)", "\n".join(section)))
    return MediaLine(
        kind=match.group(1),
        port=int(match.group(2)),
        transport=match.group(3),
        formats=tuple(match.group(4).split()),
        host=host[2].split("/")[0] if len(host) == 3 else "",
        direction=direction,
        ptime_ms=int(ptime.group(1)) if ptime else 20,
        rtpmaps={number: name.upper() for number, name in maps.items()},
    )


def judge_answer(offer: Sdp, answer: Sdp, earlier: Sdp | None = None) -> list[Violation]:
    """All that is wrong with an answer; `earlier` is the answer before it in the same dialog."""
    found = [*_syntax_rules(answer)]
    if len(offer.media) != len(answer.media):
        text = f"{len(answer.media)} m= lines answer {len(offer.media)}"
        return [*found, Violation("sdp-lines", "RFC 3264 6", text)]
    for asked, given in zip(offer.media, answer.media, strict=True):
        found += _media_rules(asked, given)
    if earlier is not None:
        found += _version_rules(earlier, answer)
    return found


def _syntax_rules(answer: Sdp) -> Iterator[Violation]:
    """RFC 4566 5: CRLF, and the lines that must be there in their order."""
    text = answer.body.decode("utf-8", "replace")
    if re.search(r"(?<!\r)\n|\r(?!\n)", text) or not text.endswith("\r\n"):
        yield Violation("sdp-line-ending", "RFC 4566 5", "a line does not end in CRLF")
    kinds = "".join(line[:1] for line in text.replace("\r\n", "\n").split("\n") if line)
    if not re.match(r"vosi?u?e*p*c?b*(tr*)+z?k?a*(mi?c*b*k?a*)*$", kinds):
        yield Violation("sdp-order", "RFC 4566 5", f"lines in the order {kinds!r}")
    if answer.version < 0:
        yield Violation("sdp-origin", "RFC 4566 5.2", f"o= line of {answer.origin!r}")


def _media_rules(asked: MediaLine, given: MediaLine) -> Iterator[Violation]:
    """RFC 3264 6.1 for one pair of m= lines."""
    if (given.kind, given.transport) != (asked.kind, asked.transport):
        text = f"{given.kind} {given.transport} answers {asked.kind} {asked.transport}"
        yield Violation("sdp-media", "RFC 3264 6", text)
        return
    if given.port == 0:
        return
    if not any(number in asked.formats for number in given.formats):
        text = f"formats {given.formats} answer {asked.formats}: none was offered"
        yield Violation("sdp-codec", "RFC 3264 6.1", text)
    if asked.telephone_event is not None and given.telephone_event not in (
        None,
        asked.telephone_event,
    ):
        text = f"telephone-event {given.telephone_event}, offered as {asked.telephone_event}"
        yield Violation("sdp-payload-type", "RFC 3264 6.1", text)
    if given.direction not in ALLOWED_ANSWERS[asked.direction]:
        text = f"{given.direction} answers {asked.direction}"
        yield Violation("sdp-direction", "RFC 3264 6.1", text)
    if given.port % 2:
        yield Violation("sdp-port", "RFC 3550 11", f"RTP port {given.port} is odd")
    # RFC 3264 8.4: 0.0.0.0 is the old way to hold back.
    if not given.remote.is_sendable and not (given.is_held and not given.sends):
        yield Violation("sdp-address", "RFC 3264 6.1", f"RTP to {given.host!r} port {given.port}")


def _version_rules(earlier: Sdp, answer: Sdp) -> Iterator[Violation]:
    """RFC 3264 8: the same origin for ever; the version grows by one when anything changed."""
    if answer.origin != earlier.origin:
        text = f"o= {earlier.origin!r} became {answer.origin!r}"
        yield Violation("sdp-origin", "RFC 3264 8", text)
    elif answer.body != earlier.body and answer.version != earlier.version + 1:
        text = f"changed SDP with version {answer.version} after {earlier.version}"
        yield Violation("sdp-version", "RFC 3264 8", text)


def judge_offer(offer: Sdp, earlier: Sdp | None = None) -> list[Violation]:
    """All that is wrong with an offer of the gateway; `earlier` is its description before it."""
    found = [*_syntax_rules(offer)]
    audio = [line for line in offer.media if line.kind == "audio"]
    if not audio:
        return [*found, Violation("sdp-media", "RFC 3264 5", "an offer without an audio stream")]
    for line in audio:
        if line.port and not line.codecs:
            text = f"formats {line.formats} without a codec we know, or without rtpmap"
            found.append(Violation("sdp-codec", "RFC 3551 4.5.14", text))
        unmapped = [n for n in line.formats if n not in line.rtpmaps and int(n or 0) >= 96]
        if unmapped:
            text = f"dynamic payload types {unmapped} without rtpmap"
            found.append(Violation("sdp-rtpmap", "RFC 4566 6", text))
        if line.port % 2:
            found.append(Violation("sdp-port", "RFC 3550 11", f"RTP port {line.port} is odd"))
        if line.port and not line.remote.is_sendable and not line.is_held:
            text = f"RTP to {line.host!r} port {line.port}"
            found.append(Violation("sdp-address", "RFC 3264 5.1", text))
    if earlier is not None:
        found += _version_rules(earlier, offer)
    return found


def refused_lines(offer: Sdp) -> bytes:
    """RFC 3264 6: streams that are not wanted are answered, too, with port 0."""
    audio = offer.audio
    refused = [line for line in offer.media if line is not audio]
    return b"".join(
        f"m={line.kind} 0 {line.transport} {' '.join(line.formats)}\r\n".encode()
        for line in refused
    )
