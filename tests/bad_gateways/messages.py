"""SIP messages of the gateways in this folder: read leniently, written from RFC 3261."""

import re
from dataclasses import dataclass

SHORT_NAMES = {
    "c": "content-type",
    "f": "from",
    "i": "call-id",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "t": "to",
    "v": "via",
}
"""RFC 3261 7.3.3."""
ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS"
REASONS = {
    100: "Trying",
    180: "Ringing",
    200: "OK",
    405: "Method Not Allowed",
    481: "Call/Transaction Does Not Exist",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    503: "Service Unavailable",
}

Peer = tuple[str, int]


@dataclass(frozen=True)
class Message:
    """One message; text is Latin-1, so that every byte comes back as it came."""

    start_line: str
    """Request line or status line."""
    headers: tuple[tuple[str, str], ...]
    """Long names in lower case, unfolded values, in order."""
    body: bytes
    """As it came."""

    @property
    def status(self) -> int:
        """The status of a response, 0 for a request."""
        return int(self.start_line.split()[1]) if self.start_line.startswith("SIP/") else 0

    @property
    def method(self) -> str:
        """The method: of a response that of its CSeq."""
        return self.get("cseq").split()[-1] if self.status else self.start_line.split()[0]

    def all(self, name: str) -> list[str]:
        """Every value of a header, one per line."""
        return [value for key, value in self.headers if key == name]

    def get(self, name: str) -> str:
        """The first value of a header, or ""."""
        return next(iter(self.all(name)), "")

    def tag(self, name: str) -> str:
        """The tag of From or To, or ""."""
        found = re.search(r";\s*tag\s*=\s*([^;\s,]+)", self.get(name).rpartition(">")[2])
        return found.group(1) if found else ""

    @property
    def branch(self) -> str:
        """The branch of the topmost Via: what a response is matched by (RFC 3261 17.1.3)."""
        found = re.search(r";\s*branch\s*=\s*([^;\s,]+)", self.get("via"))
        return found.group(1) if found else ""

    @property
    def transaction(self) -> tuple[str, str]:
        """RFC 3261 17.2.3: a request is matched by its sent-by and its branch."""
        return self.get("via").split(";")[0].split()[-1], self.branch

    @property
    def dialog(self) -> tuple[str, str, str]:
        """RFC 3261 12.2.2: Call-ID, our tag, the peer's, as a request of the peer names them."""
        return self.get("call-id"), self.tag("to"), self.tag("from")


def parse(data: bytes) -> Message | None:
    """Read a datagram; None for what is no SIP, or has too little to be answered."""
    head, _, body = data.lstrip(b"\r\n").replace(b"\r\n", b"\n").partition(b"\n\n")
    start, *lines = re.sub(r"\n[ \t]+", " ", head.decode("latin-1")).split("\n")
    if not re.match(r"SIP/2\.0 \d{3}|[A-Z]+ \S+ SIP/2\.0$", start):
        return None
    headers = []
    for line in lines:
        name, _, value = line.partition(":")
        key = name.strip().lower()
        headers.append((SHORT_NAMES.get(key, key), value.strip()))
    message = Message(start, tuple(headers), body)
    needed = ("via", "from", "to", "call-id", "cseq")
    return message if all(message.get(name) for name in needed) else None


def write(start_line: str, headers: list[tuple[str, str]], body: bytes = b"") -> bytes:
    """Write a message; Content-Length is added."""
    lines = [start_line, *(f"{name}: {value}" for name, value in headers)]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def write_response(
    request: Message, source: Peer, status: int, more: list[tuple[str, str]], body: bytes = b""
) -> bytes:
    """RFC 3261 8.2.6: what a response repeats; `more` has To and what is its own."""
    top, *rest = request.all("via")
    vias = [stamped(top, source), *rest]
    headers = [("Via", via) for via in vias]
    headers += [("Record-Route", route) for route in request.all("record-route")]
    headers += [("From", request.get("from")), ("Call-ID", request.get("call-id"))]
    headers += [("CSeq", request.get("cseq")), *more]
    return write(f"SIP/2.0 {status} {REASONS[status]}", headers, body)


def stamped(via: str, source: Peer) -> str:
    """RFC 3581 4: the topmost Via learns where the request came from."""
    first, comma, others = via.partition(",")
    port = re.compile(r";\s*rport(?=\s*(;|$))")
    sent_by = first.split(";")[0].split()[-1].partition(":")[0]
    if port.search(first):
        first = port.sub(f";received={source[0]};rport={source[1]}", first)
    elif sent_by != source[0]:
        first += f";received={source[0]}"
    return first + comma + others


def uri_in(value: str) -> str:
    """The URI of a From, To, Contact or Route value."""
    found = re.search(r"<([^>]*)>", value)
    return found.group(1) if found else value.split(";")[0].strip()


def peer_of(uri: str, otherwise: Peer) -> Peer:
    """Where a URI with an IPv4 address points; `otherwise` for any other."""
    found = re.match(r"sips?:(?:[^@]*@)?([0-9.]+)(?::(\d+))?", uri)
    return (found.group(1), int(found.group(2) or 5060)) if found else otherwise
