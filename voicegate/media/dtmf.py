"""Telephone-events: the digits a caller keys, one report for each (RFC 4733)."""

import struct
from collections import deque

_EVENT = struct.Struct("!BBH")
_DIGITS = "0123456789*#ABCD"
_REMEMBERED = 16
_SEGMENT = 0xFFFF


class DigitDetector:
    """Turns event packets into digits. An event is known by its timestamp (RFC 4733 2.5.1.2)."""

    def __init__(self) -> None:
        self._reported: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED)

    def receive(self, timestamp: int, marker: bool, payload: bytes) -> str | None:
        """Give the digit at the first packet of its event, else None.

        An event that is no digit gives None too. Raises ValueError for a payload too short.
        """
        if len(payload) < _EVENT.size:
            raise ValueError("telephone-event payload too short")
        event, _, _ = _EVENT.unpack_from(payload)
        known = (event, timestamp)
        if known in self._reported:
            return None
        # RFC 4733 2.5.1.3: an event beyond 65,535 units goes on in a new segment, without marker.
        before = (event, (timestamp - _SEGMENT) & 0xFFFFFFFF)
        continued = not marker and before in self._reported
        self._reported.append(known)
        return _DIGITS[event] if event < len(_DIGITS) and not continued else None
