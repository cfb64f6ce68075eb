"""Handles by which a conversation goes on over a new connection (F12)."""

from dataclasses import dataclass, field

from simulator.gemini.faults import INVALID_ARGUMENT, Fault

HANDLES_MAX = 10_000
LIFE_S = 7_200.0
"""2 h after the end of the last connection."""


@dataclass
class Conversation:
    """One conversation over all its connections."""

    model: str
    """It may not change."""
    sessions: list[int] = field(default_factory=list)
    """The connections that carried it, in order."""
    open: bool = True
    """Its newest connection is still up."""
    ended_at_s: float = 0.0
    """Loop time at which the newest connection ended."""
    pending_calls: dict[str, str] = field(default_factory=dict)
    """Tool calls without an answer: id to name."""


class HandleStore:
    """Remembers handles; the oldest go when there are too many."""

    def __init__(self, life_s: float = LIFE_S) -> None:
        self.life_s = life_s
        self._conversations: dict[str, Conversation] = {}
        self._issued = 0

    def issue(self, conversation: Conversation) -> str:
        """Give a new handle for a conversation."""
        self._issued += 1
        handle = f"handle-{conversation.sessions[0]}-{self._issued}"
        self._conversations[handle] = conversation
        if len(self._conversations) > HANDLES_MAX:
            del self._conversations[next(iter(self._conversations))]
        return handle

    def find(self, handle: str, model: str, now: float) -> Conversation:
        """Give the conversation to go on with. Raises Fault for a handle that cannot be used."""
        conversation = self._conversations.get(handle)
        if conversation is None or model != conversation.model:
            raise Fault(1007, INVALID_ARGUMENT, "F12")
        if conversation.open:
            # Close the old socket before resuming.
            raise Fault(1011, "Internal error encountered.", "F12")
        if now - conversation.ended_at_s > self.life_s:
            raise Fault(1008, "BidiGenerateContent session expired.", "F12")
        return conversation
