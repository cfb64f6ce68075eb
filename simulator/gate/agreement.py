"""What offer and answer settled about one stream."""

from dataclasses import dataclass

from .wire import Address


@dataclass(frozen=True)
class Negotiated:
    """What offer and answer agreed on."""

    remote: Address
    "Where the gateway's RTP must come from and ours goes to."

    codecs: dict[int, str]
    "Codec by payload type; the first is the one to send."

    telephone_event: int | None = None
    "Payload type of RFC 4733 events."

    receives: bool = True
    "Whether the gateway is to send (by the directions of offer and answer)."

    sends: bool = True
    "Whether we may send."

    ptime_ms: int = 20
    "The packet length we asked for; the gateway may stay at 20 ms."

    silent: bool = False
    "Whether the gateway must not send (a hold)."
