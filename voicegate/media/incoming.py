"""The caller's packets as sound and keys: judged, put in order, decoded, listened to."""

from collections.abc import Callable
from typing import Literal

from voicegate.media.answer import Answer
from voicegate.media.arrivals import Arrivals
from voicegate.media.dtmf import KeyLog, digits_of_info
from voicegate.media.jitter import JitterBuffer
from voicegate.media.rtp import RtpReceiver
from voicegate.media.tones import ToneDetector

Inband = Literal["auto", "on", "off"]
"""Whether keys are looked for in the audio; auto: where no telephone-events were agreed on."""


class Incoming:
    """One incoming stream: fed with packets, asked for a frame each 20 ms."""

    def __init__(self, answer: Answer, inband: Inband) -> None:
        self.keys = KeyLog()
        self.on_digit: Callable[[str], None] = lambda _digit: None
        """Called with each key the caller presses."""
        self.receiver = RtpReceiver(answer.payload_type, answer.telephone_event)
        self.jitter = JitterBuffer(answer.codec)
        self.arrivals = Arrivals()
        self._codec = answer.codec.name
        self._inband = inband
        self.follow(answer)

    def follow(self, answer: Answer) -> None:
        """Go on as the answer says."""
        self.receives = answer.direction.receives
        """Whether the caller is to send; what comes all the same is dropped."""
        self.receiver.payload_type = answer.payload_type
        self.receiver.telephone_event = answer.telephone_event
        if answer.codec.name != self._codec:
            self._codec = answer.codec.name
            self.jitter.change_codec(answer.codec)
        dry = answer.telephone_event is None
        listens = self._inband == "on" or (self._inband == "auto" and dry)
        self._tones = ToneDetector() if listens else None

    def receive(self, data: bytes, now: float) -> None:
        """Take a packet from the caller's address."""
        if not self.receives:
            self.receiver.unexpected += 1
            return
        packets, digit = self.receiver.receive(data)
        for packet in packets:
            self.arrivals.packet(packet.timestamp, now)
            self.jitter.put(packet, now)
        if digit is not None:
            self._keyed(digit, "event", now)

    def take_info(self, content_type: str, body: bytes, now: float) -> None:
        """Take the body of an INFO: some gates send keys so."""
        self._keyed(digits_of_info(content_type, body), "info", now)

    def frame(self, now: float) -> bytes:
        """Give the next 20 ms of the caller."""
        heard = self.jitter.take(now)
        if self._tones is not None:
            self._keyed(self._tones.frame(heard), "tone", now)
        return heard

    def _keyed(self, digit: str, way: str, now: float) -> None:
        if digit and self.keys.note(digit, way, now):
            self.on_digit(digit)
