"""Where to call and where to listen, as people write it."""

import asyncio
import ipaddress
import re
import socket
from typing import NamedTuple

SIP_PORT = 5060
DEFAULT_NUMBER = "1000"

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_USER = re.compile(r"[A-Za-z0-9_.!~*'()&=+$,;?/%#-]{1,128}")


class HostPort(NamedTuple):
    """A host (address or name) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Target(NamedTuple):
    """Whom to call."""

    host: str
    """Address or name of the gateway."""
    port: int
    """Its SIP port, UDP."""
    user: str
    """The number in the URI, empty for none."""

    def __str__(self) -> str:
        return f"sip:{self.user}@{self.host}:{self.port}" if self.user else self.where

    @property
    def where(self) -> str:
        """The URI without the number."""
        return f"sip:{self.host}:{self.port}"


def parse_target(text: str) -> Target:
    """Read `sip:[user@]host[:port]`. Raises ValueError in plain words."""
    scheme, colon, rest = text.partition(":")
    if not colon or scheme.lower() != "sip":
        raise ValueError(f"{text!r} is no SIP URI such as sip:127.0.0.1:5060")
    rest, _, parameters = rest.partition(";") if "@" not in rest else _parted_after_user(rest)
    if parameters.lower() not in ("", "transport=udp"):
        raise ValueError(f"{text!r}: only UDP is spoken here, no {parameters!r}")
    user, at, where = rest.rpartition("@")
    if at:
        parse_user(user)
    host, port = _host_and_port(where, SIP_PORT)
    if port == 0:
        raise ValueError(f"{text!r}: nobody listens at port 0")
    return Target(host, port, user)


def parse_user(text: str) -> str:
    """Check a number or user part of a SIP URI. Raises ValueError."""
    if not _USER.fullmatch(text):
        raise ValueError(f"{text!r} is no number or user name of a SIP URI (RFC 3261 25.1)")
    return text


def parse_listen(text: str) -> HostPort:
    """Read `HOST:PORT`; port 0 takes any free one. Raises ValueError in plain words."""
    if ":" not in text:
        raise ValueError(f"{text!r} is no HOST:PORT such as 127.0.0.1:0")
    return _host_and_port(text, 0)


def parse_gateway(text: str) -> HostPort:
    """Read `HOST[:PORT]` of a gateway, or its SIP URI. Raises ValueError in plain words."""
    target = parse_target(text if text.lower().startswith("sip:") else f"sip:{text}")
    return HostPort(target.host, target.port)


def _parted_after_user(rest: str) -> tuple[str, str, str]:
    """Split off parameters; a user part may hold a semicolon itself."""
    user, at, where = rest.rpartition("@")
    where, mark, parameters = where.partition(";")
    return user + at + where, mark, parameters


def _host_and_port(text: str, default: int) -> HostPort:
    if text.startswith("[") or text.count(":") > 1:
        raise ValueError(f"{text!r}: only IPv4 is spoken here")
    host, colon, digits = text.partition(":")
    if not _NAME.fullmatch(host):
        raise ValueError(f"{host!r} is no host")
    port = int(digits) if digits.isdecimal() and len(digits) <= 5 else -1
    if not colon:
        port = default
    if not 0 <= port <= 65535:
        raise ValueError(f"{digits!r} is no port (0 to 65535)")
    return HostPort(host, port)


async def resolve(where: HostPort | Target) -> HostPort:
    """Give the IPv4 address of a host; raises OSError for a name nobody knows."""
    try:
        return HostPort(str(ipaddress.IPv4Address(where.host)), where.port)
    except ValueError:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(
            where.host, where.port, family=socket.AF_INET, type=socket.SOCK_DGRAM
        )
    return HostPort(str(found[0][4][0]), where.port)


def local_host(towards: HostPort) -> str:
    """Give the own address from which `towards` is reached; no packet leaves for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((towards.host, towards.port or SIP_PORT))
        return str(probe.getsockname()[0])
