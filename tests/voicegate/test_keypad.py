"""What the caller keys is told to the model as words, number by number."""

import asyncio
from typing import cast

import pytest

from voicegate.keypad import Keypad
from voicegate.story import Event, Story
from voicegate.voice.session import VoiceError, VoiceSession

pytestmark = pytest.mark.virtual


class Words:
    """A voice that keeps what it is told, and is lost after so many texts."""

    def __init__(self, lost_after: int = 99) -> None:
        self.texts: list[str] = []
        self._lost_after = lost_after

    async def send_text(self, text: str) -> None:
        self.texts.append(text.rpartition(": ")[2])
        if len(self.texts) == self._lost_after:
            raise VoiceError("lost")


async def test_keys_pressed_together_are_told_as_one_number() -> None:
    words, told = Words(), list[Event]()
    story = Story(asyncio.get_running_loop().time)
    story.listen(told.append)
    keypad = Keypad(story)
    telling = asyncio.ensure_future(keypad.tell(cast("VoiceSession", words)))
    for digit, after_s in (("1", 0.3), ("2", 0.9), ("3", 1.5), ("4", 0.1), ("#", 0.1)):
        keypad.press(digit)
        await asyncio.sleep(after_s)
    assert words.texts == ["1 2 3", "4 #"]
    assert [event.fields["digit"] for event in told] == list("1234#")
    keypad.press("5")
    await asyncio.sleep(1.1)
    assert words.texts[2:] == ["5"]
    telling.cancel()
    await asyncio.wait((telling,))


async def test_a_lost_voice_ends_the_telling() -> None:
    keypad = Keypad(Story(asyncio.get_running_loop().time))
    for digit in "9" * 80:
        keypad.press(digit)
    words = Words(lost_after=1)
    with pytest.raises(VoiceError):
        await keypad.tell(cast("VoiceSession", words))
    assert words.texts == [" ".join("9" * 64)]
