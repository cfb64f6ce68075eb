"""The caller's packets as sound and keys: judged, put in order, decoded, listened to."""

from collections.abc import Callable, Collection
from typing import Any

from voicegate.media.answer import Answer, Target
from voicegate.media.arrivals import Arrivals
from voicegate.media.dtmf import KeyLog, digits_of_info
from voicegate.media.jitter import JitterBuffer
from voicegate.media.life import RtpLife, Starved
from voicegate.media.rtcp import Heard
from voicegate.media.rtp import RtpReceiver
from voicegate.media.rules import MediaRules
from voicegate.media.source import CallerSource
from voicegate.media.tones import ToneDetector


class Incoming:
    """One incoming stream: fed with packets, asked for a frame each 20 ms."""

    def __init__(self, answer: Answer, rules: MediaRules, own: Collection[Target] = ()) -> None:
        self.keys = KeyLog()
        self.on_digit: Callable[[str], None] = lambda _digit: None
        """Called with each key the caller presses."""
        self.receiver = RtpReceiver(answer.payload_type, answer.telephone_event)
        self.jitter = JitterBuffer(answer.codec)
        self.arrivals = Arrivals()
        self._codec = answer.codec.name
        self._inband = rules.inband_dtmf
        self._life = RtpLife(rules.rtp_never_s, rules.rtp_stopped_s)
        self._source = CallerSource(answer.remote, own, follows=rules.follow_port)
        self._moves = 0
        self.follow(answer)

    def follow(self, answer: Answer) -> None:
        """Go on as the answer says."""
        self._source.agree(answer.remote)
        self.address = answer.remote
        """Where the caller's packets come from."""
        self.receives = answer.direction.receives
        """Whether the caller is to send; what comes all the same is dropped."""
        self.receiver.payload_type = answer.payload_type
        self.receiver.telephone_event = answer.telephone_event
        self.receiver.silence = answer.codec.silence
        if answer.codec.name != self._codec:
            self._codec = answer.codec.name
            self.jitter.change_codec(answer.codec)
        dry = answer.telephone_event is None
        listens = self._inband == "on" or (self._inband == "auto" and dry)
        self._tones = ToneDetector() if listens else None

    def due(self, *, parked: bool, now: float) -> None:
        """Learn that packets are due from now on, or (parked on hold) are not."""
        self._life.follow(parked=parked, now=now)

    @property
    def deadline(self) -> tuple[float, Starved] | None:
        """When the patience with missing RTP is over; None where none is due."""
        return self._life.deadline(rests=self._rests)

    @property
    def _rests(self) -> bool:
        # RFC 3389: who sends comfort noise sends nothing else while it is silent.
        return self.receiver.comfort_noise > 0 or self.jitter.rests

    def moves(self, data: bytes, source: Target, now: float) -> bool:
        """Whether the caller goes on from this other address: then it is heard from there."""
        last_at = self._life.last_at
        # who rests, or has not begun, is silent at its own port: no sign of a move
        stopped_s = 0.0 if last_at is None or self._rests else now - last_at
        receiver = self.receiver
        moved = self._source.moves(
            data,
            source,
            payload_type=receiver.payload_type,
            stream=receiver.stream,
            stopped_s=stopped_s,
        )
        self._moves += moved
        self.address = self._source.address
        return moved

    def receive(self, data: bytes, now: float) -> None:
        """Take a packet from the caller's address."""
        self._life.last_at = now
        if not self.receives:
            self.receiver.unexpected += 1
            return
        packets, digit = self.receiver.receive(data)
        for packet in packets:
            self.arrivals.packet(packet.timestamp, now)
            self.jitter.put(packet, now)
        if digit is not None:
            self._keyed(digit, "event", now)

    @property
    def heard(self) -> Heard | None:
        """What a report says of the stream; None before it begins."""
        stream, counters = self.receiver.stream, self.jitter.counters
        if stream is None:
            return None
        return Heard(*stream, counters.expected, counters.received, int(self.arrivals.jitter))

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

    def figures(self) -> dict[str, Any]:
        """Give the part of the counters that stands here."""
        jitter, receiver, arrivals = self.jitter.counters, self.receiver, self.arrivals
        return {
            "moves": self._moves,
            "malformed": receiver.malformed,
            "unexpected": receiver.unexpected,
            "strays": receiver.strays,
            "lost": jitter.lost,
            "jitter_ms": round(arrivals.jitter_ms, 2),
            "max_gap_ms": round(arrivals.max_gap_s * 1000, 1),
            "late": jitter.late,
            "duplicates": jitter.duplicates,
            "concealed": jitter.concealed,
            "jitter_overflow_ms": jitter.overflow_ms,
            "digits": self.keys.count,
        }
