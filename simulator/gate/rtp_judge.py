"""The judge of one call's RTP: every packet, the stream as a whole, and the silence after it.

Pure: packets and the time come in, findings and audio go out (RFC 3550, RFC 3551).
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from .agreement import Negotiated
from .judge import Findings, Violation
from .rtp import FRAME_S, SAMPLES, RtpPacket, parse_rtp
from .rtp_pace import Pace
from .wire import Address

INTERVALS_KEPT = 30_000
EARLY_KEPT = 64
DIGITS = "0123456789*#ABCD"
DIGITS_KEPT = 64


@dataclass
class RtpStats:
    """What came in on one call's RTP port."""

    packets: int = 0
    "Audio packets of the right source."

    foreign: int = 0
    "Packets of another source, or after the end."

    events: int = 0
    "Telephone-event packets."

    digits: str = ""
    "The keys they stand for, the newest 64."

    on_hold: int = 0
    "Packets that came although a hold forbade them."

    first_at: float | None = None
    "Loop time of the first audio packet."

    last_at: float | None = None
    "Loop time of the last one."

    answered_at: float | None = None
    "Loop time of the 200."

    ended_at: float | None = None
    "Loop time of the end of the call."

    last_after_end_s: float = 0.0
    "How long after the end the last packet came."

    longest_gap_s: float = 0.0
    "Between two packets, or an end of the call and the packet next to it."

    uneven: int = 0
    "Intervals that were not 20 ms; the first may be shorter: a shared ticker has its own phase."

    lost: int = 0
    "Packets missing in the sequence."

    ssrcs: list[int] = field(default_factory=list)
    "All that were seen, in order."

    payload_types: Counter[int] = field(default_factory=Counter)
    "Packets by payload type."

    intervals_s: deque[float] = field(default_factory=lambda: deque(maxlen=INTERVALS_KEPT))
    "Time between packets, the newest 30,000."

    faults: Counter[str] = field(default_factory=Counter)
    "How often each rule was broken; the violation is recorded once."

    @property
    def mean_interval_s(self) -> float | None:
        """The average distance of packets, or None for less than two."""
        if self.first_at is None or self.last_at is None or self.packets < 2:
            return None
        return (self.last_at - self.first_at) / (self.packets - 1)

    @property
    def first_packet_after_s(self) -> float | None:
        """From the 200 to the first packet."""
        if self.first_at is None or self.answered_at is None:
            return None
        return self.first_at - self.answered_at


class RtpReceiver:
    """Judges every packet that reaches one call's port, and hands the good ones on."""

    def __init__(
        self, findings: Findings, hear: Callable[[bytes, str, float, float], None], *, exact: bool
    ) -> None:
        """`hear(payload, law, at_s, lost_s)` gets the audio; `exact` is virtual time's rigour."""
        self.stats = RtpStats()
        self._findings = findings
        self._hear = hear
        self._pace = Pace(self.stats, exact=exact)
        self._agreed: Negotiated | None = None
        self._before: Negotiated | None = None
        self._changed_at = 0.0
        self._early: deque[tuple[bytes, Address, float]] = deque(maxlen=EARLY_KEPT)
        self._last: RtpPacket | None = None
        self._fresh = False
        self._event_at: int | None = None

    @property
    def patience_s(self) -> float:
        """How late a packet may be."""
        return self._pace.patience_s

    def expect(self, agreed: Negotiated, now: float) -> None:
        """Our description went out: packets may come, and none is due before the answer."""
        self._agreed = agreed
        early, self._early = list(self._early), deque(maxlen=EARLY_KEPT)
        for data, source, at_s in early:
            # Two sockets: a packet sent right after the 200 may be read just before it.
            if at_s < now - self.patience_s:
                text = f"RTP {now - at_s:.3f} s before the 200"
                self._fault("rtp-before-answer", "RFC 3264 6.1", text)
            self.receive(data, source, at_s)

    def answered(self, agreed: Negotiated, now: float) -> None:
        """Offer and answer are complete, for the first time or again."""
        if self.stats.answered_at is not None:
            self._renegotiated(agreed, now)
            return
        self.stats.answered_at = now
        if agreed.receives:
            self._pace.due(now)
        elif agreed.silent:
            self._changed_at = now
        if self._agreed is None:
            self.expect(agreed, now)
        self._agreed = agreed

    def _renegotiated(self, agreed: Negotiated, now: float) -> None:
        before = self._agreed
        self._agreed, self._before = agreed, before
        self._changed_at = now
        if agreed.receives:
            self._pace.due(now)
        else:
            self._pace.not_due(now)
        paused = before is not None and not before.receives
        if paused or before is None or before.remote != agreed.remote:
            # RFC 3550 8.2: another transport address is another source, with an SSRC of its own.
            self._fresh = True

    def ended(self, now: float, *, whole: bool = True) -> None:
        """The call is over and no packet is due any more; judge the stream as a `whole`."""
        if self.stats.ended_at is not None:
            return
        self.stats.ended_at = now
        if whole and self._agreed is not None:
            for violation in self._pace.judge(now):
                self._fault(violation.rule, violation.rfc, violation.text)

    def receive(self, data: bytes, source: Address, now: float) -> None:
        """One datagram came."""
        if self.stats.ended_at is not None:
            self._after_end(source, now, self.stats.ended_at)
            return
        if self._agreed is None:
            self._early.append((data, source, now))
            return
        if not self._is_theirs(source, self._agreed, now):
            self.stats.foreign += 1
            text = f"RTP from {source}, negotiated {self._agreed.remote}"
            self._fault("rtp-source", "RFC 3264 5.1", text)
            return
        try:
            packet = parse_rtp(data)
        except ValueError as error:
            self._fault("rtp-header", "RFC 3550 5.1", str(error))
            return
        self._take(packet, self._agreed, now)

    def _is_theirs(self, source: Address, agreed: Negotiated, now: float) -> bool:
        # A hold by 0.0.0.0 names no address: then the one from before still holds.
        if source == agreed.remote or not agreed.remote.is_sendable:
            return True
        late = self._before is not None and now - self._changed_at <= self.patience_s
        return late and self._before is not None and source == self._before.remote

    def _take(self, packet: RtpPacket, agreed: Negotiated, now: float) -> None:
        self.stats.payload_types[packet.payload_type] += 1
        if agreed.silent and now - self._changed_at > self.patience_s:
            self.stats.on_hold += 1
            text = f"RTP {(now - self._changed_at) * 1000:.0f} ms after the hold was agreed"
            self._fault("rtp-on-hold", "RFC 3264 6.1/8.4", text)
        lost = self._judge_header(packet)
        if lost is None:
            return
        if packet.payload_type == agreed.telephone_event:
            self._event(packet)
            self._pace.event(now)
            self._last = packet
            return
        law = agreed.codecs.get(packet.payload_type) or self._codec_before(packet, now)
        if law is None:
            text = f"payload type {packet.payload_type}, negotiated {list(agreed.codecs)}"
            self._fault("rtp-payload-type", "RFC 3551 3", text)
        else:
            self._judge_audio(packet, lost, agreed)
            self._hear(packet.payload, law, now, lost * self._pace.frame_s)
        if packet.ssrc != (self._last or packet).ssrc or now - self._changed_at > self.patience_s:
            self._fresh = False  # before that it may be one of the old stream that is late
        self._last = packet
        self._pace.packet(now)

    def _codec_before(self, packet: RtpPacket, now: float) -> str | None:
        """A packet that was under way when the codec changed."""
        if self._before is None or now - self._changed_at > self.patience_s:
            return None
        return self._before.codecs.get(packet.payload_type)

    def _event(self, packet: RtpPacket) -> None:
        """RFC 4733 2.5.1: all packets of one event have its timestamp; the end comes thrice."""
        self.stats.events += 1
        if len(packet.payload) != 4:
            text = f"{len(packet.payload)} bytes of telephone-event, due 4"
            self._fault("rtp-event-size", "RFC 4733 2.3", text)
        elif packet.timestamp != self._event_at:
            self._event_at = packet.timestamp
            number = packet.payload[0]
            self.stats.digits = (self.stats.digits + DIGITS[number : number + 1])[-DIGITS_KEPT:]

    def _judge_header(self, packet: RtpPacket) -> int | None:
        """RFC 3550 5.1: one SSRC, sequence + 1.

        Gives the number of packets lost before this one, or None for one that is old or doubled.
        """
        if packet.ssrc not in self.stats.ssrcs:
            self.stats.ssrcs = [*self.stats.ssrcs, packet.ssrc][-16:]
        if self._last is None:
            return 0
        if packet.ssrc != self._last.ssrc:
            if not self._fresh:
                text = f"SSRC {self._last.ssrc:#x} became {packet.ssrc:#x}"
                self._fault("rtp-ssrc", "RFC 3550 5.1", text)
            return 0
        step = (packet.sequence - self._last.sequence) % 2**16
        if step != 1:
            text = f"sequence {packet.sequence} after {self._last.sequence}"
            self._fault("rtp-sequence", "RFC 3550 5.1", text)
        if step == 0 or step >= 2**15:
            return None
        self.stats.lost += step - 1
        return step - 1

    def _judge_audio(self, packet: RtpPacket, lost: int, agreed: Negotiated) -> None:
        """RFC 3551 4.2: 20 ms a packet or what we asked for; the timestamp counts the samples."""
        asked = agreed.ptime_ms * SAMPLES // 20
        if len(packet.payload) not in (SAMPLES, asked):
            text = f"{len(packet.payload)} bytes of sound, due {asked}"
            self._fault("rtp-payload-size", "RFC 3551 4.2", text)
        else:
            self._pace.frame_s = len(packet.payload) * FRAME_S / SAMPLES
        last = self._last
        if last is None or last.ssrc != packet.ssrc or last.payload_type != packet.payload_type:
            return
        grown = (packet.timestamp - last.timestamp) % 2**32
        # Behind a pause the timestamp has gone on with the time (RFC 3550 5.1).
        due = len(last.payload) * (lost + 1)
        if grown != due and not (self._fresh and 0 < grown < 2**31):
            text = f"timestamp + {grown}, due {due}"
            self._fault("rtp-timestamp", "RFC 3550 5.1", text)

    def _after_end(self, source: Address, now: float, ended_at: float) -> None:
        """RFC 3261 15: BYE ends the session, media included."""
        self.stats.foreign += 1
        self.stats.last_after_end_s = now - ended_at
        if now - ended_at > self.patience_s:
            text = f"RTP from {source} {(now - ended_at) * 1000:.0f} ms after the end of the call"
            self._fault("rtp-after-end", "RFC 3261 15", text)

    def _fault(self, rule: str, rfc: str, text: str) -> None:
        self.stats.faults[rule] += 1
        if self.stats.faults[rule] == 1:
            self._findings.add(Violation(rule, rfc, text))
