"""What the service says when a peer breaks its rules: close codes, texts and the record of it."""

from dataclasses import dataclass

REASON_BYTES_MAX = 123
"""RFC 6455 5.5: a control frame carries 125 bytes, two of them are the close code."""

INVALID_ARGUMENT = "Request contains an invalid argument."
SETUP_FIRST = "setup must be the first message and only the first"
NOT_FOUND = "Requested entity was not found."
MEDIA_CHUNKS = "realtime_input.media_chunks is deprecated. Use audio, video, or text instead."
EXPLICIT_ACTIVITY = (
    "Explicit activity control is not supported when automatic activity detection is enabled."
)


class Fault(ValueError):
    """The peer broke a rule; the service closes the connection with `code` and `reason`.

    `rule` names the line of the service's rules ("F4", "F6", ...) that was broken.
    """

    def __init__(self, code: int, reason: str, rule: str) -> None:
        super().__init__(f"{rule}: {code} {reason}")
        self.code = code
        self.reason = reason
        self.rule = rule


@dataclass(frozen=True)
class Violation:
    """One thing the peer did wrong."""

    rule: str
    """The rule broken, by the numbers of the service's list of behaviours (F2, F4 to F7, F12)."""
    text: str
    """What was wrong, in full; the close reason on the wire may be a cut of it."""
    session: int | None
    """Number of the conversation, None for one refused before the upgrade."""
    at_s: float
    """Loop time."""


class ServiceRulesBroken(AssertionError):
    """Raised by `check()`: the peer broke rules of the service; lists them all."""

    def __init__(self, violations: list[Violation]) -> None:
        lines = [f"session {one.session}: {one.rule}: {one.text}" for one in violations]
        super().__init__(f"{len(violations)} rule(s) of the service broken\n" + "\n".join(lines))
        self.violations = violations


def cut_reason(reason: str) -> str:
    """Cut a close reason to what a close frame can carry, never inside a character."""
    return reason.encode()[:REASON_BYTES_MAX].decode(errors="ignore")
