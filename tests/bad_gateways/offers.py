"""SDP of the gateways in this folder (RFC 4566, RFC 3264): G.711 and keys, one stream."""

import ipaddress
import re
from dataclasses import dataclass

STATIC = {"0": "PCMU/8000", "8": "PCMA/8000"}
"""RFC 3551 table 4."""
LAWS = ("PCMA/8000", "PCMU/8000")
MIRRORED = {"sendonly": "recvonly", "recvonly": "sendonly"}
"""RFC 3264 6.1: what we answer to a direction; the others are answered alike."""


class Refused(Exception):
    """The offer cannot be taken: 488."""


@dataclass(frozen=True)
class Offer:
    """What a gate wants."""

    host: str
    """Where its RTP is to go."""
    port: int
    """The port there."""
    payload_type: int
    """The codec we take."""
    law: str
    """PCMA or PCMU."""
    event: int | None
    """Payload type of RFC 4733 events."""
    direction: str
    """The gate's: sendrecv, sendonly, recvonly or inactive."""
    kinds: tuple[str, ...]
    """The m= lines without their port and formats, in order, the first audio marked by "*"."""


def read_offer(body: bytes) -> Offer:
    """Read an offer; raises Refused."""
    text = body.decode("latin-1").replace("\r\n", "\n")
    session, *sections = re.split(r"^(?=m=)", text, flags=re.MULTILINE)
    audio = next((each for each in sections if re.match(r"m=audio [1-9]\d* RTP/AVP ", each)), None)
    if audio is None:
        raise Refused("no audio")
    host = re.search(r"^c=IN IP4 (\S+)", audio, re.M) or re.search(
        r"^c=IN IP4 (\S+)", session, re.M
    )
    direction = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)$", audio + session, re.M)
    numbers = audio.split("\n")[0].split()[3:]
    names = {**STATIC, **dict(re.findall(r"^a=rtpmap:(\d+) (\S+?/\d+)", audio, re.M))}
    codecs = [number for number in numbers if names.get(number, "").upper() in LAWS]
    events = [n for n in numbers if names.get(n, "").lower() == "telephone-event/8000"]
    if host is None or not codecs:
        raise Refused("no address or no codec")
    return Offer(
        host=_usable(host.group(1)),
        port=int(audio.split()[1]),
        payload_type=int(codecs[0]),
        law=names[codecs[0]].upper()[:4],
        event=int(events[0]) if events else None,
        direction=direction.group(1) if direction else "sendrecv",
        kinds=tuple(("*" if each is audio else "") + each.split()[0][2:] for each in sections),
    )


def _usable(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise Refused(f"{host} is a name") from None
    if address.is_multicast or address.is_unspecified:
        raise Refused(f"RTP to {host}")
    return host


def write_answer(offer: Offer, host: str, port: int, version: int) -> bytes:
    """The answer: one m= line for each of the offer, all but the audio refused."""
    numbers = [str(offer.payload_type)] + [str(n) for n in (offer.event,) if n is not None]
    audio = [f"m=audio {port} RTP/AVP {' '.join(numbers)}"]
    audio += [f"a=rtpmap:{offer.payload_type} {offer.law}/8000"]
    if offer.event is not None:
        audio += [f"a=rtpmap:{offer.event} telephone-event/8000", f"a=fmtp:{offer.event} 0-15"]
    audio += ["a=ptime:20", f"a={MIRRORED.get(offer.direction, offer.direction)}"]
    lines = ["v=0", f"o=- 4711 {version} IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0"]
    for kind in offer.kinds:
        lines += audio if kind.startswith("*") else [f"m={kind} 0 RTP/AVP 0"]
    return "".join(f"{line}\r\n" for line in lines).encode()
