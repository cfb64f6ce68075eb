"""FakeGemini: the Gemini Live service on its real wire."""

from simulator.gemini.authority import Authority, kept_authority
from simulator.gemini.conversation import FakeSession
from simulator.gemini.faults import ServiceRulesBroken, Violation
from simulator.gemini.server import FakeGemini
from simulator.gemini.turns import Pacing

__all__ = [
    "Authority",
    "FakeGemini",
    "FakeSession",
    "Pacing",
    "ServiceRulesBroken",
    "Violation",
    "kept_authority",
]
