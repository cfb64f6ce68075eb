"""An extension: the simulated gate as a telephone of a real one, which stands before the gateway.

What then arrives was sent by that gate, so the judge leaves out whatever only the sender decides.
"""

from dataclasses import dataclass

from .judge import Violation


@dataclass(frozen=True)
class Extension:
    """Who calls through a real gate, and whom."""

    user: str
    "The account at the gate."

    password: str
    "Its secret; empty where the gate asks for none."

    number: str
    "What to dial so that the gate calls the gateway."


OF_THE_WAY = (
    "via-echoed",
    "received-missing",
    "received-wrong",
    "rport-wrong",
    "response-source",
    "record-route-copied",
    "route-set",
    "request-uri",
    "branch-cookie",
    "branch-reused",
    "retransmission-differs",
)
"""RFC 3261 16.6, 16.7: a proxy adds and removes these, or sends under a branch of its own."""

OF_THE_GATE = (
    "trying-late",
    "refusal-header",
    "qualify-unanswered",
    "before-answer",
    "provisional-after-final",
    "to-tag-stable",
    "to-tag-early",
    "cancel-answer",
    "rtp-before-answer",
)
"""A gate says 100 and refuses by itself, forks (RFC 3261 16.7), plays sound before the answer."""

OF_ITS_REGISTRAR = ("register-", "challenge-", "min-expires")
"""How these begin: what passes between the extension and the gate alone."""


def passes_gates(violation: Violation) -> bool:
    """Whether it is the gateway's doing though a gate stands before it."""
    rule = violation.rule
    return rule not in OF_THE_WAY + OF_THE_GATE and not rule.startswith(OF_ITS_REGISTRAR)
