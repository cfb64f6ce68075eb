"""What a phone codes its sound with, by its RTP encoding name."""

from typing import Protocol

from simulator.audio.g711 import LAW
from simulator.audio.g722 import Wideband
from simulator.audio.pcm import Pcm


class Coder(Protocol):
    """Sound of 8 kHz and payloads, one octet a sample."""

    def encode(self, pcm: Pcm) -> bytes:
        """Give the payload of these samples."""

    def decode(self, payload: bytes) -> Pcm:
        """Give the samples of that payload."""

    def silence(self, samples: int = 160) -> bytes:
        """Give the payload of that many quiet samples."""


class Coders:
    """The codecs of one call: those that remember begin with it."""

    def __init__(self) -> None:
        self._wideband: Wideband | None = None

    def of(self, name: str) -> Coder:
        """Give the codec of that name."""
        if name != "G722":
            return LAW[name]
        self._wideband = self._wideband or Wideband()
        return self._wideband
