"""CallReport: what one call was, in one line of JSON."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from voicegate.endings import HangupReason

if TYPE_CHECKING:
    from voicegate.call import Call


@dataclass(frozen=True)
class CallReport:
    """The figures of one call; times are seconds of the event loop's clock, lengths as named."""

    number: int
    """Counted from 1 in this process."""
    call_id: str
    """The SIP Call-ID."""
    caller: str
    """User part of From, all but its last four characters hidden."""
    called: str
    """User part of the Request-URI; where we called, all but its last four characters hidden."""
    reason: HangupReason
    """Why it ended."""
    setup_ms: float | None
    """From INVITE to 200; None where it was never answered."""
    duration_ms: float
    """From INVITE to the end of the conversation."""
    release_ms: float
    """From the end of the conversation until nothing of it was left."""
    direction: str = "in"
    """`in`, or `out` where we called."""
    turns: int = 0
    """Turns of the model."""
    interruptions: int = 0
    """How often the caller spoke over the model."""
    response_ms: tuple[float, ...] = ()
    """From the end of the caller's speech to the model's first sound, turn by turn."""
    tokens: dict[str, int] | None = None
    """What the service has billed: `prompt` and `response`; None where it was never answered."""
    media: dict[str, int | float] | None = None
    """The counters of the media session."""

    def as_json(self) -> dict[str, Any]:
        """Give plain values."""
        return asdict(self) | {"reason": self.reason.value, "ended_by": self.reason.ended_by}


def masked(number: str) -> str:
    """Hide a caller's number but for its last four characters: no full number goes into a log."""
    return "*" * max(0, len(number) - 4) + number[-4:]


def build_report(number: int, call: "Call", reason: HangupReason, now: float) -> CallReport:
    """Put together what the call was; `now` is when nothing of it was left."""
    progress, began_at = call.progress, call.dialog.received_at
    over_at = progress.over_at if progress.over_at is not None else now
    setup_s = None if progress.answered_at is None else progress.answered_at - began_at
    talk = progress.talk
    return CallReport(
        number=number,
        call_id=call.dialog.call_id,
        caller=masked(call.dialog.caller),
        called=masked(call.dialog.called) if call.dialog.is_ours else call.dialog.called,
        reason=reason,
        direction="out" if call.dialog.is_ours else "in",
        setup_ms=None if setup_s is None else round(setup_s * 1000, 1),
        duration_ms=round((over_at - began_at) * 1000, 1),
        release_ms=round((now - over_at) * 1000, 1),
        turns=talk.turns if talk else 0,
        interruptions=talk.interruptions if talk else 0,
        response_ms=tuple(round(s * 1000, 1) for s in talk.response_s) if talk else (),
        tokens=talk.tokens if talk else None,
        media=asdict(progress.media.counters()) if progress.media else None,
    )
