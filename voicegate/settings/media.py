"""[media] the sound on the wire."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from voicegate.settings.base import Port, Section


class MediaSettings(Section):
    """[media] the sound on the wire."""

    rtp_ports: tuple[Port, Port] = (10000, 10398)
    """First and last UDP port for RTP; each call takes one even port."""
    codecs: Annotated[tuple[Literal["PCMU", "PCMA"], ...], Field(min_length=1)] = ("PCMA", "PCMU")
    """Codecs that are accepted; the caller's order decides."""

    inband_dtmf: Literal["auto", "on", "off"] = "auto"
    """Listen for keys as tones in the audio; auto: where the caller offers no telephone-events."""

    @model_validator(mode="after")
    def _range_has_room(self) -> "MediaSettings":
        low, high = self.rtp_ports
        if low < 1024 or high < low + 2:
            raise ValueError("rtp_ports must be [low, high] with low >= 1024 and high >= low + 2")
        return self
