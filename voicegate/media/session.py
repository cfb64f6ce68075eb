"""The media of one call: its port, its socket, and the two directions the clock pulls."""

import asyncio
from collections.abc import Callable, Collection
from random import Random

from voicegate.hearing import Hearing
from voicegate.media.answer import Target
from voicegate.media.clock import Tap, Ticker
from voicegate.media.codec import SILENCE_FRAME
from voicegate.media.comfort import Comfort
from voicegate.media.control import Control
from voicegate.media.counters import MediaCounters
from voicegate.media.following import Following
from voicegate.media.incoming import Incoming
from voicegate.media.life import Starved
from voicegate.media.offer import Agreement
from voicegate.media.outgoing import Outgoing
from voicegate.media.playout import Playout
from voicegate.media.resample import Resampler
from voicegate.media.rules import MediaRules
from voicegate.media.uplink import Uplink

_DEAF_AFTER_S = 1.0  # after an error, and without a packet since
_LOOK_S = 1.0  # missing RTP is looked for so often: a first packet or a hold moves what is due
PacketTap = Callable[[bytes, Target, Target], None]
"""Takes a datagram, its source and its destination; it must not wait."""


class MediaSession(Following):
    """Both directions of one call's audio. Open it with `open_media`.

    What comes before `start()` is dropped and counted. From `start()` to `stop()`, each 20 ms one
    frame of the caller can be heard and one RTP packet leaves, whatever the peers do.
    """

    def __init__(
        self,
        agreement: Agreement,
        ticker: Ticker,
        random: Random,
        rules: MediaRules,
        own: Collection[Target] = (),
    ) -> None:
        loop, first = asyncio.get_running_loop(), agreement.now
        out = Outgoing(first, random, self._send, loop.call_later)
        heard = Incoming(first, rules, own)
        super().__init__(agreement, heard, out, Control(first, out.sender, heard, random, own))
        self._ticker = ticker
        self._playout = Playout()
        self.hearing = Hearing(_DEAF_AFTER_S)
        self.comfort = Comfort()
        """Heard in place of silence while nobody can speak; it counts as sound of ours."""
        self._played_out = asyncio.Event()
        self._played_out.set()
        self._resampler = Resampler(8000, 8000)
        self._uplink = Uplink(self._loop)
        self._transport: asyncio.DatagramTransport | None = None
        self._local: Target = ("", 0)
        self._release: Callable[[], None] = lambda: None
        self._started = False
        self._paused = self._is_early = False
        self._taps: tuple[Tap, ...] = ()
        self._packet_taps: tuple[PacketTap, ...] = ()
        self._packets_in = self._packets_out = self._early = self._foreign = 0
        self._send_blocked = 0
        self._late_before = 0
        self.last_played_at: float | None = None
        """Loop time at which the last model audio left; None before any has."""

    # The life of it

    def attach(
        self, wire: asyncio.DatagramTransport | None, local: Target, release: Callable[[], None]
    ) -> None:
        """Take the transport (None while there is none), our address as the caller knows it, and
        what closes the socket at once. For `open_media`."""
        self._transport, self._local, self._release = wire, local, release

    def start(self, *, early: bool = False) -> None:
        """Begin: the call is answered. The first packet leaves with the next tick, at once.

        `early`: where we call it still rings; until the next `start()` only the taps hear it.
        """
        self._is_early = early
        self._in.due(parked=self.parked, now=self._loop.time())
        if self._started or self._stopped:
            return
        self._started = True
        self.control.start()
        self._late_before = self._ticker.late
        self._ticker.register(self._tick)

    def stop(self) -> None:
        """End: no tick, no packet and no socket from here on, and the port rests. Idempotent."""
        if self._stopped:
            return
        self._stopped = True
        self._ticker.unregister(self._tick)
        self.control.stop()
        if self._transport is not None:
            self._transport.abort()
        # asyncio closes the socket one turn later; a resting port has none from now on.
        self._release()
        self._played_out.set()
        self._uplink.close()

    # The caller's voice

    async def hear(self, frames: int = 1) -> bytes:
        """Give the next 20 ms of the caller (PCM16, 8 kHz), or `frames` of them in one piece.

        One listener at a time. Raises MediaStopped once the media has ended.
        """
        return await self._uplink.take(frames)

    @property
    def digits(self) -> str:
        """The last digits the caller keyed, 64 at most."""
        return self._in.keys.digits

    @property
    def last_digit_at(self) -> float | None:
        """Loop time of the last digit; None before any."""
        return self._in.keys.last_at

    def on_digit(self, call: Callable[[str], None]) -> None:
        """Call this with each key the caller presses from now on."""
        self._in.on_digit = call

    def take_info(self, content_type: str, body: bytes) -> None:
        """Take the body of an INFO: some gates send keys so."""
        if self._started and not self._stopped:
            self._in.take_info(content_type, body, self._loop.time())

    def receive(self, data: bytes, source: tuple[str | int, ...]) -> None:
        """Take a datagram from the socket."""
        now = self._loop.time()
        if source[:2] != self._in.address and not self._moved(data, source, now):
            self._foreign += 1
            return
        self._packets_in += 1
        for tap in self._packet_taps:
            tap(data, self._remote or self._local, self._local)
        if not self._started:
            self._early += 1
            return
        self._in.receive(data, now)

    def _moved(self, data: bytes, source: tuple[str | int, ...], now: float) -> bool:
        """Whether the caller goes on from there: then we follow."""
        there = (str(source[0]), int(source[1]))
        moved = self._started and self._in.moves(data, there, now)
        if moved:
            self._remote = there
        return moved

    async def starved(self) -> Starved:
        """Wait until the caller's RTP has not come, or has stopped, for longer than is allowed."""
        while True:
            due = self._in.deadline
            left_s = due[0] - self._loop.time() if due is not None else _LOOK_S
            if due is not None and left_s <= 0:
                return due[1]
            await asyncio.sleep(min(left_s, _LOOK_S))

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
        self._out.sender.mark()
        self._played_out.set()
        return self._playout.flush()

    def send_digits(self, digits: str) -> None:
        """Press keys, 200 ms each: as telephone-events if agreed on, else as tones.

        What the model says waits meanwhile. Raises ValueError for what is no key, or too many.
        """
        self._out.keys.add(digits)

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
        return self._in.jitter.delay_ms

    def _tick(self, now: float) -> None:
        heard = self._in.frame(now)
        if not self._is_early:
            # music on hold is not for the model's ear
            self._uplink.put(SILENCE_FRAME if self.parked else heard)
        if self._out.presses:
            said = self._out.press()
            self.last_played_at = now
        else:
            # on hold the model's voice waits: nobody would hear it
            said = self._sound(now) if self._out.sends else None
            self._out.say(said)
            if said is not None:
                self._note_played(now)
        for tap in self._taps:
            tap(heard, said or SILENCE_FRAME, now)

    def _sound(self, now: float) -> bytes | None:
        return self._playout.take() or self.comfort.take(now)

    def _note_played(self, now: float) -> None:
        self.last_played_at = now
        if self._playout.empty:
            self._played_out.set()
            # else the last 2 ms of this turn come out, as a click, before the next one
            self._resampler.reset()

    def _send(self, packet: bytes) -> None:
        if self._stopped:
            return
        if self._paused or self._transport is None or self._remote is None:
            self._send_blocked += 1
            return
        self._packets_out += 1
        for tap in self._packet_taps:
            tap(packet, self._local, self._remote)
        self._transport.sendto(packet, self._remote)

    def note_blocked(self, paused: bool) -> None:
        """Learn that the system takes no packets for now, or takes them again."""
        self._paused = paused

    def counters(self) -> MediaCounters:
        """Give the figures so far."""
        return MediaCounters(
            packets_in=self._packets_in,
            packets_out=self._packets_out,
            early=self._early,
            foreign=self._foreign,
            **self._in.figures(),
            uplink_dropped=self._uplink.dropped,
            playout_overflow_ms=self._playout.overflow_ms,
            send_blocked=self._send_blocked,
            ticks_late=self._ticker.late - self._late_before if self._started else 0,
            udp_errors=self.hearing.errors,
            reopened=self.hearing.replaced,
            **self.control.figures(),
        )
