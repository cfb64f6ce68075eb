"""One call as evidence: two lanes of sound, and its packets."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from simulator.report.lane import Hearing, Lane, Response


@dataclass(frozen=True)
class LadderRow:
    """One SIP message."""

    at_s: float
    """Seconds from the INVITE."""

    from_gateway: bool
    """The way it went."""

    summary: str
    """Method or status, with the method it answers."""

    source: str
    """Who sent it."""

    destination: str
    """Whom it was sent to."""

    text: str
    """The whole message."""

    repeated: bool = False
    """The same octets had gone the same way before."""


@dataclass(frozen=True)
class StreamRow:
    """One stream of audio, as it was counted where it arrived (or left)."""

    name: str
    """The way it went."""

    packets: int | None
    """Packets or messages; None where nobody counted."""

    ssrcs: tuple[int, ...] = ()
    """All that were seen."""

    payload_types: tuple[int, ...] = ()
    """All that were seen."""

    lost: int | None = None
    """Missing in the sequence."""

    foreign: int | None = None
    """From elsewhere, or after the end."""

    interval_p50_ms: float | None = None
    """Between packets, the middle one."""

    interval_p99_ms: float | None = None
    """Between packets, all but one in a hundred."""

    per_second: float | None = None
    """Packets or messages a second, on the average."""

    longest_gap_ms: float | None = None
    """Between two packets, or an end of the call and the packet next to it."""


@dataclass(frozen=True)
class Finding:
    """A rule that the gateway broke."""

    judge: str
    """Who saw it: gate or model."""

    rule: str
    """The rule's short name."""

    reference: str
    """Where it is written."""

    text: str
    """What was seen."""

    at_s: float | None = None
    """Seconds from the start of the lanes, where known."""

    def __str__(self) -> str:
        written = f" ({self.reference})" if self.reference else ""
        return f"{self.rule}{written}: {self.text}"


@dataclass(frozen=True)
class CallEvidence:
    """One call."""

    number: int
    """From 1, in the order of dialling."""

    identity: int
    """The caller's, in its stamps."""

    caller: Lane
    """What the caller said, with the stamps the model heard."""

    gateway: Lane
    """What the caller heard, with the stamps the model said."""

    model_identity: int | None = None
    """The model's; None when the model is not ours."""

    calling: str = ""
    """The caller's number."""

    called: str = ""
    """The number dialled."""

    call_id: str = ""
    """Of its dialog."""

    invited_at_s: float | None = None
    """Loop time of the INVITE."""

    began_at_s: float = 0.0
    """Loop time at which the lanes begin: the answer, or the INVITE of a call without one."""

    answered_at_s: float | None = None
    """Loop time of the 200."""

    ended_at_s: float | None = None
    """Loop time of its end."""

    ended_by: str | None = None
    """caller or gateway."""

    reason: str = ""
    """The gateway's own word for the end, or the status of a refusal."""

    final_status: int | None = None
    """Of the INVITE."""

    setup_ms: float | None = None
    """From INVITE to 200."""

    responses: tuple[Response, ...] = ()
    """The answers to the caller's utterances."""

    release_ms: float | None = None
    """From BYE to its 200."""

    heard_by_caller: Hearing = field(default_factory=lambda: Hearing(None, "not looked at"))
    """Whether the caller heard the model."""

    heard_by_model: Hearing = field(default_factory=lambda: Hearing(None, "not looked at"))
    """Whether the model heard the caller."""

    ladder: tuple[LadderRow, ...] = ()
    """Its SIP messages in order of time."""

    ladder_dropped: int = 0
    """How many more there were beyond the bound."""

    streams: tuple[StreamRow, ...] = ()
    """Its streams of audio."""

    findings: tuple[Finding, ...] = ()
    """All rules that were broken in it."""

    findings_dropped: int = 0
    """How many more there were beyond the bound."""

    @property
    def lanes(self) -> Sequence[Lane]:
        """The caller's above the gateway's."""
        return self.caller, self.gateway

    @property
    def response_ms(self) -> tuple[float, ...]:
        """From the end of each utterance of the caller to the first sound of the answer."""
        return tuple(response.ms for response in self.responses)

    @property
    def duration_s(self) -> float | None:
        """From the answer to the end."""
        if self.answered_at_s is None or self.ended_at_s is None:
            return None
        return self.ended_at_s - self.answered_at_s
