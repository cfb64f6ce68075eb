"""The media of one call: its port, its socket, and the two directions the clock pulls."""

import asyncio
from collections import deque
from collections.abc import Callable
from random import Random

from voicegate.media.answer import Answer, Target
from voicegate.media.arrivals import Arrivals
from voicegate.media.clock import Tap, Ticker
from voicegate.media.codec import SILENCE_FRAME
from voicegate.media.counters import MediaCounters
from voicegate.media.jitter import JitterBuffer
from voicegate.media.playout import Playout
from voicegate.media.resample import Resampler
from voicegate.media.rtp import RtpReceiver, RtpSender
from voicegate.media.sdp import OfferRefused
from voicegate.media.uplink import Uplink

_DIGITS_KEPT = 64

Answerer = Callable[[bytes, int], Answer]
"""Answers an offer as this call would, with the given o= version. Raises OfferRefused."""
PacketTap = Callable[[bytes, Target, Target], None]
"""Takes a datagram, its source and its destination; it must not wait."""


class MediaSession:
    """Both directions of one call's audio. Open it with `open_media`.

    What comes before `start()` is dropped and counted. From `start()` to `stop()`, each 20 ms one
    frame of the caller can be heard and one RTP packet leaves, whatever the peers do.
    """

    def __init__(self, answer: Answer, answerer: Answerer, ticker: Ticker, random: Random) -> None:
        self._answer = answer
        self._answerer = answerer
        self._ticker = ticker
        self._loop = asyncio.get_running_loop()
        self._remote = answer.remote
        self._sending = answer.direction.sends and answer.remote is not None
        self._encode = answer.codec.encode
        self._silence = answer.codec.silence
        self._sender = RtpSender(answer.payload_type, random)
        self._receiver = RtpReceiver(answer.payload_type, answer.telephone_event)
        self._jitter = JitterBuffer(answer.codec)
        self._playout = Playout()
        self._played_out = asyncio.Event()
        self._played_out.set()
        self._resampler = Resampler(8000, 8000)
        self._uplink = Uplink(self._loop)
        self._arrivals = Arrivals()
        self._transport: asyncio.DatagramTransport | None = None
        self._local: Target = ("", 0)
        self._release: Callable[[], None] = lambda: None
        self._started = False
        self._stopped = False
        self._paused = False
        self._taps: tuple[Tap, ...] = ()
        self._packet_taps: tuple[PacketTap, ...] = ()
        self._digits: deque[str] = deque(maxlen=_DIGITS_KEPT)
        self._digits_seen = 0
        self._packets_in = self._packets_out = self._early = self._foreign = 0
        self._send_blocked = self._udp_errors = 0
        self._late_before = 0
        self.last_played_at: float | None = None
        """Loop time at which the last model audio left; None before any has."""
        self.last_digit_at: float | None = None
        """Loop time of the last digit; None before any."""

    # The life of it

    @property
    def local_sdp(self) -> bytes:
        """Our answer, as it stands."""
        return self._answer.body

    @property
    def codec_name(self) -> str:
        """`PCMU` or `PCMA`."""
        return self._answer.codec.name

    def attach(
        self, transport: asyncio.DatagramTransport, local: Target, release: Callable[[], None]
    ) -> None:
        """Take the transport, our address as the caller knows it, and what closes the socket at
        once. For `open_media`."""
        self._transport, self._local, self._release = transport, local, release

    def start(self) -> None:
        """Begin: the call is answered. The first packet leaves with the next tick, at once."""
        if self._started or self._stopped:
            return
        self._started = True
        self._late_before = self._ticker.late
        self._ticker.register(self._tick)

    def stop(self) -> None:
        """End: no tick, no packet and no socket from here on, and the port rests. Idempotent."""
        if self._stopped:
            return
        self._stopped = True
        self._ticker.unregister(self._tick)
        if self._transport is not None:
            self._transport.abort()
        # asyncio closes the socket one turn later; a resting port has none from now on.
        self._release()
        self._played_out.set()
        self._uplink.close()

    def renegotiate(self, body: bytes) -> bytes | None:
        """Answer a re-INVITE that changes nothing; None if it asks for a change (488)."""
        if self._stopped:
            return None
        try:
            answer = self._answerer(body, self._answer.version)
            if not answer.agrees_with(self._answer):
                return None
            if answer.body != self._answer.body:
                # RFC 3264 8: the version grows by one with each change of the description.
                answer = self._answerer(body, self._answer.version + 1)
        except OfferRefused:
            return None
        self._answer = answer
        self._receiver.telephone_event = answer.telephone_event
        return answer.body

    # The caller's voice

    async def hear(self, frames: int = 1) -> bytes:
        """Give the next 20 ms of the caller (PCM16, 8 kHz), or `frames` of them in one piece.

        One listener at a time. Raises MediaStopped once the media has ended.
        """
        return await self._uplink.take(frames)

    @property
    def digits(self) -> str:
        """The last digits the caller keyed, 64 at most."""
        return "".join(self._digits)

    def receive(self, data: bytes, source: tuple[str | int, ...]) -> None:
        """Take a datagram from the socket."""
        if source[:2] != self._remote:
            self._foreign += 1
            return
        self._packets_in += 1
        for tap in self._packet_taps:
            tap(data, self._remote, self._local)
        if not self._started:
            self._early += 1
            return
        now = self._loop.time()
        packets, digit = self._receiver.receive(data)
        for packet in packets:
            self._arrivals.packet(packet.timestamp, now)
            self._jitter.put(packet, now)
        if digit is not None:
            self._digits.append(digit)
            self._digits_seen += 1
            self.last_digit_at = now

    # The model's voice

    def say(self, pcm16: bytes, sample_rate_hz: int) -> None:
        """Queue a piece of the model's voice, of any length."""
        if self._stopped:
            return
        if sample_rate_hz != self._resampler.from_hz:
            self._resampler = Resampler(sample_rate_hz, 8000)
        self._playout.put(self._resampler.process(pcm16))
        if not self._playout.empty:
            self._played_out.clear()

    def flush(self) -> float:
        """Drop what is queued (barge-in): the next packet is silence. Give the ms dropped."""
        self._resampler.reset()
        self._sender.mark()
        self._played_out.set()
        return self._playout.flush()

    @property
    def queued_ms(self) -> float:
        """How much of the model's voice has not left yet."""
        return self._playout.queued_ms

    async def drained(self) -> None:
        """Wait until all that was said has left, was flushed, or the media has ended."""
        await self._played_out.wait()

    # The clock, and the socket's events

    def tap(self, tap: Tap) -> None:
        """Call `tap` with both frames of each tick, as heard and as sent, until `stop()`."""
        self._taps += (tap,)

    def tap_packets(self, tap: PacketTap) -> None:
        """Call `tap` with every datagram of the caller and every one of ours."""
        self._packet_taps += (tap,)

    @property
    def hearing_delay_ms(self) -> float:
        """How long ago the frame that is heard now came, as it is now."""
        return self._jitter.delay_ms

    def _tick(self, now: float) -> None:
        heard = self._jitter.take(now)
        self._uplink.put(heard)
        pcm16 = self._playout.take()
        for tap in self._taps:
            tap(heard, pcm16 or SILENCE_FRAME, now)
        if pcm16 is None:
            payload = self._silence
        else:
            payload = self._encode(pcm16)
            self.last_played_at = now
            if self._playout.empty:
                self._played_out.set()
                # else the last 2 ms of this turn come out, as a click, before the next one
                self._resampler.reset()
        if self._sending:
            self._send(self._sender.packet(payload))

    def _send(self, packet: bytes) -> None:
        if self._paused or self._transport is None or self._remote is None:
            self._send_blocked += 1
            return
        self._packets_out += 1
        for tap in self._packet_taps:
            tap(packet, self._local, self._remote)
        self._transport.sendto(packet, self._remote)

    def note_udp_error(self) -> None:
        """Count an error of the socket; the call goes on."""
        self._udp_errors += 1

    def note_blocked(self, paused: bool) -> None:
        """Learn that the system takes no packets for now, or takes them again."""
        self._paused = paused

    def counters(self) -> MediaCounters:
        """Give the figures so far."""
        jitter, receiver = self._jitter.counters, self._receiver
        return MediaCounters(
            packets_in=self._packets_in,
            packets_out=self._packets_out,
            early=self._early,
            foreign=self._foreign,
            malformed=receiver.malformed,
            unexpected=receiver.unexpected,
            strays=receiver.strays,
            lost=jitter.lost,
            jitter_ms=round(self._arrivals.jitter_ms, 2),
            max_gap_ms=round(self._arrivals.max_gap_s * 1000, 1),
            late=jitter.late,
            duplicates=jitter.duplicates,
            concealed=jitter.concealed,
            jitter_overflow_ms=jitter.overflow_ms,
            uplink_dropped=self._uplink.dropped,
            playout_overflow_ms=self._playout.overflow_ms,
            send_blocked=self._send_blocked,
            ticks_late=self._ticker.late - self._late_before if self._started else 0,
            digits=self._digits_seen,
            udp_errors=self._udp_errors,
        )
