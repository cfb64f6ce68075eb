"""[media] the sound on the wire."""

import ipaddress
from importlib.util import find_spec
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from voicegate.settings.base import Port, Section


def _advertised(text: str) -> str:
    try:
        useless = bool(text) and ipaddress.ip_address(text).is_unspecified
    except ValueError as error:
        raise ValueError(f"{text!r} is no IP address such as 203.0.113.5") from error
    if useless:
        raise ValueError(f"{text!r} is nobody's address; name the one that gates send to")
    return text


class MediaSettings(Section):
    """[media] the sound on the wire."""

    rtp_ports: tuple[Port, Port] = (10000, 10398)
    """First and last UDP port for RTP; each call takes an even one, and the odd one above it for
    RTCP."""
    codecs: Annotated[tuple[Literal["PCMU", "PCMA", "G722"], ...], Field(min_length=1)] = (
        "PCMA",
        "PCMU",
    )
    """Codecs that are accepted; the caller's order decides. G722 needs voicegate[g722]."""
    inband_dtmf: Literal["auto", "on", "off"] = "auto"
    """Listen for keys as tones in the audio; auto: where the caller offers no telephone-events."""

    advertised_address: Annotated[str, AfterValidator(_advertised)] = ""
    """Our address in session descriptions, where a NAT stands before us; empty for the real one."""
    follow_port: bool = True
    """Follow a caller to another RTP port of the same host (NAT); false: the agreed port only."""
    rtp_never_s: Annotated[float, Field(ge=0, le=3600)] = 30.0
    """Hang up when no RTP has come for so long after the answer; 0 for never."""
    rtp_stopped_s: Annotated[float, Field(ge=0, le=3600)] = 15.0
    """Hang up when the caller's RTP has stopped for so long, but on hold; 0 for never."""

    @field_validator("codecs")
    @classmethod
    def _g722_is_installed(cls, codecs: tuple[str, ...]) -> tuple[str, ...]:
        if "G722" in codecs and find_spec("G722") is None:
            raise ValueError("G722 is not installed: pip install voicegate[g722]")
        return codecs

    @field_validator("rtp_ports")
    @classmethod
    def _range_has_room(cls, ports: tuple[int, int]) -> tuple[int, int]:
        low, high = ports
        if low < 1024 or high < low + 2:
            raise ValueError("write [low, high] with low >= 1024 and high >= low + 2")
        return ports
