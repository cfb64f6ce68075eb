"""What the pieces of the hot path cost: `python -m ci.bench.micro`, in microseconds.

Each piece is timed in several rounds; the best tells what it costs, the median how quiet the
machine was. "a call-second" is the best times how often one second of one call needs it.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import timeit
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import cast

from google.genai.live import AsyncSession
from rich.console import Console
from rich.table import Table

from simulator.audio.tones import speech_like
from voicegate.endings import SilenceClock, SpeechDetector
from voicegate.media.answer import Answer, make_answer
from voicegate.media.clock import Ticker
from voicegate.media.codec import CODECS, FRAME_BYTES
from voicegate.media.jitter import JitterBuffer
from voicegate.media.level import level_dbfs
from voicegate.media.offer import Agreement
from voicegate.media.playout import Playout
from voicegate.media.resample import Resampler
from voicegate.media.rtp import RtpPacket, RtpReceiver, RtpSender, parse_rtp
from voicegate.media.rules import MediaRules
from voicegate.media.sdp import parse_offer
from voicegate.media.session import MediaSession
from voicegate.media.tones import ToneDetector
from voicegate.voice.connection import Connection
from voicegate.voice.conversation import Connect, GeminiConversation
from voicegate.voice.models import UNKNOWN
from voicegate.voice.readers import Reader
from voicegate.voice.retries import Retries
from voicegate.voice.wire import audio_message, events_of

HOST = "127.0.0.1"
FRAMES_A_SECOND = 50
MESSAGES_A_SECOND = 25
"""40 ms of sound in each message, both ways."""
ROUNDS = 9
ROUND_S = 0.03
OFFER = (
    b"v=0\r\no=b 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\n"
)


@dataclass(frozen=True)
class Piece:
    """One operation of the hot path."""

    name: str
    """What it is."""
    operation: Callable[[], object]
    """Does it once."""
    a_second: int
    """How often one second of one call needs it."""


@dataclass(frozen=True)
class Timing:
    """What a piece costs."""

    name: str
    """What it is."""
    best_us: float
    """The fastest round."""
    median_us: float
    """The middle round."""
    a_second: int
    """How often one second of one call needs it."""

    @property
    def call_second_us(self) -> float:
        """CPU in one second of one call."""
        return self.best_us * self.a_second


class NoTransport(asyncio.DatagramTransport):
    """Takes packets and loses them: what the system's send costs is no affair of ours."""

    def sendto(self, data: object, addr: object = None) -> None:
        """Lose it."""


class Stream:
    """RTP packets without end, as one sender numbers them."""

    def __init__(self, payload: bytes) -> None:
        self._sender = RtpSender(8, random.Random(1))
        self._payload = payload

    def next(self) -> bytes:
        """Give the next packet on the wire."""
        return self._sender.packet(self._payload)


def main() -> int:
    """Time all pieces and print them."""
    parser = argparse.ArgumentParser(description="Time the pieces of the hot path.")
    parser.add_argument("--json", action="store_true", help="one JSON list, no table")
    as_json = parser.parse_args().json
    timings = asyncio.run(time_all())
    if as_json:
        sys.stdout.write(json.dumps([asdict(one) for one in timings], indent=1) + "\n")
        return 0
    table = Table(title="Pieces of the hot path (microseconds)")
    table.add_column("piece")
    for name in ("best", "median", "a second", "a call-second"):
        table.add_column(name, justify="right")
    for one in timings:
        figures = (f"{one.best_us:.2f}", f"{one.median_us:.2f}", str(one.a_second))
        table.add_row(one.name, *figures, f"{one.call_second_us:.0f}")
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    return 0


async def time_all() -> list[Timing]:
    """Build the pieces in a running loop, and time one after the other."""
    pieces = [*wire_pieces(), *media_pieces(), *session_pieces(), *sound_pieces()]
    return [timed(piece) for piece in pieces]


def timed(piece: Piece) -> Timing:
    """Time one piece."""
    timer = timeit.Timer(piece.operation)
    once_s = max(timer.timeit(20) / 20, 1e-8)
    number = max(1, int(ROUND_S / once_s))
    rounds = [taken / number * 1e6 for taken in timer.repeat(ROUNDS, number)]
    return Timing(piece.name, min(rounds), statistics.median(rounds), piece.a_second)


def speech(rate_hz: int, ms: int) -> bytes:
    """Give so much of a voice."""
    return speech_like(ms / 1000, rate_hz, seed=3).astype("<i2").tobytes()


def wire_pieces() -> list[Piece]:
    """What the model's socket needs."""
    uplink, downlink = speech(16000, 40), b64encode(speech(24000, 40)).decode()
    inline = {"mimeType": "audio/pcm;rate=24000", "data": downlink}
    frame = {"serverContent": {"modelTurn": {"role": "model", "parts": [{"inlineData": inline}]}}}
    message = json.dumps(frame).encode()
    parsed = json.loads(message)
    return [
        Piece("wire.audio_message, 40 ms", lambda: audio_message(uplink), MESSAGES_A_SECOND),
        Piece("json.loads, 40 ms", lambda: json.loads(message), MESSAGES_A_SECOND),
        Piece("wire.events_of, 40 ms", lambda: tuple(events_of(parsed)), MESSAGES_A_SECOND),
        Piece("send_audio to a socket that waits for nothing", _sender(uplink), MESSAGES_A_SECOND),
    ]


def _sender(uplink: bytes) -> Callable[[], object]:
    class NoSocket:
        async def send(self, _message: object) -> None:
            """Lose it."""

    class NoLive:
        _ws = NoSocket()

    nobody = cast(Connect, None)
    conversation = GeminiConversation(nobody, UNKNOWN, Retries(random.Random(1), 30.0), {})
    live, reader = cast(AsyncSession, NoLive()), cast(Reader, None)
    conversation._connection = Connection(live, reader, UNKNOWN, direct=True)
    return lambda: run_through(conversation.send_audio(uplink))


def run_through(work: Awaitable[object]) -> None:
    """Run a coroutine that waits for nothing."""
    for _ in work.__await__():
        raise AssertionError("it waited")


def media_pieces() -> list[Piece]:
    """What a frame needs on its way."""
    codec = CODECS["PCMA"]
    pcm16 = speech(8000, 20)
    payload = codec.encode(pcm16)
    stream, packet = Stream(payload), Stream(payload).next()
    receiver, tones = RtpReceiver(8), ToneDetector()
    return [
        Piece("codec.encode, 20 ms", lambda: codec.encode(pcm16), FRAMES_A_SECOND),
        Piece("codec.decode, 20 ms", lambda: codec.decode(payload), FRAMES_A_SECOND),
        Piece("RTP built", stream.next, FRAMES_A_SECOND),
        Piece("RTP parsed", lambda: parse_rtp(packet), FRAMES_A_SECOND),
        Piece("RTP built and received", lambda: receiver.receive(stream.next()), FRAMES_A_SECOND),
        Piece("jitter buffer: put and take", _jitter(payload), FRAMES_A_SECOND),
        Piece("keys listened for as tones", lambda: tones.frame(pcm16), FRAMES_A_SECOND),
        Piece("playout: put and take", _playout(pcm16), FRAMES_A_SECOND),
    ]


def _jitter(payload: bytes) -> Callable[[], object]:
    buffer = JitterBuffer(CODECS["PCMA"])
    at = 0

    def operation() -> None:
        nonlocal at
        at += 1
        now = at * 0.02
        buffer.put(RtpPacket(8, False, at & 0xFFFF, at * 160 & 0xFFFFFFFF, 7, payload), now)
        buffer.take(now + 0.005)

    return operation


def _playout(pcm16: bytes) -> Callable[[], object]:
    playout = Playout()

    def operation() -> None:
        playout.put(pcm16)
        playout.take()

    return operation


def session_pieces() -> list[Piece]:
    """What the clock does for one call, without the system's send."""
    quiet, full, both = _session(), _session(), _session()
    stream = Stream(CODECS["PCMA"].encode(speech(8000, 20)))
    hour = speech(24000, 40)

    def tick_with_sound() -> None:
        if full.queued_ms < 40:
            full.say(hour, 24000)
        full._tick(0.0)

    at = 0

    def packet_and_tick() -> None:
        nonlocal at
        at += 1
        both.receive(stream.next(), (HOST, 4000))
        both._tick(at * 0.02)

    return [
        Piece("session: tick, nothing to hear or say", lambda: quiet._tick(0.0), FRAMES_A_SECOND),
        Piece("session: say 24 kHz and tick", tick_with_sound, FRAMES_A_SECOND),
        Piece("session: packet and tick", packet_and_tick, FRAMES_A_SECOND),
    ]


def _session() -> MediaSession:
    def answerer(body: bytes, version: int, current: Answer | None = None) -> Answer:
        return make_answer(
            parse_offer(body),
            local_host=HOST,
            local_port=4002,
            codecs=("PCMA",),
            signalling_host=HOST,
            allowed=lambda _: True,
            session_id=1,
            version=version,
            current=current,
        )

    agreement = Agreement(answerer(OFFER, 1), answerer, lambda _version: OFFER)
    session = MediaSession(agreement, Ticker(), random.Random(1), MediaRules())
    session.attach(NoTransport(), (HOST, 40000), lambda: None)
    session._started = True
    return session


def sound_pieces() -> list[Piece]:
    """What is done to the samples, and what the endings learn from them."""
    line, wide = speech(8000, 40), speech(24000, 40)
    up, down = Resampler(8000, 16000), Resampler(24000, 8000)
    frame = line[:FRAME_BYTES]
    detector, silence = SpeechDetector(), SilenceClock(0.0, 15.0)

    def judged() -> None:
        if detector.frame(level_dbfs(frame)):
            silence.heard_at(1.0)

    return [
        Piece("resample 8 to 16 kHz, 40 ms", lambda: up.process(line), MESSAGES_A_SECOND),
        Piece("resample 24 to 8 kHz, 40 ms", lambda: down.process(wide), MESSAGES_A_SECOND),
        Piece("level_dbfs, 20 ms", lambda: level_dbfs(frame), FRAMES_A_SECOND),
        Piece("level and speech detector, 20 ms", judged, FRAMES_A_SECOND),
    ]


if __name__ == "__main__":
    sys.exit(main())
