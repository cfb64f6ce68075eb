"""What passed over the wire, when (F14), and a pulse for those who wait for it."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

ENTRIES_MAX = 200_000
DETAIL_CHARS_MAX = 2_000


@dataclass(frozen=True)
class Entry:
    """One frame or event."""

    at_s: float
    """Loop time."""
    session: int | None
    """Number of the conversation, None before the upgrade."""
    direction: str
    """in (from the peer), out, or event."""
    kind: str
    """The frame's kind: audio, text, setup, modelTurn, turnComplete, close ..."""
    size: int
    """Octets on the wire."""
    detail: str = ""
    """The frame's JSON without audio, cut; what happened, for an event."""


class Journal:
    """The newest entries of all conversations; what the bound drops is counted."""

    def __init__(self, entries_max: int = ENTRIES_MAX) -> None:
        self.entries: deque[Entry] = deque(maxlen=entries_max)
        self.dropped = 0

    def add(self, entry: Entry) -> None:
        """Append one entry."""
        if len(self.entries) == self.entries.maxlen:
            self.dropped += 1
        self.entries.append(entry)

    def of(self, session: int) -> list[Entry]:
        """Give one conversation's entries."""
        return [entry for entry in self.entries if entry.session == session]

    def forget(self, session: int) -> None:
        """Drop one conversation's entries."""
        kept = [entry for entry in self.entries if entry.session != session]
        self.entries.clear()
        self.entries.extend(kept)

    def save(self, path: Path) -> None:
        """Write one JSON object a line."""
        lines = (json.dumps(asdict(entry), ensure_ascii=False) for entry in self.entries)
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


class Pulse:
    """Lets a test wait for a condition without polling: it is looked at after each beat."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def beat(self) -> None:
        """Say that something changed."""
        self._event.set()
        self._event = asyncio.Event()

    async def until(self, condition: Callable[[], bool], within_s: float) -> None:
        """Wait for the condition. Raises TimeoutError after `within_s`."""
        async with asyncio.timeout(within_s):
            while not condition():
                await self._event.wait()


def as_text(data: bytes | str) -> str:
    """Give a frame as the text of an entry, cut."""
    head = data[:DETAIL_CHARS_MAX]
    return head if isinstance(head, str) else head.decode(errors="replace")
