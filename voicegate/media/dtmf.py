"""Keys a caller presses and we press: telephone-events (RFC 4733), and the bodies of INFO."""

import struct
from collections import deque
from typing import NamedTuple

from voicegate.media.codec import FRAME_SAMPLES

_EVENT = struct.Struct("!BBH")
DIGITS = "0123456789*#ABCD"
_REMEMBERED = 16
_SEGMENT = 0xFFFF
_END = 0x80
_VOLUME = 10
"""RFC 4733 2.3: 10 dB under full scale, as a telephone does it."""

TONE_FRAMES = 5
"""A key of ours sounds for 100 ms (RFC 4733 2.5.2.1 wants 40 ms at least)."""
_ENDS = 3
"""RFC 4733 2.5.1.4: the last packet is sent three times."""
GAP_FRAMES = _ENDS + 2
"""Frames between two keys: 100 ms in which no tone sounds."""
QUEUE_MAX = 64
_SAME_PRESS_S = 0.5
"""Some gates send a key as event and as INFO, or leave its tone in the audio."""


class DigitDetector:
    """Turns event packets into digits. An event is known by its timestamp (RFC 4733 2.5.1.2)."""

    def __init__(self) -> None:
        self._reported: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED)
        self._open: tuple[int, int] | None = None

    def receive(self, timestamp: int, marker: bool, payload: bytes) -> str | None:
        """Give the digit at the first packet of its event, else None.

        An event that is no digit gives None too. Raises ValueError for a payload too short.
        """
        if len(payload) < _EVENT.size:
            raise ValueError("telephone-event payload too short")
        event, flags, duration = _EVENT.unpack_from(payload)
        known = (event, timestamp)
        # Sloppy gates let the timestamp grow within an event, as that of audio does: without a
        # marker and with a longer duration it is still the same press.
        going_on = self._open is not None and self._open[0] == event and not marker
        grown = going_on and self._open is not None and duration >= self._open[1]
        self._open = None if flags & _END else (event, duration)
        if known in self._reported:
            return None
        # RFC 4733 2.5.1.3: an event beyond 65,535 units goes on in a new segment, without marker.
        before = (event, (timestamp - _SEGMENT) & 0xFFFFFFFF)
        continued = not marker and before in self._reported
        self._reported.append(known)
        return DIGITS[event] if event < len(DIGITS) and not (continued or grown) else None


class KeyLog:
    """The keys a caller has pressed, by whatever way they came."""

    def __init__(self) -> None:
        self.count = 0
        self.last_at: float | None = None
        """When the last one came."""
        self._last = ("", "")
        self._kept: deque[str] = deque(maxlen=QUEUE_MAX)

    @property
    def digits(self) -> str:
        """The last ones, 64 at most."""
        return "".join(self._kept)

    def note(self, digit: str, way: str, now: float) -> bool:
        """Take a key. False if it is the last press once more, come by another way."""
        last_digit, last_way = self._last
        soon = self.last_at is not None and now - self.last_at < _SAME_PRESS_S
        if soon and digit == last_digit and way != last_way:
            return False
        self.count += 1
        self.last_at, self._last = now, (digit, way)
        self._kept.append(digit)
        return True


class KeyFrame(NamedTuple):
    """20 ms of a key that we press."""

    digit: str
    """Which."""
    number: int
    """Counted from 0 at its beginning."""
    payload: bytes
    """Its telephone-event (RFC 4733 2.3); empty in the gap behind the last packet."""
    sounds: bool
    """Whether a tone is to be heard in it, where keys are tones."""


class KeyPresses:
    """The keys we are to press, one frame at a time."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()
        self._frames: deque[KeyFrame] = deque()

    @property
    def busy(self) -> bool:
        """Whether frames are left."""
        return bool(self._frames or self._waiting)

    @property
    def pressed(self) -> bool:
        """Whether a key is half pressed: its event has begun and must be ended."""
        return bool(self._frames)

    def add(self, digits: str) -> None:
        """Queue keys. Raises ValueError for what is no key, or more than 64 in all."""
        if any(digit not in DIGITS for digit in digits):
            raise ValueError("keys are 0 to 9, *, # and A to D")
        if len(self._waiting) + len(digits) > QUEUE_MAX:
            raise ValueError(f"more than {QUEUE_MAX} keys are waiting")
        self._waiting.extend(digits)

    def take(self) -> KeyFrame:
        """Give the next frame; `busy` must hold."""
        if not self._frames:
            self._frames.extend(_press(self._waiting.popleft()))
        return self._frames.popleft()


def _press(digit: str) -> list[KeyFrame]:
    """RFC 4733 2.5.1: updates that grow, then the end three times, then a pause."""
    event = DIGITS.index(digit)
    frames = []
    for number in range(TONE_FRAMES + GAP_FRAMES):
        sounds, left = number < TONE_FRAMES, number - TONE_FRAMES
        flags = _VOLUME if sounds else _VOLUME | _END
        duration = min(number + 1, TONE_FRAMES) * FRAME_SAMPLES
        payload = _EVENT.pack(event, flags, duration) if sounds or left < _ENDS else b""
        frames.append(KeyFrame(digit, number, payload, sounds))
    return frames


def digits_of_info(content_type: str, body: bytes) -> str:
    """The key in the body of an INFO: `Signal=5` (dtmf-relay) or `5` (dtmf); "" for none."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in ("application/dtmf-relay", "application/dtmf"):
        return ""
    for line in body[:256].decode("ascii", "replace").splitlines():
        name, equals, value = line.partition("=")
        if equals and name.strip().lower() != "signal":
            continue
        signal = (value if equals else line).strip().upper()
        # some gates write the event's number: 10 is *, 11 is #
        if signal.isdecimal() and int(signal) < len(DIGITS):
            return DIGITS[int(signal)]
        return signal if len(signal) == 1 and signal in DIGITS else ""
    return ""
