"""What one party says, frame by frame: a sound, keys as tones, keys as RFC 4733 events."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from simulator.audio.pcm import Pcm
from simulator.audio.sound import Sound, silence

from .rtp import SAMPLES, digit_payloads
from .signals import key_tone

RATE = 8000
DIGIT_FRAMES = 8
DIGIT_PAUSE_FRAMES = 5
DIGITS_MAX = 64
TONE_FRAMES = 9
"""A key tone and its pause, in frames of 20 ms."""

KEYS = "0123456789*#ABCDabcd"


@dataclass(frozen=True)
class EventFrame:
    """One packet of a telephone event (RFC 4733 2.3)."""

    payload: bytes
    "Its four bytes."

    first: bool
    "Whether the event begins with it."


class Mouth:
    """Gives one frame of 20 ms after the other: an EventFrame, PCM, or None for silence."""

    def __init__(self, identity: int, changed: Callable[[], None]) -> None:
        """`changed` is called when a sound or the last digit came to its end."""
        self._identity = identity
        self._changed = changed
        self._frames: Iterator[Pcm] | None = None
        self._tones: deque[Pcm] = deque()
        self._digits: deque[str] = deque()
        self._events: deque[EventFrame | None] = deque()

    def say(self, sound: Sound | None) -> None:
        """Speak this from the next frame on, instead of what is being said; None is silence."""
        # Silence is sent anyway and has no end: without it `speaking` tells the truth.
        quiet = sound is None or sound is silence
        self._frames = None if sound is None or quiet else sound.frames(self._identity, RATE)

    @property
    def speaking(self) -> bool:
        """Whether a sound has not come to its end."""
        return self._frames is not None

    @property
    def pressing(self) -> bool:
        """Whether digits are still to be sent."""
        return bool(self._digits or self._events or self._tones)

    def press(self, digits: str, *, as_tones: bool = False, dry: bool = False) -> None:
        """Press keys, as events or as tones; ValueError for what is no key, or too many.

        `dry`: no telephone-event was negotiated, so that events mean nothing: ValueError as well.
        """
        check_keys(digits)
        waiting = len(self._digits) + len(self._tones) // TONE_FRAMES
        if waiting + len(digits) > DIGITS_MAX:
            raise ValueError(f"more than {DIGITS_MAX} digits are waiting")
        if dry:
            raise ValueError("no telephone-event was negotiated")
        if as_tones:
            for digit in digits:
                self._tones.extend(key_tone(digit, RATE).reshape(-1, SAMPLES))
        else:
            self._digits.extend(digits)

    def frame(self) -> Pcm | EventFrame | None:
        """The next 20 ms. What is being said goes on behind keys pressed meanwhile."""
        if self._digits and not self._events:
            payloads = digit_payloads(self._digits.popleft(), DIGIT_FRAMES)
            self._events.extend(EventFrame(payload, n == 0) for n, payload in enumerate(payloads))
            self._events.extend([None] * DIGIT_PAUSE_FRAMES)
        if self._events:
            event = self._events.popleft()
            if not self.pressing:
                self._changed()
            if event is not None:
                return event
        elif self._tones:
            tone = self._tones.popleft()
            if not self.pressing:
                self._changed()
            return tone
        return self._sound()

    def _sound(self) -> Pcm | None:
        if self._frames is None:
            return None
        pcm = next(self._frames, None)
        if pcm is None:
            self._frames = None
            self._changed()
        return pcm


def check_keys(digits: str) -> None:
    """ValueError for what is no key of a telephone."""
    if any(digit not in KEYS for digit in digits):
        raise ValueError(f"not all of {digits!r} can be pressed")
