"""[sip] where calls come in, and from whom."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from voicegate.settings.base import BindAddress, Network, Port, Section


class SipSettings(Section):
    """[sip] where calls come in, and from whom."""

    host: BindAddress = "127.0.0.1"
    """Address to listen on; 0.0.0.0 for all."""
    port: Port = 5060
    """UDP port to listen on; 0 takes any free one."""
    transports: tuple[Literal["udp", "tcp", "tls"], ...] = ("udp",)
    """Transports to listen on; this version serves udp."""
    allow: tuple[Network, ...] = ("127.0.0.0/8",)
    """Addresses and networks that may call; everyone else is answered 403."""
    registrar: str = ""
    """Registrar to register with (sip:HOST:PORT); empty for a static trunk."""
    username: str = ""
    """User name for digest authentication."""
    password: SecretStr = SecretStr("")
    """Password for digest authentication."""
    max_calls: Annotated[int, Field(ge=1, le=1000)] = 50
    """Calls at once; more are refused with 503 and Retry-After."""

    @model_validator(mode="after")
    def _udp_is_served(self) -> "SipSettings":
        if "udp" not in self.transports:
            raise ValueError('transports must contain "udp"')
        return self
