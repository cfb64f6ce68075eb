"""Sends torture cases from an address of its own and looks at what comes back, and how dearly."""

import re
import select
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from ci.torture_job.cases import Case

ANSWER_LIMIT_S = 0.5
GIVE_UP_S = 5.0
HELD_MAX = 5000
RESENT = (422, 480, 486, 487, 488, 500, 503)
"""Refusals of an INVITE that are sent until their ACK comes; all others are sent once."""
RECEIVE_BYTES = 1 << 20

_STATUS = re.compile(rb"SIP/2\.0 ([1-6][0-9][0-9]) ")
_REQUEST = re.compile(rb"([A-Z]+) \S+ SIP/2\.0\r\n")
_ECHOED = ("via", "from", "to", "call-id", "cseq")


@dataclass
class Outcome:
    """What came of one case."""

    case: Case
    finals: list[int] = field(default_factory=list)
    """Final answers, in their order."""
    took_s: float = 0.0
    """Until the last of them had come and an OPTIONS after it was answered, without what the
    gateway's loop waited for a processor: that is the machine's doing."""
    cpu_s: float = 0.0
    """What the gateway's loop spent meanwhile."""
    tried_again: bool = False
    """Whether that is what it spent at a second try, at rest."""
    is_alive: bool = False
    """The OPTIONS got its 200."""


class Attacker:
    """One peer; it listens at every port that its cases name, for that is where answers go."""

    def __init__(self, host: str, gateway: tuple[str, int], ports: Iterable[int], pid: int) -> None:
        self._host, self._gateway = host, gateway
        # the one that the OPTIONS is answered at comes last: what was sent before it is read first
        self._sockets = [_bound(host, port) for port in (*sorted(set(ports) - {5060}), 5060)]
        self._schedule = Path(f"/proc/{pid}/schedstat")
        self._number = 0
        self._seen: dict[bytes, None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one in self._sockets:
            one.close()

    def try_case(self, case: Case) -> Outcome:
        """Send it and an OPTIONS behind it; end the call that it may have begun."""
        self._number += 1
        outcome, provisional = Outcome(case), False
        began, (spent_s, waited_s) = time.monotonic(), self._scheduled_s()
        for packet in case.packets:
            self._send(packet)
        self._send(self._options())
        awaited = f"alive-{self._number}@".encode()
        while not outcome.is_alive or (provisional and not outcome.finals):
            data = self._receive(began + GIVE_UP_S - time.monotonic())
            if data is None:
                break
            status = status_of(data)
            if awaited in data:
                outcome.is_alive = status == 200
            elif status >= 200:
                outcome.finals.append(status)
            provisional |= 100 <= status < 200
            for reply in closing(data, self._number, self._gateway):
                self._send(reply)
        spent_now_s, waited_now_s = self._scheduled_s()
        outcome.took_s = time.monotonic() - began - (waited_now_s - waited_s)
        outcome.cpu_s = spent_now_s - spent_s
        return outcome

    def _send(self, data: bytes) -> None:
        self._sockets[-1].sendto(data, self._gateway)

    def _receive(self, within_s: float) -> bytes | None:
        """Give the next message that is no repetition; None if there is none in time."""
        deadline = time.monotonic() + max(within_s, 0.0)
        while True:
            ready, _, _ = select.select(
                self._sockets, [], [], max(0.0, deadline - time.monotonic())
            )
            if not ready:
                return None
            data = ready[0].recv(RECEIVE_BYTES)
            if not self._is_repetition(data):
                return data

    def _is_repetition(self, data: bytes) -> bool:
        """Whether it is an old answer, sent again because its ACK was not understood."""
        status = status_of(data)
        if b" INVITE\r\n" not in data or not (200 <= status < 300 or status in RESENT):
            return False
        if data in self._seen:
            return True
        self._seen[data] = None
        if len(self._seen) > HELD_MAX:
            del self._seen[next(iter(self._seen))]
        return False

    def _options(self) -> bytes:
        host, port = self._gateway
        lines = (
            f"OPTIONS sip:{host}:{port} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._host}:5060;branch=z9hG4bKalive{self._number}",
            "Max-Forwards: 70",
            f"From: <sip:alive@{self._host}>;tag={self._number}",
            f"To: <sip:{host}:{port}>",
            f"Call-ID: alive-{self._number}@{self._host}",
            "CSeq: 1 OPTIONS",
            "Content-Length: 0",
        )
        return "\r\n".join(lines).encode() + b"\r\n\r\n"

    def _scheduled_s(self) -> tuple[float, float]:
        """How long the gateway's loop has run so far, and how long it has waited to run."""
        ran_ns, waited_ns, _ = self._schedule.read_text(encoding="ascii").split()
        return int(ran_ns) / 1e9, int(waited_ns) / 1e9


def status_of(data: bytes) -> int:
    """Give the status of a response; 0 for anything else."""
    found = _STATUS.match(data)
    return int(found[1]) if found else 0


def closing(data: bytes, number: int, gateway: tuple[str, int]) -> list[bytes]:
    """Give what ends the business: ACK (and BYE) to an INVITE's answer, 200 to a request."""
    text = data.partition(b"\r\n\r\n")[0].decode("utf-8", "surrogateescape")
    lines = text.split("\r\n")[1:]
    echoed = [line for line in lines if line.partition(":")[0].lower() in _ECHOED]
    if _REQUEST.match(data):
        is_ack = data.startswith(b"ACK ")
        return [] if is_ack else [_message("SIP/2.0 200 OK", echoed)]
    values = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in echoed}
    cseq = values.get("cseq", "").split()
    status = status_of(data)
    if status < 200 or len(cseq) != 2 or cseq[1] != "INVITE":
        return []
    uri = f"sip:{gateway[0]}:{gateway[1]}"
    vias = [line for line in echoed if line.lower().startswith("via")][:1]
    rest = [line for line in echoed if not line.lower().startswith(("via", "cseq"))]
    found = [_message(f"ACK {uri} SIP/2.0", [*vias, *rest, f"CSeq: {cseq[0]} ACK"])]
    if status < 300:
        via = f"Via: SIP/2.0/UDP 127.0.0.77:5060;branch=z9hG4bKbye{number}"
        after = int(cseq[0]) + 1
        found.append(_message(f"BYE {uri} SIP/2.0", [via, *rest, f"CSeq: {after} BYE"]))
    return found


def _message(start: str, lines: list[str]) -> bytes:
    text = "\r\n".join((start, *lines, "Content-Length: 0", "", ""))
    return text.encode("utf-8", "surrogateescape")


def _bound(host: str, port: int) -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    one.bind((host, port))
    return one
