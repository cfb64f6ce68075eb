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
    """A re-INVITE: answer it with `Endpoint.answer_offer`."""

    dialog: DialogId
    body: bytes


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
    | InfoReceived
    | DialogReleased
)
