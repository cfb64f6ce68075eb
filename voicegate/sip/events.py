"""What the endpoint tells its user: frozen values, each naming its dialog."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from voicegate.sip.message import Received


class DialogId(NamedTuple):
    """RFC 3261 12: nothing else names a dialog, an address least of all."""

    call_id: str
    local_tag: str
    remote_tag: str
    """"" for a peer of RFC 2543 that sends none."""


class DialogEnd(Enum):
    """How a peer ended a dialog."""

    BYE = "bye"
    CANCEL = "cancel"
    NO_ACK = "no_ack"
    LOST = "lost"
    """The session timer ran out."""
    NO_MEDIA = "no_media"
    """Its answer to our offer was none that we can take."""


@dataclass(frozen=True, slots=True)
class CallReceived:
    """A new INVITE; 100 has been sent. Ring, answer or reject it."""

    dialog: DialogId
    invite: Received
    """The request, where it came from, and our address as its sender sees it."""


@dataclass(frozen=True, slots=True)
class CallCancelled:
    """The caller gave up before the answer; 487 has been sent."""

    dialog: DialogId


@dataclass(frozen=True, slots=True)
class CallConfirmed:
    """The ACK of our answer came."""

    dialog: DialogId
    body: bytes = b""
    """The answer, where the INVITE brought no offer and our 200 did."""


@dataclass(frozen=True, slots=True)
class CallHungUp:
    """The peer sent BYE; it has been answered."""

    dialog: DialogId


@dataclass(frozen=True, slots=True)
class AckMissing:
    """Our answer was never acknowledged; BYE has been sent (RFC 3261 13.3.1.4)."""

    dialog: DialogId


@dataclass(frozen=True, slots=True)
class OfferReceived:
    """A re-INVITE or UPDATE: answer it with `Endpoint.answer_offer`."""

    dialog: DialogId
    body: bytes
    """b"" where the peer asks for an offer of ours instead."""


@dataclass(frozen=True, slots=True)
class AnswerReceived:
    """The peer has answered an offer of ours in a call that is up."""

    dialog: DialogId
    body: bytes


@dataclass(frozen=True, slots=True)
class CallLost:
    """The session was not refreshed in time, or the peer knows it no more; BYE has been sent."""

    dialog: DialogId


@dataclass(frozen=True, slots=True)
class CallRinging:
    """A provisional response to our INVITE that says more than 100."""

    dialog: DialogId
    status: int
    body: bytes
    """An early answer (183), or b""."""


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """Our INVITE was answered, and the ACK has been sent."""

    dialog: DialogId
    body: bytes


@dataclass(frozen=True, slots=True)
class CallFailed:
    """Our INVITE came to nothing; it has been released."""

    dialog: DialogId
    status: int
    """The final answer; 408 where none came, 487 where we gave up."""
    reason: str


@dataclass(frozen=True, slots=True)
class ReferReceived:
    """The peer wants us to call somebody: answer it with `DialogUsage.answer_refer`."""

    dialog: DialogId
    target: str
    """The URI of Refer-To, without what may hang on it."""


@dataclass(frozen=True, slots=True)
class TransferTold:
    """How a REFER of ours goes."""

    dialog: DialogId
    status: int
    """Of its refusal, or what a NOTIFY told of the new call."""
    is_over: bool


@dataclass(frozen=True, slots=True)
class InfoReceived:
    """An INFO (RFC 6086), answered 200: DTMF of some gates comes so."""

    dialog: DialogId
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class DialogReleased:
    """The endpoint has forgotten the dialog, 32 s after its end; nothing of it will follow."""

    dialog: DialogId


Event = (
    CallReceived
    | CallCancelled
    | CallConfirmed
    | CallHungUp
    | AckMissing
    | OfferReceived
    | AnswerReceived
    | CallLost
    | CallRinging
    | CallAnswered
    | CallFailed
    | ReferReceived
    | TransferTold
    | InfoReceived
    | DialogReleased
)
