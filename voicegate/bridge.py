"""The bridge between media and voice: uplink() and downlink(), and what bounds a call in time."""

import asyncio
from typing import NoReturn

from voicegate.endings import HangupReason, SilenceClock
from voicegate.media.codec import FRAME_BYTES
from voicegate.media.codec import SAMPLE_RATE_HZ as LINE_RATE_HZ
from voicegate.media.resample import Resampler
from voicegate.media.session import MediaSession
from voicegate.talk import Talk
from voicegate.voice.session import UPLINK_RATE_HZ, VoiceSession

CHUNK_FRAMES = 2
"""40 ms a message: the service's cost is per message, and its advice is 20 to 40 ms."""


async def uplink(media: MediaSession, voice: VoiceSession, talk: Talk) -> NoReturn:
    """Carry the caller's sound to the voice, 40 ms at a time, without end; raises VoiceError."""
    upsample = Resampler(LINE_RATE_HZ, UPLINK_RATE_HZ)
    while True:
        pcm16 = await media.hear(frames=CHUNK_FRAMES)
        for start in range(0, len(pcm16), FRAME_BYTES):
            talk.caller_frame(pcm16[start : start + FRAME_BYTES])
        await voice.send_audio(upsample.process(pcm16))


async def downlink(voice: VoiceSession, talk: Talk) -> NoReturn:
    """Carry the voice's events to the caller, without end; raises VoiceError."""
    await voice.listen(talk.heed)


async def no_speech(media: MediaSession, silence: SilenceClock) -> HangupReason:
    """Wait until nobody has spoken for too long; our own sound and digits count as speech."""
    loop = asyncio.get_running_loop()
    while True:
        for heard_at in (media.last_played_at, media.last_digit_at):
            if heard_at is not None:
                silence.heard_at(heard_at)
        left_s = silence.deadline - loop.time()
        if left_s <= 0:
            return HangupReason.NO_SPEECH
        await asyncio.sleep(left_s)


async def max_duration(limit_s: float) -> HangupReason:
    """Wait until the call has lasted as long as it may."""
    await asyncio.sleep(limit_s)
    return HangupReason.MAX_DURATION
