"""What came over the wire, cut into lines but not yet believed: the raw form the judge works on.

The gate must act on any message it can make sense of, even one it then condemns, so this reading
is lenient. Whether the bytes were right is the business of `judge.py`.
"""

import ipaddress
import re
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

COMPACT_NAMES = {
    "i": "call-id",
    "m": "contact",
    "e": "content-encoding",
    "l": "content-length",
    "c": "content-type",
    "f": "from",
    "s": "subject",
    "k": "supported",
    "t": "to",
    "v": "via",
}
"""RFC 3261 7.3.3: the short names, by the long one in lower case."""

_TAG = re.compile(r";\s*tag\s*=\s*([^;\s>,]+)", re.IGNORECASE)
_URI_PORT = re.compile(r"^sips?:(?:[^@]*@)?(\[[^\]]+\]|[^:;?>\s]+)(?::(\d+))?", re.IGNORECASE)


class Address(NamedTuple):
    """Where a datagram comes from or goes to."""

    host: str
    "An IP address as text."

    port: int
    "A UDP port."

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_sendable(self) -> bool:
        """Whether a datagram could go there: one host's IP address and a real port."""
        try:
            host = ipaddress.ip_address(self.host)
        except ValueError:
            return False  # a name: the gate asks no resolver
        return 0 < self.port < 65536 and not (host.is_unspecified or host.is_multicast)


class UnreadableError(ValueError):
    """The bytes have no start line and headers, so that nothing can be done with them."""


@dataclass(frozen=True)
class RawMessage:
    """A SIP message as lines, unfolded, in the order of arrival."""

    start_line: str
    "The request line or status line."

    headers: tuple[tuple[str, str], ...]
    "Names as written, values without the white space around them and with folds undone."

    body: bytes
    "All that follows the empty line, whatever Content-Length says."

    data: bytes
    "The datagram itself."

    @property
    def is_response(self) -> bool:
        """Whether the start line is a status line."""
        return self.start_line.startswith("SIP/")

    @property
    def status(self) -> int:
        """The status code of a response; 0 when there is none to read."""
        words = self.start_line.split(" ")
        return int(words[1]) if self.is_response and words[1:] and words[1].isdecimal() else 0

    @property
    def reason(self) -> str:
        """The reason phrase of a response."""
        return self.start_line.split(" ", 2)[2] if self.start_line.count(" ") >= 2 else ""

    @property
    def method(self) -> str:
        """The method of a request; for a response the method its CSeq names."""
        return self.cseq[1] if self.is_response else self.start_line.split(" ", 1)[0]

    @property
    def request_uri(self) -> str:
        """The Request-URI of a request."""
        words = self.start_line.split(" ")
        return words[1] if len(words) > 1 else ""

    def all(self, name: str) -> list[str]:
        """All values of the header `name` (long form, any case), one per header line."""
        return list(self._values.get(name.lower(), ()))

    @cached_property
    def _values(self) -> dict[str, list[str]]:
        """By long name: the judge asks hundreds of times a message."""
        values: dict[str, list[str]] = {}
        for key, value in self.headers:
            values.setdefault(long_name(key), []).append(value)
        return values

    def get(self, name: str) -> str | None:
        """The first value of the header `name`, or None."""
        values = self._values.get(name.lower())
        return values[0] if values else None

    def many(self, name: str) -> list[str]:
        """The values of a list header, with comma-joined ones separated."""
        return [item for line in self.all(name) for item in split_commas(line)]

    @property
    def call_id(self) -> str:
        """The Call-ID, or an empty text."""
        return self.get("call-id") or ""

    @property
    def cseq(self) -> tuple[int, str]:
        """Number and method of CSeq; (-1, "") when it cannot be read."""
        words = (self.get("cseq") or "").split()
        if len(words) != 2 or not words[0].isdecimal():
            return -1, ""
        return int(words[0]), words[1]

    @property
    def branch(self) -> str:
        """The branch of the topmost Via, or an empty text."""
        vias = self.many("via")
        return (parameter(vias[0], "branch") or "") if vias else ""

    def tag(self, name: str) -> str | None:
        """The tag of the From or To header."""
        return tag_of(self.get(name) or "")

    @property
    def summary(self) -> str:
        """The message in a few words, for error texts."""
        if self.is_response:
            return f"{self.status} {self.reason} ({self.method})"
        return self.method


def long_name(name: str) -> str:
    """The long form of a header's name, in lower case."""
    lower = name.strip().lower()
    return COMPACT_NAMES.get(lower, lower)


def read(data: bytes) -> RawMessage:
    """Cut a datagram into lines; raises UnreadableError when there is no start line."""
    text = data.lstrip(b"\r\n")
    head, separator, body = text.partition(b"\r\n\r\n")
    if not separator or b"\n\n" in head:
        head, _, body = text.partition(b"\n\n")
    # Bytes that are no UTF-8 survive as surrogates: what was sent can be compared and repeated.
    lines = (
        re.sub(r"\r?\n[ \t]+", " ", head.decode("utf-8", "surrogateescape"))
        .replace("\r\n", "\n")
        .split("\n")
    )
    if "SIP/2.0" not in lines[0]:
        raise UnreadableError(f"no SIP start line in {data[:40]!r}")
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers.append((name.rstrip(), value.strip()))
    return RawMessage(lines[0], tuple(headers), body, data)


def split_commas(value: str) -> list[str]:
    """Split a list header at its commas, but not within quotes or angle brackets."""
    items, start, quoted, angle = [], 0, False, False
    for index, letter in enumerate(value):
        if letter == '"' and value[index - 1 : index] != "\\":
            quoted = not quoted
        elif letter in "<>" and not quoted:
            angle = letter == "<"
        elif letter == "," and not quoted and not angle:
            items.append(value[start:index].strip())
            start = index + 1
    items.append(value[start:].strip())
    return [item for item in items if item]


def tag_of(value: str) -> str | None:
    """The tag parameter of a From or To value (the one behind the angle bracket)."""
    match = _TAG.search(value.rpartition(">")[2] if ">" in value else value)
    return match.group(1) if match else None


def uri_of(value: str) -> str:
    """The URI of a name-addr or addr-spec value."""
    match = re.search(r"<([^>]*)>", value)
    return match.group(1) if match else value.split(";", 1)[0].strip()


def uri_address(uri: str, default_port: int = 5060) -> Address | None:
    """Host and port a SIP URI names, or None when it is none."""
    match = _URI_PORT.match(uri)
    if match is None:
        return None
    return Address(match.group(1).strip("[]"), int(match.group(2) or default_port))


def parameter(value: str, name: str) -> str | None:
    """The value of a `;name=value` parameter ("" when it has no value), or None."""
    match = re.search(rf";\s*{re.escape(name)}\s*(?:=\s*([^;,\s]*))?\s*(?=;|,|$)", value, re.I)
    return (match.group(1) or "") if match else None


def normal(value: str) -> str:
    """A header value with white space made comparable (RFC 3261 7.3.1: a fold is a space)."""
    return re.sub(r"\s*([;=])\s*", r"\1", re.sub(r"\s+", " ", value)).strip()
