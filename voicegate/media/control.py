"""The RTCP side of a call: a socket beside that of RTP, a report now and then, a goodbye."""

import asyncio
from collections.abc import Collection
from random import Random
from typing import Any, cast

from voicegate.media.answer import PORT_MIN, Answer, Target
from voicegate.media.incoming import Incoming
from voicegate.media.rtcp import Reporter
from voicegate.media.rtp import RtpSender

EVERY_S = 5.0
"""RFC 3550 6.2: the shortest interval that is recommended, and more than two have to say."""


class Control(asyncio.DatagramProtocol):
    """Sends reports from `start()` to `stop()` and reads those of the caller's host."""

    def __init__(
        self,
        answer: Answer,
        sender: RtpSender,
        incoming: Incoming,
        random: Random,
        own: Collection[Target],
    ) -> None:
        self._reporter = Reporter(sender, random)
        self._in = incoming
        self._random = random
        self._own = own
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        """Done once the socket is gone."""
        self._transport: asyncio.DatagramTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False
        self._came = self._sent = self._foreign = self._errors = 0
        self.follow(answer)

    def follow(self, answer: Answer) -> None:
        """Go on as the answer says: where to, and whose reports are believed."""
        remote, self._host, self._target = answer.remote, "", None
        if remote is None:
            return
        self._host = remote[0]
        # RFC 3550 11: the odd port above that of RTP; RFC 3605: or the one that a=rtcp names.
        target = (remote[0], answer.rtcp_port or remote[1] + 1)
        if PORT_MIN <= target[1] <= 65535 and target not in self._own:
            self._target = target

    def start(self) -> None:
        """Begin to report."""
        # RFC 3550 6.3.1: the first report comes after half the time.
        self._again(EVERY_S / 2)

    def _again(self, after_s: float) -> None:
        # RFC 3550 6.3.1: between half and one and a half, so that nobody keeps step.
        wait_s = after_s * self._random.uniform(0.5, 1.5)
        self._timer = self._loop.call_later(wait_s, self._report)

    def _report(self) -> None:
        self._send(bye=False)
        self._again(EVERY_S)

    def _send(self, *, bye: bool) -> None:
        if self._target is None or self._transport is None or self._paused:
            return
        now = self._loop.time()
        self._transport.sendto(self._reporter.report(self._in.heard, now, bye=bye), self._target)
        self._sent += 1

    def stop(self) -> None:
        """Say goodbye where anything was said; nothing leaves from here on. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._send(bye=True)
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    # For asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # no isinstance: before 3.12 asyncio's own datagram transports are none by their class
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Of the caller's host, whatever the port: a NAT may have changed it."""
        if addr[0] != self._host:
            self._foreign += 1
        elif self._reporter.receive(data, self._loop.time()):
            self._came += 1

    def error_received(self, _exc: Exception) -> None:
        """Most callers listen to no RTCP, and their port says so: counted, no trouble."""
        self._errors += 1

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False

    def connection_lost(self, _exc: Exception | None) -> None:
        self._transport = None
        self.closed.set_result(None)

    def figures(self) -> dict[str, Any]:
        """Give the part of the counters that stands here."""
        reporter = self._reporter
        return {
            "rtcp_in": self._came,
            "rtcp_out": self._sent,
            "rtcp_dropped": self._foreign + reporter.malformed,
            "rtcp_errors": self._errors,
            "far_lost": reporter.far_lost,
            "far_jitter_ms": round(reporter.far_jitter_ms, 2),
            "round_trip_ms": round(reporter.round_trip_ms, 2),
        }
