"""Rescue: what is done about an alarm, so that no caller talks to a dead line for long."""

import asyncio
import math
import struct
from enum import Enum, auto
from functools import cache

from voicegate.endings import HangupReason
from voicegate.farewell import SETTLE_S
from voicegate.logs import get_logger
from voicegate.media.session import MediaSession
from voicegate.talk import Talk
from voicegate.voice.session import VoiceSession
from voicegate.watchdogs import Alarm

log = get_logger(__name__)

ASK_AGAIN = (
    "There was a fault and the caller heard no answer. Apologise in a few words, in the caller's"
    " language, and ask the caller to say it again."
)
APOLOGY_RATE_HZ = 8000
APOLOGY_HZ = (660.0, 550.0, 440.0)
"""Three gentle tones, each lower than the one before: something has come to its end."""
TONE_S, TONE_PEAK = 0.35, 4000.0


class Step(Enum):
    """What to do next."""

    ASK = auto()
    """Tell the model once more."""
    RENEW = auto()
    """Begin a fresh session."""
    GIVE_UP = auto()
    """Apologise and hang up."""


class Ladder:
    """Which step comes next; a turn of the model that is well leads back to the ground. Pure."""

    def __init__(self) -> None:
        self._turns_heard = 0
        self._asked = self._renewed = False

    def step(self, alarm: Alarm, turns_heard: int) -> Step:
        """Answer an alarm that comes after so many turns that were well."""
        if turns_heard > self._turns_heard:
            self._turns_heard = turns_heard
            self._asked = self._renewed = False
        if alarm is Alarm.NO_GREETING and not self._asked:
            self._asked = True
            return Step.ASK
        if not self._renewed:
            self._renewed = True
            return Step.RENEW
        return Step.GIVE_UP


async def rescue(
    voice: VoiceSession, media: MediaSession, talk: Talk, apology_pcm16: bytes
) -> HangupReason:
    """Answer alarm after alarm, until nothing helps; raises VoiceError where the voice is over.

    `apology_pcm16` (8 kHz) is played in the end; where it is empty, three tones are.
    """
    ladder = Ladder()
    while True:
        alarm = await talk.next_alarm()
        step = ladder.step(alarm, talk.turns_heard)
        log.info("rescue", alarm=alarm.value, step=step.name.lower())
        if step is Step.GIVE_UP:
            return await apologise(media, talk, apology_pcm16 or three_tones())
        words = talk.asked if alarm is Alarm.NO_GREETING else ASK_AGAIN
        if step is Step.RENEW:
            media.flush()
            voice.renew(alarm.value)  # which has the fresh session speak
            await talk.reconnected()
        else:
            await voice.send_text(words)
        talk.told_to_speak(words)


async def apologise(media: MediaSession, talk: Talk, pcm16: bytes) -> HangupReason:
    """Let the caller hear that this is the end; the model is not heard any more."""
    talk.hush()
    media.flush()
    media.say(pcm16, APOLOGY_RATE_HZ)
    await asyncio.sleep(len(pcm16) / 2 / APOLOGY_RATE_HZ + SETTLE_S)
    return HangupReason.VOICE_SILENT


@cache
def three_tones() -> bytes:
    """Give PCM16 at APOLOGY_RATE_HZ."""
    size = int(TONE_S * APOLOGY_RATE_HZ)
    samples = [
        int(
            TONE_PEAK
            * math.sin(math.pi * at / size)  # swells and fades, so that nothing clicks
            * math.sin(2 * math.pi * hz * at / APOLOGY_RATE_HZ)
        )
        for hz in APOLOGY_HZ
        for at in range(size)
    ]
    return struct.pack(f"<{len(samples)}h", *samples)
