"""Letting go of what the fake remembers, so that a long run can measure somebody else's memory."""

from simulator.audio.heard import Heard
from simulator.gemini.conversation import FakeSession
from simulator.gemini.server import FakeGemini
from simulator.gemini.uplink import Uplink
from simulator.gemini.vad import VadSettings

NOTHING_SPOKEN, NOTHING_HEARD = Heard(), Uplink(VadSettings())
"""What is left of all that are forgotten: one for each would be 2 KB a conversation."""


async def forget(gemini: FakeGemini, session: FakeSession, within_s: float = 5.0) -> None:
    """Drop a conversation's recordings, journal and connection; its figures stay.

    Waits for the connection's end. Raises TimeoutError where that does not come.
    """
    await gemini.until(lambda: session.closed_at_s is not None, within_s)
    session.spoken, session.uplink = NOTHING_SPOKEN, NOTHING_HEARD
    session.setup = {}
    # 256 KiB of TLS buffer hang on the first two
    del session._ws, session.wire, session._outbox, session._group, session.inputs, session.floor
    gemini.journal.forget(session.number)
