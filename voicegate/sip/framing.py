"""One TCP or TLS stream cut into messages (RFC 3261 18.3), bounded in bytes and in time; pure."""

from __future__ import annotations

import re

from voicegate.sip.message import MAX_MESSAGE_BYTES

MESSAGE_TIME_S = 10.0
"""From its first byte to its last; and from the connection to the first message."""
IDLE_S = 300.0
PONG = b"\r\n"
"""RFC 5626 4.4.1: the answer to a double CRLF between messages."""

_PING = b"\r\n\r\n"
_GAP = re.compile(rb"[\r\n]*+")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_DIGITS = re.compile(rb"[0-9]{1,10}")


class Framer:
    """What has come of one stream and is not yet a message."""

    def __init__(self, now: float, *, awaits_first: bool = True) -> None:
        """`awaits_first`: whoever connects has something to say, and soon."""
        self.pings = 0
        """Keep-alives that are not answered yet; whoever answers takes them off."""
        self.is_broken = False
        """Where the next message begins cannot be known any more: close the connection."""
        self._buffer = bytearray()
        self._gap = b""
        self._scanned = 0
        self._began_at: float | None = now if awaits_first else None
        """Since when something is awaited; None between messages."""
        self._heard_at = now
        self._was_heard = not awaits_first

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """The messages that are complete now, in order."""
        self._heard_at = now
        was_empty = not self._buffer
        self._buffer += data
        messages: list[bytes] = []
        while not self.is_broken and (message := self._next()) is not None:
            messages.append(message)
        self._was_heard |= bool(messages)
        if self._was_heard and not self._buffer:
            self._began_at = None
        elif self._was_heard and (messages or was_empty):
            self._began_at = now
        return messages

    @property
    def deadline(self) -> float:
        """When the connection is too slow or idle, unless more comes before."""
        if self._began_at is not None:
            return self._began_at + MESSAGE_TIME_S
        return self._heard_at + IDLE_S

    @property
    def is_waiting(self) -> bool:
        """A message has begun, or the first one has not."""
        return self._began_at is not None

    def _next(self) -> bytes | None:
        self._take_gap()
        end = _HEAD_END.search(self._buffer, self._scanned)
        if end is None:
            # the end may be half here: CR LF CR of CR LF CR LF
            self._scanned = max(0, len(self._buffer) - 3)
            self.is_broken = len(self._buffer) > MAX_MESSAGE_BYTES
            return None
        body_bytes = _body_bytes(self._buffer[: end.start()])
        if body_bytes is None or end.end() + body_bytes > MAX_MESSAGE_BYTES:
            # the head alone gets its 400; what follows it may be anything
            self.is_broken = True
            return self._cut(end.end())
        if len(self._buffer) < end.end() + body_bytes:
            self._scanned = end.start()
            return None
        return self._cut(end.end() + body_bytes)

    def _take_gap(self) -> None:
        """Drop the line ends before a message; every double one is a keep-alive."""
        match = _GAP.match(self._buffer)
        length = match.end() if match else 0
        if not length:
            return
        gap = self._gap + bytes(self._buffer[:length])
        self.pings += gap.count(_PING)
        del self._buffer[:length]
        self._scanned = 0
        # the first part of a keep-alive may have come alone
        self._gap = b"" if self._buffer else gap.rpartition(_PING)[2][-3:]

    def _cut(self, length: int) -> bytes:
        message = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._scanned = 0
        self._gap = b""
        return message


def _body_bytes(head: bytearray) -> int | None:
    """What Content-Length says; 0 where there is none, None where it is no number."""
    found = _LENGTH.search(head)
    if found is None:
        return 0
    text = found[1].strip()
    return int(text) if _DIGITS.fullmatch(text) else None
