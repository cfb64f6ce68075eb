"""What the operator has decided about the media of every call."""

from dataclasses import dataclass
from typing import Literal

Inband = Literal["auto", "on", "off"]
"""Whether keys are looked for in the audio; auto: where no telephone-events were agreed on."""


@dataclass(frozen=True)
class MediaRules:
    """The [media] settings as the media need them."""

    inband_dtmf: Inband = "auto"
    """Where keys are listened for."""
    follow_port: bool = True
    """Whether the caller may go on from another port of its host (see source.py)."""
    rtp_never_s: float = 30.0
    """The call is over when no RTP has come for so long after the answer; 0 for never."""
    rtp_stopped_s: float = 15.0
    """The call is over when RTP has stopped for so long; 0 for never."""
    advertised_address: str = ""
    """The address in our session descriptions, where it is not the one the gate sees us at."""
