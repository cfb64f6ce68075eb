"""Where messages come from and go to."""

from __future__ import annotations

from typing import NamedTuple

DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}
"""The transports we speak, each with its port where none is named (RFC 3261 19.1.2)."""


class Address(NamedTuple):
    """One end of a datagram or a connection."""

    host: str
    """A numeric IPv4 or IPv6 address, without brackets."""
    port: int
    transport: str = "udp"
    """A key of DEFAULT_PORTS."""

    def __str__(self) -> str:
        """As in a URI or a Via: an IPv6 host stands in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_reliable(self) -> bool:
        """A connection: nothing is lost on the way, and nothing is resent."""
        return self.transport != "udp"

    @property
    def uri(self) -> str:
        """How one reaches it (RFC 3261 19.1.1)."""
        return f"sip:{self};transport={self.transport}" if self.is_reliable else f"sip:{self}"


class Flow(NamedTuple):
    """The way to a peer: our end and its end."""

    local: Address
    """Ours, as the peer must see it."""
    peer: Address
    """Its own. For tcp and tls: of the connection that is to be used if it is still open."""
    fallback: Address | None = None
    """Where to connect if that connection is gone; None: to `peer`."""
