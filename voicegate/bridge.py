"""The bridge between media and voice: uplink() and downlink(), and what bounds a call in time."""

import asyncio
from typing import NoReturn

from voicegate.endings import HangupReason, SilenceClock
from voicegate.media.codec import FRAME_BYTES
from voicegate.media.codec import SAMPLE_RATE_HZ as LINE_RATE_HZ
from voicegate.media.resample import Resampler
from voicegate.media.session import MediaSession
from voicegate.talk import Talk
from voicegate.tools.running import ToolRuns
from voicegate.voice.session import UPLINK_RATE_HZ, VoiceError, VoiceEvent, VoiceSession

CHUNK_FRAMES = 2
"""40 ms a message: the service's cost is per message, and its advice is 20 to 40 ms."""
CHECK_IN = (
    "The caller has been silent for a while. Ask in a few words, in the caller's language, whether"
    " they are still there."
)
CLOSING = (
    "This call must end in {seconds:.0f} seconds. Tell the caller so when it fits, bring the"
    " conversation to its end, and say goodbye."
)


async def uplink(
    media: MediaSession, voice: VoiceSession, talk: Talk, half_duplex_tail_s: float | None = None
) -> NoReturn:
    """Carry the caller's sound to the voice, 40 ms at a time, without end; raises VoiceError.

    `half_duplex_tail_s`: for a line that echoes. The caller is silence for as long as we sound
    and so long after; silence still flows, since the service answers only while sound arrives.
    """
    upsample = Resampler(LINE_RATE_HZ, UPLINK_RATE_HZ)
    while True:
        pcm16 = await media.hear(frames=CHUNK_FRAMES)
        if half_duplex_tail_s is not None and _sounds(media, half_duplex_tail_s):
            pcm16 = bytes(len(pcm16))
        for start in range(0, len(pcm16), FRAME_BYTES):
            talk.caller_frame(pcm16[start : start + FRAME_BYTES])
        await voice.send_audio(upsample.process(pcm16))


def _sounds(media: MediaSession, tail_s: float) -> bool:
    """Say whether our sound can still be heard in what the caller's line sends back."""
    if media.queued_ms:
        return True
    last, now = media.last_played_at, asyncio.get_running_loop().time()
    return last is not None and now - last < tail_s


async def downlink(voice: VoiceSession, talk: Talk, tools: ToolRuns) -> NoReturn:
    """Carry the voice's events to the caller, without end; raises VoiceError.

    What was said before the voice was lost is heard first: it may be the farewell.
    """

    def heed(event: VoiceEvent) -> None:
        tools.heed(event)
        talk.heed(event)

    try:
        await voice.listen(heed)
    except VoiceError:
        await talk.heard_out()
        raise


async def no_speech(
    media: MediaSession, voice: VoiceSession, silence: SilenceClock
) -> HangupReason:
    """Wait until nobody has spoken for too long; our own sound and digits count as speech,
    and nobody can speak on hold."""
    loop = asyncio.get_running_loop()
    while True:
        if media.last_played_at is not None:
            silence.played_at(media.last_played_at)
        if media.last_digit_at is not None:
            silence.heard_at(media.last_digit_at)
        if silence.paused:
            silence.heard_at(loop.time())
        if media.last_parked_at is not None:
            silence.heard_at(media.last_parked_at)
        if loop.time() >= silence.deadline:
            return HangupReason.NO_SPEECH
        if silence.asks(loop.time()):
            await voice.send_text(CHECK_IN)
        await asyncio.sleep(silence.next_at - loop.time())


async def max_duration(
    voice: VoiceSession, talk: Talk, limit_s: float, warning_s: float
) -> HangupReason:
    """Wait until the call has lasted as long as it may; the model is told before."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + limit_s
    if 0 < warning_s < limit_s:
        await asyncio.sleep(limit_s - warning_s)
        await talk.pause(warning_s / 2)  # words for the model cut what it is saying
        await voice.send_text(CLOSING.format(seconds=ends_at - loop.time()))
    await asyncio.sleep(ends_at - loop.time())
    return HangupReason.MAX_DURATION
