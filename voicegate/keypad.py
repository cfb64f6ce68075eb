"""The caller's keys, as words for the model."""

import asyncio
from typing import NoReturn

from voicegate.story import Happening, Story
from voicegate.voice.session import VoiceSession

PAUSE_S = 1.0
"""Keys pressed closer together than this are one number, and told as one."""
END_KEY = "#"
"""Ends a number at once, as on every telephone."""
KEYS_MAX = 64


class Keypad:
    """Gathers what the caller keys, and tells the model when it is whole."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._typed = ""
        self._pressed = asyncio.Event()

    def press(self, digit: str) -> None:
        """Take a key."""
        self._story.tell(Happening.DIGIT, digit=digit)
        self._typed = (self._typed + digit)[-KEYS_MAX:]
        self._pressed.set()

    async def tell(self, voice: VoiceSession) -> NoReturn:
        """Tell the voice each number, without end; raises VoiceError where it is over."""
        while True:
            await self._pressed.wait()
            await self._whole()
            typed, self._typed = self._typed, ""
            self._pressed.clear()
            await voice.send_text(f"The caller pressed on the telephone keypad: {' '.join(typed)}")

    async def _whole(self) -> None:
        """Wait until the number is at its end."""
        while not self._typed.endswith(END_KEY):
            self._pressed.clear()
            try:
                async with asyncio.timeout(PAUSE_S):
                    await self._pressed.wait()
            except TimeoutError:
                return  # the pause is the point
