"""[sip] where calls come in, and from whom."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from voicegate.settings.base import BindAddress, Network, PathText, Port, Section


def _registrar_uri(text: str) -> str:
    if text and _REGISTRAR.fullmatch(text) is None:
        # without the text: a password may stand in it
        raise ValueError("it is no registrar such as sip:192.168.1.10:5060, without our name")
    return text


_REGISTRAR = re.compile(
    r"sips?:([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(;transport=(udp|tcp|tls))?"
)
RegistrarUri = Annotated[str, AfterValidator(_registrar_uri)]


class RegistrarSettings(Section):
    """[[sip.more_registrars]] one more registrar."""

    registrar: RegistrarUri
    """As sip.registrar."""
    username: str
    """Our user name there."""
    password: SecretStr = SecretStr("")
    """Our password there."""


def _sip_place(text: str) -> str:
    scheme, _, place = text.partition(":")
    if text and (scheme.lower() != "sip" or not place or "@" in place):
        raise ValueError("it is no place to call by; write sip:HOST:PORT")
    return text


class SipSettings(Section):
    """[sip] where calls come in, and from whom."""

    host: BindAddress = "127.0.0.1"
    """Address to listen on; 0.0.0.0 for all of IPv4, :: for all of IPv6."""
    listen: tuple[BindAddress, ...] = ()
    """More addresses to listen on, with the same ports, such as :: beside 0.0.0.0."""
    port: Port = 5060
    """UDP and TCP port to listen on; 0 takes any free one."""
    transports: Annotated[tuple[Literal["udp", "tcp", "tls"], ...], Field(min_length=1)] = ("udp",)
    """Transports to listen on: udp, tcp, tls."""
    tls_port: Port = 5061
    """Port for TLS; 0 takes any free one."""
    tls_certificate: PathText = ""
    """File with our certificate and its chain (PEM); TLS needs one."""
    tls_key: PathText = ""
    """File with the key of the certificate (PEM), where it is not in the same file."""
    tls_ca: PathText = ""
    """File with the certificates we trust when we connect by TLS (PEM); the system's by default."""
    allow: tuple[Network, ...] = ("127.0.0.0/8",)
    """Addresses and networks that may call without a password; everyone else is answered 403."""
    users: dict[str, SecretStr] = Field(default_factory=dict)
    """Names and passwords of gates that may call, and register, from any other address."""
    realm: str = "voicegate"
    """What those passwords are good for; gates show it where they ask for one."""
    digest: Annotated[tuple[Literal["SHA-256", "MD5"], ...], Field(min_length=1)] = (
        "SHA-256",
        "MD5",
    )
    """What we ask a password by, the first choice first; only MD5 for gates that know no other."""
    registrar: RegistrarUri = ""
    """Registrar to register with (sip:HOST:PORT, sip:HOST;transport=tcp); empty for a static trunk.
    It may call us too."""
    username: str = ""
    """Our user name there, and in its To and From."""
    password: SecretStr = SecretStr("")
    """Our password there."""
    more_registrars: tuple[RegistrarSettings, ...] = ()
    """More of them, each with registrar, username and password."""
    register_s: Annotated[int, Field(ge=30, le=86_400)] = 300
    """Seconds that we ask a registrar to keep us; it is asked again well before they are over."""
    outbound: Annotated[str, AfterValidator(_sip_place)] = ""
    """Where our own calls go (sip:HOST:PORT), and who is heard for it; empty: the registrar."""
    caller_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z+*#._-]{0,64}$")] = ""
    """Number or name that our own calls come from; empty: the user name."""
    ring_limit_s: Annotated[float, Field(gt=0, le=600)] = 60.0
    """A call of ours that nobody answers is given up after so many seconds."""
    refer: Literal["decline", "follow"] = "decline"
    """What a gate gets that wants us to call somebody else (REFER): 603, or the call."""
    session_expires_s: Annotated[int, Field(ge=0, le=86400)] = 1800
    """Session timer that our own calls ask for, 90 s or more; 0 asks for none."""
    max_calls: Annotated[int, Field(ge=1, le=1000)] = 50
    """Calls at once; more are refused with 503 and Retry-After."""

    @field_validator("users")
    @classmethod
    def _users_have_passwords(cls, users: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, password in users.items():
            if not name or not password.get_secret_value():
                raise ValueError(f"user {name!r} has no password")
        return users

    @property
    def registrars(self) -> tuple[RegistrarSettings, ...]:
        """Every registrar, the first one first."""
        if not self.registrar:
            return self.more_registrars
        first = RegistrarSettings(
            registrar=self.registrar, username=self.username, password=self.password
        )
        return (first, *self.more_registrars)

    @model_validator(mode="after")
    def _registrar_knows_us(self) -> "SipSettings":
        if self.registrar and not self.username:
            raise ValueError("registrar is set: set sip.username too")
        return self

    @model_validator(mode="after")
    def _tls_has_a_certificate(self) -> "SipSettings":
        if "tls" in self.transports and not self.tls_certificate:
            raise ValueError("transports has tls: set sip.tls_certificate (and sip.tls_key)")
        return self

    @model_validator(mode="after")
    def _timer_is_long_enough(self) -> "SipSettings":
        if 0 < self.session_expires_s < 90:
            raise ValueError("session_expires_s must be 0 or at least 90 (RFC 4028)")
        return self
