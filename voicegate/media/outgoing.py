"""Our voice as packets: coded, as long as the peer asked for, with keys in the place of sound."""

from collections.abc import Callable
from random import Random

from voicegate.media.answer import Answer
from voicegate.media.codec import FRAME_MS, FRAME_SAMPLES, SILENCE_FRAME
from voicegate.media.dtmf import KeyFrame, KeyPresses
from voicegate.media.rtp import RtpSender
from voicegate.media.tones import key_tone

HALF_S = FRAME_MS / 2000
_HALF = FRAME_SAMPLES // 2

Send = Callable[[bytes], None]
SendLater = Callable[[float, Send, bytes], object]
"""Calls `send(packet)` after so many seconds; gives something that nobody needs."""


class Outgoing:
    """One outgoing stream, asked for a frame each 20 ms."""

    def __init__(self, answer: Answer, source: Random, send: Send, later: SendLater) -> None:
        self.keys = KeyPresses()
        self.sender = RtpSender(answer.payload_type, source)
        self._send = send
        self._later = later
        self._event_at = 0
        self._codec = ""
        self.follow(answer)

    def follow(self, answer: Answer) -> None:
        """Go on as the answer says; what is not a whole packet yet is dropped."""
        if answer.codec.name != self._codec:
            codec = answer.codec.for_stream()
            self._codec, self._encode = codec.name, codec.encode
            # a codec that remembers must hear the silence too
            self._silence = b"" if codec.remembers else codec.silence
        self._event = answer.telephone_event
        self._cut = answer.ptime_ms * 8
        self._plain = self._cut == FRAME_SAMPLES
        self._waiting = b""
        self.sends = answer.direction.sends and answer.remote is not None
        """Whether anything may be sent now; if not, only the time goes on."""
        self.sender.payload_type = answer.payload_type
        self.sender.mark()

    @property
    def presses(self) -> bool:
        """Whether the next frame belongs to a key: none begins within a packet of sound."""
        return self.keys.busy and (self.keys.pressed or not self._waiting)

    def press(self) -> bytes | None:
        """Send the next frame of a key. Gives the PCM that is heard of it, None for silence."""
        frame = self.keys.take()
        if self._event is None:
            return self._press_as_tone(frame)
        if not frame.number:
            self._event_at = self.sender.timestamp
        if not frame.payload:
            self.say(None)
            return None
        if self.sends:
            self._send(
                self.sender.event(self._event, frame.payload, self._event_at, not frame.number)
            )
        self.sender.pass_frame()
        return None

    def _press_as_tone(self, frame: KeyFrame) -> bytes | None:
        pcm16 = key_tone(frame.digit, frame.number) if frame.sounds else None
        self.say(pcm16)
        return pcm16

    def say(self, pcm16: bytes | None) -> None:
        """Send 20 ms of sound; None is silence."""
        if pcm16 is None:
            self.sound(self._silence or self._encode(SILENCE_FRAME))
        else:
            self.sound(self._encode(pcm16))

    def sound(self, payload: bytes) -> None:
        """Send 20 ms, coded."""
        if not self.sends:
            # RFC 3550 5.1: the timestamp goes on with the time.
            self.sender.pass_frame()
        elif self._plain:
            self._send(self.sender.packet(payload))
        else:
            self._sound_in_pieces(payload)

    def _sound_in_pieces(self, payload: bytes) -> None:
        """Packets of another length: those that end within the frame leave 10 ms later."""
        for late, half in ((False, payload[:_HALF]), (True, payload[_HALF:])):
            self._waiting += half
            if len(self._waiting) < self._cut:
                continue
            packet, self._waiting = self.sender.packet(self._waiting), b""
            if late and self._cut % FRAME_SAMPLES:
                self._later(HALF_S, self._send, packet)
            else:
                self._send(packet)
