"""How the gate answers a call of the gateway, as data."""

from dataclasses import dataclass

from .authenticator import Authenticator


@dataclass(frozen=True)
class AnswerPlan:
    """The steps of an answer; each is left out where it is not wanted."""

    number: str | None = None
    "The user part that must be called, or None for any."

    trying: bool = True
    "100 at once."

    ringing: bool = True
    "180, at once as well."

    early_media: bool = False
    "183 with SDP, and RTP from then on."

    ring_s: float = 0.0
    "From the INVITE to the final answer."

    status: int | None = 200
    "The final answer; None rings for ever."

    headers: tuple[str, ...] = ()
    "More header lines for the final answer, such as Retry-After."

    asks: Authenticator | None = None
    "Who asks for credentials first."

    repeat_answer: int = 0
    "The 200 goes out that many times more behind its ACK, as if the ACK had been lost."
