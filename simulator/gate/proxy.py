"""A proxy of the gate's own: a stateless loose router that records its route (RFC 3261 16).

What passes is changed only where a proxy must change it, so that every sin arrives as it was sent.
"""

import re
import zlib
from collections.abc import Callable

from .judge import Findings, Violation
from .sip_socket import Recorder, UdpSocket
from .wire import (
    Address,
    RawMessage,
    UnreadableError,
    long_name,
    parameter,
    read,
    split_commas,
    uri_address,
    uri_of,
)

HOPS_MAX = 70


class OuterTape:
    """Keeps the packets between proxy and gateway; the gate's own sockets keep the others."""

    def __init__(self, tape: Recorder, is_own: Callable[[tuple[str, int]], bool]) -> None:
        """`is_own` says whether an address is the gate's."""
        self._tape = tape
        self._is_own = is_own

    def record(
        self, at_s: float, source: tuple[str, int], destination: tuple[str, int], payload: bytes
    ) -> None:
        """Keep one packet, unless the gate does."""
        if not self._is_own(source) and not self._is_own(destination):
            self._tape.record(at_s, source, destination, payload)


class LooseRouter:
    """Stands between the gate and the gateway, both ways."""

    def __init__(self, findings: Findings, advance: Address) -> None:
        """`advance` is the gate: where calls to the proxy's own address go."""
        self.forwarded = 0
        self.dropped = 0
        self._findings = findings
        self._gate = advance
        self.socket: UdpSocket | None = None

    def attach(self, socket: UdpSocket) -> None:
        """This is the socket to speak through."""
        self.socket = socket

    @property
    def address(self) -> Address:
        """Where it listens."""
        return self.socket.address if self.socket is not None else Address("", 0)

    @property
    def record_route(self) -> str:
        """The value it records."""
        return f"<sip:{self.address};lr>"

    def receive(self, socket: UdpSocket, data: bytes, source: Address) -> None:
        """Send a datagram on, changed as RFC 3261 16.6 and 16.7 say; drop what has no way on."""
        try:
            message = read(data)
        except UnreadableError:
            self.dropped += 1
            return
        found = self._response(message) if message.is_response else self._request(message, source)
        if found is None or not found[1].is_sendable:
            self.dropped += 1
            return
        self.forwarded += 1
        socket.send(*found)

    def _request(self, message: RawMessage, source: Address) -> tuple[bytes, Address] | None:
        lines, rest = raw_lines(message.data)
        hops = message.get("max-forwards") or ""
        if hops.isdecimal():
            if int(hops) == 0:
                return None
            lines = replaced(lines, "max-forwards", str(int(hops) - 1))
        routes = message.many("route")
        if routes and uri_address(uri_of(routes[0])) == self.address:
            lines, routes = without_first(lines, "route"), routes[1:]
        elif source != self._gate and message.tag("to") is not None and message.method != "ACK":
            text = f"{message.method} past the proxy's Route: {routes}, due {self.record_route}"
            self._findings.add(Violation("route-set", "RFC 3261 12.2.1.1", text))
        target = uri_address(uri_of(routes[0]) if routes else message.request_uri)
        if target == self.address:
            # RFC 3261 16.5: the proxy is responsible for this URI, and knows where it is.
            uri = message.request_uri.replace(str(self.address), str(self._gate), 1)
            lines[0] = lines[0].replace(message.request_uri.encode(), uri.encode(), 1)
            target = self._gate
        lines = with_received(lines, message, source)
        # RFC 3261 16.11: computed from the branch that came, so that CANCEL and resends match.
        branch = f"z9hG4bKpx{zlib.crc32(message.branch.encode()):08x}"
        added = [f"Via: SIP/2.0/UDP {self.address};branch={branch}\r\n"]
        if message.method == "INVITE" and message.tag("to") is None:
            added.append(f"Record-Route: {self.record_route}\r\n")
        lines[1:1] = [line.encode() for line in added]
        return b"".join(lines) + rest, target or Address("", 0)

    def _response(self, message: RawMessage) -> tuple[bytes, Address] | None:
        vias = message.many("via")
        if len(vias) < 2 or sent_by(vias[0]) != self.address:
            text = f"Via came back as {vias}, the proxy's own ({self.address}) is due on top"
            self._findings.add(Violation("via-echoed", "RFC 3261 8.2.6.2", text))
            return None
        lines, rest = raw_lines(message.data)
        # RFC 3261 18.2.2, RFC 3581 4: back to where the request came from.
        named = sent_by(vias[1]) or Address("", 0)
        host = parameter(vias[1], "received") or named.host
        port = parameter(vias[1], "rport") or str(named.port)
        back = Address(host, int(port)) if port.isdecimal() else named
        return b"".join(without_first(lines, "via")) + rest, back


def sent_by(via: str) -> Address | None:
    """Host and port of a Via value."""
    words = via.split(";")[0].split()
    return uri_address("sip:" + words[-1]) if words else None


def raw_lines(data: bytes) -> tuple[list[bytes], bytes]:
    """The start line and the header lines with their ends and folds, and all behind them."""
    end = re.search(rb"\r?\n(?=\r?\n)", data)
    cut = end.end() if end else len(data)
    return re.split(rb"(?<=\n)(?![ \t])", data[:cut])[: None if end is None else -1], data[cut:]


def _name(line: bytes) -> str:
    return long_name(line.partition(b":")[0].decode("latin-1"))


def replaced(lines: list[bytes], name: str, value: str) -> list[bytes]:
    """The lines with another value in each header of that name."""
    return [
        line.partition(b":")[0] + f": {value}\r\n".encode() if n and _name(line) == name else line
        for n, line in enumerate(lines)
    ]


def without_first(lines: list[bytes], name: str) -> list[bytes]:
    """The lines without the first value of a list header."""
    for number, line in enumerate(lines):
        if number and _name(line) == name:
            label, _, value = line.partition(b":")
            text = re.sub(r"\r?\n[ \t]+", " ", value.decode("utf-8", "surrogateescape"))
            left = ", ".join(split_commas(text.strip())[1:])
            kept = [label + b": " + left.encode("utf-8", "surrogateescape") + b"\r\n"]
            return [*lines[:number], *(kept if left else []), *lines[number + 1 :]]
    return lines


def with_received(lines: list[bytes], message: RawMessage, source: Address) -> list[bytes]:
    """RFC 3261 18.2.1, RFC 3581 4: what the topmost Via learns on arrival."""
    vias = message.many("via")
    if not vias:
        return lines
    via = vias[0]
    if parameter(via, "rport") == "":
        via = re.sub(r";\s*rport(?=\s*(;|$))", f";rport={source.port}", via, count=1)
        via += f";received={source.host}"
    elif (sent_by(via) or source).host != source.host:
        via += f";received={source.host}"
    first = next(n for n, line in enumerate(lines) if n and _name(line) == "via")
    rest = without_first(lines, "via")
    rest.insert(first, f"Via: {via}\r\n".encode("utf-8", "surrogateescape"))
    return rest
