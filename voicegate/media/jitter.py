"""The jitter buffer: packets in as they come, 20 ms Frames out as the clock asks.

It works on the timeline of samples, not of packets: a codec is one byte a sample, so a ring of
bytes holds the stream, and a second ring says which of them have come. Any ptime fits, any overlap,
reordering or gap.

The delay begins as small as a good line needs, and follows the network: a packet that comes too
late to be heard in its place moves the place. Each packet's slack (how long before it was needed
did it come) is kept for the last 400; now and then the delay is changed by one frame: longer when
packets come too close, shorter when all of them come early. Changes are made in quiet frames where
possible.
"""

from voicegate.media.codec import FRAME_MS, FRAME_SAMPLES, SILENCE_FRAME, Codec, peak
from voicegate.media.concealment import Concealer, splice
from voicegate.media.counters import JitterCounters
from voicegate.media.rtp import RtpPacket
from voicegate.media.slack import JUDGE_EVERY, SLACK_SPARE, Slacks

Frame = bytes
"""20 ms of PCM16 mono at 8 kHz: 320 bytes."""

_RING = FRAME_SAMPLES * 64
"""Samples in the ring: 1.28 s; more than the depth, a packet and a frame together."""
_AHEAD_MAX = _RING // 2
_ALL_HERE = b"\x01" * FRAME_SAMPLES
_NONE_HERE = bytes(FRAME_SAMPLES)
_SAMPLES_PER_S = 8000
_FRAME_S = FRAME_MS / 1000
_SEEN_BITS = 1024
_SEEN_MASK = (1 << _SEEN_BITS) - 1
_RESTART = 3000
"""A step of the sequence beyond which another stream begins (RFC 3550 A.1, MAX_DROPOUT)."""

_PATIENCE = 50
"""Frames to wait for a quiet one before a change is made in speech."""
_PATIENCE_BURST = 5
_FIRST_GROWTH_MAX = 3
"""Frames of growth for one late packet, before there is enough to judge by."""
_REST = 5 * FRAME_SAMPLES
"""Samples without packet and without loss, from which on the sender is known to save silence."""
_QUIET = 330
"""Peak of a quiet frame: -40 dBFS."""


class JitterBuffer:
    """One caller's audio. `put` takes packets of one codec, `take` is called every 20 ms."""

    def __init__(self, codec: Codec, depth_max_ms: int = 400) -> None:
        self.counters = JitterCounters()
        self.rests = False
        """Whether the sender has been seen to send nothing while it is silent (DTX)."""
        self._codec = codec
        self._decode = codec.decode
        self._silence = codec.silence[:1]
        self._depth_max = depth_max_ms * 8
        self._concealer = Concealer()
        self._ssrc: int | None = None
        self._sequence = 0
        self._seen = 0
        self._expected_before = 0
        self._top = 0
        self._taken_at = 0.0
        self._begin_time(0, 0)
        # 20 KB that a call does not hold before its first packet: many never get one
        self._data = self._here = bytearray()

    def _begin_time(self, first: int, before_tick: int) -> None:
        """Lay an empty timeline on which the sample `first` is due with the next tick that leaves
        it the slack of a good line; the tick is so many samples away."""
        self._data = bytearray(_RING)
        self._here = bytearray(_RING)
        self._next = first if before_tick >= SLACK_SPARE else first - FRAME_SAMPLES
        self._end = first
        self._slacks = Slacks()
        self._change = 0
        self._waited = 0
        self._patience = _PATIENCE
        self._until_judged = JUDGE_EVERY
        self._calm_s = 0

    @property
    def depth_ms(self) -> float:
        """How far the newest sample lies ahead of the next frame."""
        return max(0, self._end - self._next) / 8

    @property
    def delay_ms(self) -> float:
        """From the coming of a packet until the clock takes it, as it is now."""
        return max(0, self._slacks.median) / 8

    def change_codec(self, codec: Codec) -> None:
        """Go on with another codec: what still waits was coded by the old one, and is dropped."""
        self._codec = codec
        self._silence = codec.silence[:1]
        self._concealer.forget()
        self._ssrc = None

    # Packets in

    def put(self, packet: RtpPacket, now: float) -> None:
        """Take a packet in any order; an empty payload moves the sequence only."""
        until_tick = int((self._taken_at + _FRAME_S - now) * _SAMPLES_PER_S)
        before_tick = max(0, min(until_tick, FRAME_SAMPLES))
        if packet.ssrc != self._ssrc:
            self._begin_stream(packet, before_tick)
        step = ((packet.sequence - self._sequence + 0x8000) & 0xFFFF) - 0x8000
        if step > _RESTART or step < -_SEEN_BITS:
            self._begin_stream(packet, before_tick)
            step = 0
        if not self._first_time(packet.sequence, step):
            self.counters.duplicates += 1
            return
        payload = packet.payload
        if not payload:
            return
        top = self._top
        at = top + ((packet.timestamp - top + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        if step >= 0:
            at = self._follow(at, len(payload), before_tick, contiguous=step <= 1)
        ahead = at - self._next
        self._slacks.note(ahead + before_tick)
        if ahead < 0:
            if step < 0 and len(self._slacks) <= JUDGE_EVERY:
                # The delay began small: the first that is overtaken and too late is word enough.
                self._plan(min(-(ahead // FRAME_SAMPLES), _FIRST_GROWTH_MAX), _PATIENCE_BURST)
            payload, at = payload[-ahead:], self._next
        if not payload or ahead > _AHEAD_MAX:
            self.counters.late += 1
            return
        self._write(at, payload)

    def _begin_stream(self, packet: RtpPacket, before_tick: int) -> None:
        self._decode = self._codec.for_stream().decode
        self._ssrc = packet.ssrc
        self._sequence = packet.sequence
        self._seen = 0
        self._expected_before = self.counters.expected
        self._top = packet.timestamp
        self.counters.streams += 1
        self._begin_time(packet.timestamp, before_tick)

    def _first_time(self, sequence: int, step: int) -> bool:
        """Account for a sequence number; False if it has been here before."""
        if step > 0:
            self._sequence = sequence
            self._seen = (self._seen << step | 1) & _SEEN_MASK
            self.counters.expected += step
        else:
            bit = 1 << -step
            if self._seen & bit:
                return False
            if step < 0:
                self.counters.reordered += 1
            # Before the first of the stream, or the first itself.
            older = -step - (self.counters.expected - self._expected_before)
            self.counters.expected += max(0, older + 1)
            self._seen |= bit
        self.counters.received += 1
        return True

    def _follow(self, at: int, length: int, before_tick: int, *, contiguous: bool) -> int:
        """Let the newest packet move the timeline where it must; give its place on it."""
        self._top = at
        ahead = at - self._next
        if ahead < -self._depth_max or at - self._end > self._depth_max < ahead:
            # The sender's clock has jumped.
            self.counters.streams += 1
            self._begin_time(at, before_tick)
            return at
        if ahead < 0:
            # All that follows will be as late: give the time back instead of dropping speech.
            self._shift(ahead)
        elif contiguous and at > self._end:
            # No packet is missing, so the sender was silent (DTX).
            self.rests = self.rests or at - self._end >= _REST
            begin = max(self._end, self._next)
            self._write(begin, self._silence * (at - begin))
        excess = at + length - self._next - self._depth_max
        if excess > 0:
            self._skip(-(-excess // FRAME_SAMPLES) * FRAME_SAMPLES)
        return at

    def _skip(self, samples: int) -> None:
        self.counters.overflow_ms += samples / 8
        for _ in range(samples // FRAME_SAMPLES):
            self._clear(self._next)
            self._shift(FRAME_SAMPLES)

    def _shift(self, samples: int) -> None:
        """Move the point of playing; the slacks so far move with it."""
        self._next += samples
        self._slacks.shift(samples)

    def _write(self, at: int, payload: bytes) -> None:
        length = len(payload)
        self._end = max(self._end, at + length)
        start = at % _RING
        room = _RING - start
        if length <= room:
            self._data[start : start + length] = payload
            self._here[start : start + length] = (
                _ALL_HERE if length == FRAME_SAMPLES else b"\x01" * length
            )
        else:
            self._data[start:] = payload[:room]
            self._data[: length - room] = payload[room:]
            self._here[start:] = b"\x01" * room
            self._here[: length - room] = b"\x01" * (length - room)

    # Frames out

    def take(self, now: float) -> Frame:
        """Give the next 20 ms: what came, what can be made up for it, or silence."""
        self._taken_at = now
        if self._ssrc is None:
            return SILENCE_FRAME
        self._until_judged -= 1
        if not self._until_judged:
            self._judge()
        if self._change:
            return self._take_with_change()
        return self._take_next()

    def _take_next(self) -> Frame:
        at = self._next
        self._next = at + FRAME_SAMPLES
        data, here = self._cut(at)
        if here == _ALL_HERE:
            frame = self._decode(data)
            if self._concealer.active:
                return self._concealer.mend(frame, here)
            self._concealer.remember(frame)
            return frame
        if here == _NONE_HERE:
            return self._missing()
        self.counters.concealed += 1
        return self._concealer.mend(self._decode(data), here)

    def _cut(self, at: int) -> tuple[bytearray, bytearray]:
        """Take 20 ms out of both rings."""
        start = at % _RING
        end = start + FRAME_SAMPLES
        if end <= _RING:
            data, here = self._data[start:end], self._here[start:end]
            self._here[start:end] = _NONE_HERE
            return data, here
        data = self._data[start:] + self._data[: end - _RING]
        here = self._here[start:] + self._here[: end - _RING]
        self._clear(at)
        return data, here

    def _clear(self, at: int) -> None:
        start = at % _RING
        room = min(FRAME_SAMPLES, _RING - start)
        self._here[start : start + room] = bytes(room)
        self._here[: FRAME_SAMPLES - room] = bytes(FRAME_SAMPLES - room)

    def _missing(self) -> Frame:
        if self._concealer.faded_out:
            return SILENCE_FRAME
        self.counters.concealed += 1
        return self._concealer.conceal()

    # The delay

    def _judge(self) -> None:
        """Once a second: decide whether the delay should change, and by how many frames."""
        self._until_judged = JUDGE_EVERY
        self._calm_s += 1
        advice = self._slacks.advice(self._depth_max, self._calm_s)
        if advice is not None:
            self._plan(advice.frames, _PATIENCE_BURST if advice.urgent else _PATIENCE)

    def _plan(self, frames: int, patience: int) -> None:
        self._change = frames
        self._patience = patience
        self._calm_s = 0
        self._waited = 0

    def _take_with_change(self) -> Frame:
        """Give the next frame; shorten or lengthen the stream there if it does no harm."""
        frame = self._take_next()
        self._waited += 1
        if peak(frame) > _QUIET and self._waited < self._patience:
            return frame
        self._waited = 0
        if self._change < 0:
            if self._end < self._next + FRAME_SAMPLES:
                return frame
            self._change += 1
            self._slacks.shift(FRAME_SAMPLES)
            return splice(frame, self._take_next())
        self._change -= 1
        self._shift(-FRAME_SAMPLES)
        return frame
