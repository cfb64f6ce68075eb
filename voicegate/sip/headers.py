"""SIP header values: frozen, one per concept, each with `parse()` and `__str__`.

Wrong input raises ValueError and nothing else. Parsing is linear in the length of the value: no
regular expression here can backtrack over the same text twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import unquote_to_bytes

from voicegate.sip.address import DEFAULT_PORTS, Flow
from voicegate.sip.address import Address as Address

Params = tuple[tuple[str, str | None], ...]

# RFC 3261 7.3.3 and 20, RFC 3515, 6665, 4028, 3841, 8224: one letter for a name
COMPACT_NAMES = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}

BRANCH_COOKIE = "z9hG4bK"

_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?:[ \t]*:[ \t]*([0-9]{1,5}))?")
_VIA_START = re.compile(
    r"SIP[ \t]*/[ \t]*([0-9.]+)[ \t]*/[ \t]*([A-Z0-9+.-]+)[ \t]+", re.IGNORECASE
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"[ \t]*', re.DOTALL)
_CSEQ = re.compile(r"([0-9]{1,20})[ \t]+([!-~]+)")


def readable(value: str) -> str:
    """Text fit for people, logs and JSON: bytes that were no UTF-8 read as Latin-1, and
    control characters (escaped ones come back to life when a user part is unescaped) as `?`."""
    raw = value.encode("utf-8", "surrogateescape")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return "".join(char if char.isprintable() else "?" for char in text)


def split_outside(value: str, separator: str) -> list[str]:
    """Split at `separator` where it stands outside quotes and angle brackets; parts stripped."""
    if '"' not in value and "<" not in value:
        return [part.strip() for part in value.split(separator)]
    parts: list[str] = []
    start = 0
    closing = ""
    escaped = False
    for place, char in enumerate(value):
        if escaped:
            escaped = False
        elif closing:
            escaped = char == "\\" and closing == '"'
            closing = "" if char == closing else closing
        elif char == separator:
            parts.append(value[start:place].strip())
            start = place + 1
        else:
            closing = {'"': '"', "<": ">"}.get(char, "")
    parts.append(value[start:].strip())
    return parts


def parse_params(value: str) -> Params:
    """`;name=value;flag` as pairs in their order; names in lower case, empty ones left out."""
    pairs: list[tuple[str, str | None]] = []
    for part in split_outside(value, ";"):
        name, equals, content = part.partition("=")
        if name.strip():
            pairs.append((name.strip().lower(), content.strip() if equals else None))
    return tuple(pairs)


def format_params(params: Params) -> str:
    return "".join(f";{name}" if text is None else f";{name}={text}" for name, text in params)


def param(params: Params, name: str) -> str | None:
    """The value of the first parameter of that name; "" for a flag, None where it is missing."""
    return next((text or "" for key, text in params if key == name), None)


def _parse_host_port(value: str) -> tuple[str, int | None]:
    match = _HOST_PORT.fullmatch(value.strip())
    if match is None:
        raise ValueError("host is not valid")
    port = None if match[2] is None else int(match[2])
    if port is not None and not 0 < port < 65536:
        raise ValueError("port is not valid")
    return match[1].strip("[]"), port


def _format_host_port(host: str, port: int | None) -> str:
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class SipUri:
    """A `sip:` or `sips:` URI. Headers after `?` are read over: they never become ours."""

    scheme: str
    """In lower case."""
    user: str
    """The user part as it came, still escaped; "" where there is none."""
    host: str
    """Address or name, without brackets."""
    port: int | None = None
    params: Params = ()

    @classmethod
    def parse(cls, value: str) -> SipUri:
        scheme, colon, rest = value.strip().partition(":")
        if not colon or scheme.lower() not in ("sip", "sips") or re.search(r"[\s<>]", rest):
            raise ValueError("URI is not valid")
        # Odd but real user parts hold ; ? and #, so the last @ ends them, whatever comes before.
        userinfo, at, place = rest.rpartition("@")
        if at and not userinfo:
            raise ValueError("URI has an empty user part")
        host_port, _, params = place.partition("?")[0].partition(";")
        host, port = _parse_host_port(host_port)
        return cls(scheme.lower(), userinfo.partition(":")[0], host, port, parse_params(params))

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        place = _format_host_port(self.host, self.port)
        return f"{self.scheme}:{user}{place}{format_params(self.params)}"

    @property
    def transport(self) -> str:
        """In lower case; "" where none is named."""
        named = param(self.params, "transport")
        return named.lower() if named else "tls" if self.scheme == "sips" else ""

    @property
    def is_loose_router(self) -> bool:
        """RFC 3261 16.12: a proxy that knows loose routing says `lr` in its Record-Route."""
        return param(self.params, "lr") is not None


def scheme_of(uri: str) -> str:
    """The scheme of any URI in lower case; ValueError where there is none."""
    scheme, colon, _ = uri.partition(":")
    if not colon or _SCHEME.fullmatch(scheme) is None:
        raise ValueError("URI has no scheme")
    return scheme.lower()


def user_of(uri: str) -> str:
    """The user part of a sip URI (or the number of a tel URI) as text, unescaped once; else ""."""
    scheme, _, rest = uri.partition(":")
    if scheme.lower() == "tel":
        user = rest.partition(";")[0]
    else:
        try:
            user = SipUri.parse(uri).user
        except ValueError:
            return ""
    raw = unquote_to_bytes(user.encode("utf-8", "surrogateescape"))
    return readable(raw.decode("utf-8", "surrogateescape"))


@dataclass(frozen=True, slots=True)
class NameAddr:
    """What From, To, Contact, Route and Record-Route hold: `"name" <uri>;params`."""

    display: str
    uri: str
    """As it came: From and To may hold any scheme."""
    params: Params = ()

    @classmethod
    def parse(cls, value: str) -> NameAddr:
        value = value.strip()
        display = ""
        if value.startswith('"'):
            quoted = _QUOTED.match(value)
            if quoted is None or value[quoted.end() : quoted.end() + 1] != "<":
                raise ValueError("quoted name is not valid")
            display, value = re.sub(r"\\(.)", r"\1", quoted[1]), value[quoted.end() :]
        before, bracket, after = value.partition("<")
        if bracket:
            uri, closing, params = after.partition(">")
            if not closing:
                raise ValueError("< without >")
            display = display or before.strip()
        else:
            # RFC 3261 20.10: without brackets the parameters belong to the header, not the URI
            uri, _, params = value.partition(";")
        scheme_of(uri.strip())
        return cls(display, uri.strip(), parse_params(params))

    def __str__(self) -> str:
        display = ""
        if self.display:
            escaped = self.display.replace("\\", "\\\\").replace('"', '\\"')
            display = f'"{escaped}" '
        return f"{display}<{self.uri}>{format_params(self.params)}"

    @property
    def tag(self) -> str:
        """The tag; "" where there is none (RFC 2543 peers)."""
        return param(self.params, "tag") or ""


@dataclass(frozen=True, slots=True)
class Via:
    """One hop of a request's way (RFC 3261 20.42)."""

    transport: str
    host: str
    port: int | None = None
    params: Params = ()
    version: str = "2.0"
    """Another one is answered 505, and the answer finds its way by this Via."""

    @classmethod
    def parse(cls, value: str) -> Via:
        sent, _, params = value.strip().partition(";")
        start = _VIA_START.match(sent)
        if start is None:
            raise ValueError("Via is not valid")
        host, port = _parse_host_port(sent[start.end() :])
        return cls(start[2], host, port, parse_params(params), start[1])

    def __str__(self) -> str:
        sent_by = _format_host_port(self.host, self.port)
        return f"SIP/{self.version}/{self.transport} {sent_by}{format_params(self.params)}"

    @property
    def branch(self) -> str:
        return param(self.params, "branch") or ""

    def stamped(self, source: Address) -> Via:
        """With what RFC 3261 18.2.1 (`received`) and RFC 3581 4 (`rport`) want filled in."""
        asked = param(self.params, "rport") is not None
        kept = [pair for pair in self.params if pair[0] not in ("received", "rport")]
        if asked or self.host != source.host:
            kept.append(("received", source.host))
        if asked:
            kept.append(("rport", str(source.port)))
        return replace(self, params=tuple(kept))

    def reply_flow(self, source: Address, local: Address) -> Flow:
        """The way of a response (RFC 3261 18.2.2, RFC 3581 4).

        Always to the host the request came from: a `maddr` or a foreign sent-by would make
        a reflector of us.
        """
        home = Address(source.host, self.port or DEFAULT_PORTS[source.transport], source.transport)
        if source.is_reliable:
            return Flow(local, source, home)
        return Flow(local, source if param(self.params, "rport") is not None else home)


@dataclass(frozen=True, slots=True)
class CSeq:
    """Number and method of a request (RFC 3261 20.16)."""

    number: int
    method: str

    @classmethod
    def parse(cls, value: str) -> CSeq:
        match = _CSEQ.fullmatch(value.strip())
        # RFC 3261 8.1.1.5: the number must be less than 2**31
        if match is None or int(match[1]) >= 2**31:
            raise ValueError("CSeq is not valid")
        return cls(int(match[1]), match[2])

    def __str__(self) -> str:
        return f"{self.number} {self.method}"
