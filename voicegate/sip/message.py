"""SIP messages: tolerant in (`parse`), exact out (`serialise`).

Heads are decoded as UTF-8 with `surrogateescape`, so that bytes of any other code come back out as
they came in; `headers.readable` makes text of them. Every Request that `parse` returns has a usable
Via, From, To, Call-ID and CSeq.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from voicegate.sip.address import Address as Address
from voicegate.sip.address import Flow
from voicegate.sip.headers import (
    COMPACT_NAMES,
    CSeq,
    NameAddr,
    SipUri,
    Via,
    scheme_of,
    split_outside,
)

Headers = tuple[tuple[str, str], ...]

MAX_MESSAGE_BYTES = 65_535
MAX_HEADERS = 200

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(r"\r?\n[ \t]+")
_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+")
_VERSION = re.compile(r"SIP/[0-9]+\.[0-9]+", re.IGNORECASE)
_STATUS = re.compile(r"[1-6][0-9][0-9]")
_LENGTH = re.compile(r"[0-9]{1,10}")
_SINGLE = ("from", "to", "call-id", "cseq", "max-forwards", "content-length", "content-type")
_NEEDED = ("Via", "From", "To", "Call-ID", "CSeq")


class _Message:
    """What requests and responses share: access to the headers, each parsed once."""

    headers: Headers
    body: bytes

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        index: dict[str, list[str]] = {}
        for name, value in self.headers:
            index.setdefault(name.lower(), []).append(value)
        return index

    def header(self, name: str) -> str | None:
        """The first value of that name (any case), or None."""
        values = self._by_name.get(name.lower())
        return values[0] if values else None

    def header_lines(self, name: str) -> list[str]:
        """Every value of that name, a line each."""
        return self._by_name.get(name.lower(), [])

    def listed(self, name: str) -> list[str]:
        """Every value of that name, comma-joined ones apart, empty ones left out."""
        lines = self.header_lines(name)
        return [part for line in lines for part in split_outside(line, ",") if part]

    def hops(self) -> list[str]:
        """Every Via as it came, the top one first; an empty element stays (it is a flaw)."""
        return [hop for line in self.header_lines("Via") for hop in split_outside(line, ",")]

    @cached_property
    def via(self) -> Via:
        """The top Via: the hop this message came from."""
        return Via.parse(split_outside(self.header("Via") or "", ",")[0])

    @cached_property
    def from_(self) -> NameAddr:
        return NameAddr.parse(self.header("From") or "")

    @cached_property
    def to(self) -> NameAddr:
        return NameAddr.parse(self.header("To") or "")

    @cached_property
    def cseq(self) -> CSeq:
        return CSeq.parse(self.header("CSeq") or "")

    @cached_property
    def call_id(self) -> str:
        return self.header("Call-ID") or ""


@dataclass(frozen=True)
class Request(_Message):
    """A SIP request."""

    method: str
    uri: str
    """The Request-URI as it came."""
    headers: Headers
    """Names and values in their order; compact names are written out."""
    body: bytes = b""


@dataclass(frozen=True)
class Response(_Message):
    """A SIP response."""

    status: int
    reason: str
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True)
class Received:
    """A request with the two ends of the way it came."""

    request: Request
    source: Address
    local: Address
    """Our address as that peer must see it."""

    @property
    def reply_flow(self) -> Flow:
        return self.request.via.reply_flow(self.source, self.local)


class SipParseError(ValueError):
    """What came is no message we can work with."""

    def __init__(self, flaw: str, answerable: Request | None = None, status: int = 400) -> None:
        super().__init__(flaw)
        self.flaw = flaw
        """What is wrong; words of ours only, fit for a reason phrase."""
        self.answerable = answerable
        """What could be read of a request (at least its top Via), or None: then stay silent."""
        self.status = status
        """The answer due."""


def parse(data: bytes) -> Request | Response:
    """One datagram to one message; SipParseError for all that is none.

    Accepted though wrong: folding, bare LF, blank lines before the start line, any 8-bit code,
    compact names, space before the colon, several spaces in the start line, bytes after the body.
    """
    data = data.lstrip(b"\r\n")
    end = _HEAD_END.search(data)
    head = data[: end.start()] if end else data
    body = data[end.end() :] if end else b""
    text = _FOLD.sub(" ", head.decode("utf-8", "surrogateescape"))
    start, _, rest = text.partition("\n")
    words = [word for word in start.replace("\t", " ").replace("\r", " ").split(" ") if word]
    if not words or len(data) > MAX_MESSAGE_BYTES:
        raise SipParseError("Bad Start Line" if data else "Empty Message")
    headers, flaw = _parse_headers(rest)
    body, length_flaw = _cut_body(headers, body)
    flaw = flaw or length_flaw
    if words[0][:4].upper() == "SIP/":
        return _parse_response(words, headers, body, flaw)
    return _parse_request(words, headers, body, flaw)


def _parse_headers(text: str) -> tuple[Headers, str | None]:
    """The headers that can be read, and the first flaw."""
    headers: list[tuple[str, str]] = []
    flaw = None
    lines = text.split("\n", MAX_HEADERS)
    if len(lines) > MAX_HEADERS:
        lines.pop()
        flaw = "Too Many Headers"
    for line in lines:
        if not line.strip("\r"):
            continue
        name, colon, value = line.partition(":")
        name = name.strip(" \t")
        if not colon or _TOKEN.fullmatch(name) is None:
            flaw = flaw or "Bad Header Line"
            continue
        # a lone CR inside a value would be a line break to some peers: never pass it on
        value = value.rstrip("\r").replace("\r", " ").strip(" \t")
        headers.append((COMPACT_NAMES.get(name.lower(), name), value))
    return tuple(headers), flaw


def _cut_body(headers: Headers, body: bytes) -> tuple[bytes, str | None]:
    """RFC 3261 18.3: over UDP bytes beyond Content-Length are dropped, too few are an error."""
    length = next((value for name, value in headers if name.lower() == "content-length"), None)
    if length is None:
        return body, None
    if _LENGTH.fullmatch(length) is None or int(length) > len(body):
        return b"", "Bad Content-Length"
    return body[: int(length)], None


def _parse_response(words: list[str], headers: Headers, body: bytes, flaw: str | None) -> Response:
    status = words[1] if len(words) > 1 else ""
    if _STATUS.fullmatch(status) is None or words[0].upper() != "SIP/2.0":
        raise SipParseError("Bad Status Line")
    response = Response(int(status), " ".join(words[2:]), headers, body)
    flaw = flaw or _header_flaw(response)
    if flaw:
        raise SipParseError(flaw)
    return response


def _parse_request(words: list[str], headers: Headers, body: bytes, flaw: str | None) -> Request:
    if len(words) < 3 or _VERSION.fullmatch(words[-1]) is None:
        raise SipParseError("Bad Start Line")
    request = Request(words[0], words[1], headers, body)
    answerable = _answerable(request)
    if words[-1].upper() != "SIP/2.0":
        raise SipParseError("Version Not Supported", answerable, 505)
    if len(words) != 3 or _TOKEN.fullmatch(request.method) is None:
        raise SipParseError("Bad Request Line", answerable)
    flaw = flaw or _header_flaw(request)
    if flaw is None and request.cseq.method != request.method:
        flaw = "CSeq Method Mismatch"
    if flaw is None and request.method != "ACK" and not _is_uri(request.uri):
        flaw = "Bad Request-URI"
    if flaw:
        raise SipParseError(flaw, answerable)
    return request


def _is_uri(uri: str) -> bool:
    """RFC 5118 4.2: what cannot be read is answered 400 whatever is asked for. A scheme that we do
    not know is well formed (RFC 4475 3.3.2): somebody else says no to it."""
    try:
        if scheme_of(uri) in ("sip", "sips"):
            SipUri.parse(uri)
    except ValueError:
        return False
    return True


def _answerable(request: Request) -> Request | None:
    """RFC 3261 17.1.1.3: an ACK is never answered; nor can be what has no top Via to go by."""
    try:
        _ = request.via
    except ValueError:
        return None
    return None if request.method == "ACK" else request


def _header_flaw(message: Request | Response) -> str | None:
    for name in _NEEDED:
        if not message.header(name):
            return f"Missing {name}"
    for name in _SINGLE:
        if len(message.header_lines(name)) > 1:
            return f"More Than One {name}"
    try:
        _ = message.from_, message.to, message.cseq
        for hop in message.hops():
            Via.parse(hop)
    except ValueError as error:
        return str(error)
    return None


def serialise(message: Request | Response) -> bytes:
    """Exact bytes: CRLF everywhere, one Content-Length and always the right one."""
    if isinstance(message, Request):
        lines = [f"{message.method} {message.uri} SIP/2.0"]
    else:
        lines = [f"SIP/2.0 {message.status} {message.reason}"]
    lines += [f"{k}: {v}" for k, v in message.headers if k.lower() != "content-length"]
    lines.append(f"Content-Length: {len(message.body)}\r\n\r\n")
    head = "\r\n".join(lines)
    # a line break inside a value is header injection; parse() lets none in, so it is our own bug
    if head.count("\r") != len(lines) + 1 or head.count("\n") != len(lines) + 1:
        raise ValueError("a header value holds a line break")
    return head.encode("utf-8", "surrogateescape") + message.body
