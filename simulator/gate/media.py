"""The media side of a call: one RTP socket, a mouth on an absolute 20 ms schedule, an ear."""

import asyncio
import math
import random
from collections.abc import Callable

import numpy as np

from simulator.audio.codecs import Coders
from simulator.audio.heard import Heard
from simulator.audio.pcm import Pcm
from simulator.audio.sound import Sound
from simulator.network import Link

from .agreement import Negotiated
from .earpiece import Earpiece
from .judge import Findings, Violation
from .mouth import RATE, EventFrame, Mouth
from .paths import Paths
from .profile import Quirks
from .rtcp_judge import judge_reports
from .rtp import FRAME_S, SAMPLES, RtpPacket, RtpSender, parse_rtp
from .rtp_judge import RtpReceiver
from .sip_socket import Recorder, UdpSocket, open_udp
from .wire import Address

BURST_MAX = 10
"""A late tick sends at most that many packets at once; the rest is left out and counted."""

LOUD = 164
"""A frame with a sample above this (-46 dBFS) is not silence."""

MOVES_MAX = 16


class CallMedia:
    """What one caller says and hears. Opened before the INVITE, closed after the call's end."""

    def __init__(
        self,
        identity: int,
        quirks: Quirks,
        findings: Findings,
        source: random.Random,
        changed: Callable[[], None],
        *,
        exact: bool,
    ) -> None:
        """`changed` is called when a sound or a digit came to its end."""
        self.identity = identity
        self.heard = Heard()
        self.spoken = Heard()
        self.receiver = RtpReceiver(findings, self._hear, exact=exact)
        self.earpiece = Earpiece(self._play)
        self.mouth = Mouth(identity, changed)
        self.muted = quirks.mute
        self.last_loud_heard_at: float | None = None
        self.last_loud_spoken_at: float | None = None
        self.packets_sent = 0
        self.frames_skipped = 0
        self.came_to: dict[int, int] = {}
        """Packets that came, by the RTP port of ours that they came to."""
        self._paths = Paths()
        self._coders = Coders()
        self._quirks = quirks
        self._findings = findings
        self._source = source
        self._loop = asyncio.get_running_loop()
        self._sockets: list[UdpSocket] = []
        self._link: Link | None = None
        self._from_far: Link | None = None
        self._agreed: Negotiated | None = None
        self._sender: RtpSender | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._event_started = 0
        self._started_at = 0.0
        self._ticks = 0
        self._left: dict[UdpSocket, float] = {}

    async def open(self, host: str, tape: Recorder | None, paths: Paths | None = None) -> None:
        """Bind the RTP socket on an even port, behind a network."""
        self._host, self._tape, self._paths = host, tape, paths or self._paths
        self._from_far = self._paths.rtp_in.link(self._arrive)
        await self._bind()

    async def move(self) -> int:
        """Go on from another port, of which the gateway knows nothing yet; gives it."""
        if len(self._sockets) > MOVES_MAX:
            raise ValueError(f"the RTP port was moved {MOVES_MAX} times")
        return await self._bind()

    async def _bind(self) -> int:
        socket = await open_udp(self._host, 0, self._received, self._tape, even=True)
        self._sockets.append(socket)
        if self._link is not None:
            self._link.close()
        self._link = self._paths.rtp_out.link(socket.send)
        return socket.address.port

    def left_behind(self) -> None:
        """The gateway knows of the new port: what still comes to an old one is late or wrong."""
        now = self._loop.time()
        self._left.update(
            {socket: now for socket in self._sockets[:-1] if socket not in self._left}
        )

    @property
    def port(self) -> int:
        """The RTP port we speak from."""
        return self._sockets[-1].address.port if self._sockets else 0

    @property
    def icmp_errors(self) -> int:
        """How often the gateway's RTP port was found closed."""
        return sum(socket.errors for socket in self._sockets)

    def expect(self, agreed: Negotiated) -> None:
        """Our description went out with a provisional answer: packets may come, ours may go."""
        self._follow(agreed)
        self.receiver.expect(agreed, self._loop.time())

    def agree(self, agreed: Negotiated) -> None:
        """Offer and answer are known: what comes is judged by them, what goes follows them."""
        self._follow(agreed)
        self.receiver.answered(agreed, self._loop.time())

    def _follow(self, agreed: Negotiated) -> None:
        before, self._agreed = self._agreed, agreed
        if before is not None and not agreed.remote.is_sendable:
            self._agreed = Negotiated(before.remote, agreed.codecs, sends=False)
        if self._sender is None:
            draw = self._source.getrandbits
            self._sender = RtpSender(0, draw(32), draw(16), draw(32))
        self._sender.payload_type = next(iter(agreed.codecs))

    def start(self) -> None:
        """From the ACK on, a packet each 20 ms by the absolute schedule."""
        if self._timer is None and self._agreed is not None and self._is_open:
            self._started_at = self._loop.time()
            self._ticks = 0
            self._tick()

    def stop(self) -> None:
        """The call is over: nothing is sent any more, nothing should come."""
        # Without our ACK the gateway may give the call up long before it may say so (RFC 3261 15).
        self.receiver.ended(self._loop.time(), whole=self._timer is not None)
        self.halt()

    def halt(self) -> None:
        """Send nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._link is not None:
            self._link.close()

    def close(self) -> None:
        """Begin to close the socket: what comes now finds a closed port (ICMP)."""
        self.halt()
        if self._from_far is not None:
            self._from_far.close()
        self.earpiece.close()
        for socket in self._sockets:
            self._findings.add(*judge_reports(socket.reports()))
            socket.close()

    async def closed(self) -> None:
        """Wait until the socket is gone."""
        for socket in self._sockets:
            await socket.closed()

    def say(self, sound: Sound | None) -> None:
        """Speak this from the next frame on, instead of what is being said; None is silence."""
        self.mouth.say(sound)

    @property
    def speaking(self) -> bool:
        """Whether a sound has not come to its end."""
        return self.mouth.speaking

    @property
    def pressing(self) -> bool:
        """Whether digits are still to be sent."""
        return self.mouth.pressing

    def press(self, digits: str, *, as_tones: bool = False) -> None:
        """Send digits as RFC 4733 events or tones; ValueError for another sign or too many."""
        self.mouth.press(digits, as_tones=as_tones, dry=not as_tones and not self._knows_events)

    @property
    def _knows_events(self) -> bool:
        return self._agreed is not None and self._agreed.telephone_event is not None

    def change_ssrc(self) -> None:
        """Go on as a new stream: another SSRC, sequence and timestamp."""
        if self._sender is not None:
            draw = self._source.getrandbits
            self._sender = RtpSender(self._sender.payload_type, draw(32), draw(16), draw(32))

    def send_raw(self, data: bytes) -> None:
        """Send any bytes from the RTP port to the gateway's."""
        if self._agreed is not None and self._link is not None:
            self._link(data, self._agreed.remote)

    @property
    def _is_open(self) -> bool:
        return bool(self._sockets) and self._sockets[-1].is_open

    def _tick(self) -> None:
        due = math.floor((self._loop.time() - self._started_at) / FRAME_S + 1e-6) + 1
        late = due - self._ticks
        if late > BURST_MAX:
            self.frames_skipped += late - BURST_MAX
            self._ticks = due - BURST_MAX
        while self._ticks < due:
            self._frame()
            self._ticks += 1
        self._timer = self._loop.call_at(self._started_at + self._ticks * FRAME_S, self._tick)

    def _frame(self) -> None:
        sender, agreed = self._sender, self._agreed
        if sender is None or agreed is None:
            return
        held = self._quirks.strict_rtp and self.receiver.stats.packets == 0
        # RFC 3264 8.4: on hold nothing is sent, and nothing that was to be said is lost.
        if self.muted or held or not agreed.sends:
            sender.pass_frame()
            return
        frame = self.mouth.frame()
        if isinstance(frame, EventFrame):
            self._event_frame(frame, sender, agreed)
        elif frame is None and self._quirks.dtx:
            sender.pass_frame()
            sender.marker = True
        else:
            self._audio_frame(frame, sender, agreed)

    def _audio_frame(self, pcm: Pcm | None, sender: RtpSender, agreed: Negotiated) -> None:
        law = self._coders.of(agreed.codecs[sender.payload_type])
        if pcm is None:
            payload, pcm = law.silence(SAMPLES), np.zeros(SAMPLES, dtype=np.int16)
        else:
            payload = law.encode(pcm)
            if np.abs(pcm).max() > LOUD:
                self.last_loud_spoken_at = self._loop.time() + FRAME_S
        self.spoken.add(pcm, RATE, self._loop.time())
        self._send(sender.audio(payload), agreed)

    def _event_frame(self, event: EventFrame, sender: RtpSender, agreed: Negotiated) -> None:
        """RFC 4733 2.5.1.2: updates each 20 ms with one timestamp, the end three times."""
        if event.first:
            self._event_started = sender.timestamp
        number = agreed.telephone_event or 0
        packet = sender.event(number, event.payload, self._event_started, marker=event.first)
        self._send(packet, agreed)
        sender.pass_frame()

    def _send(self, packet: bytes, agreed: Negotiated) -> None:
        self.packets_sent += 1
        if self._link is not None:
            self._link(packet, agreed.remote)

    def _received(self, socket: UdpSocket, data: bytes, source: Address) -> None:
        now, port = self._loop.time(), socket.address.port
        self.came_to[port] = self.came_to.get(port, 0) + 1
        left_at = self._left.get(socket)
        if left_at is not None and now - left_at > self.receiver.patience_s:
            self._left[socket] = math.inf  # said once
            text = f"RTP to port {port} {(now - left_at) * 1000:.0f} ms after the call left it"
            self._findings.add(Violation("rtp-old-port", "RFC 3264 8.3.1", text))
        self.receiver.receive(data, source, now)
        if self._from_far is not None and not self._paths.rtp_in.is_clean:
            self._from_far(data, source)

    def _hear(self, payload: bytes, law: str, at_s: float, lost_s: float) -> None:
        if self._paths.rtp_in.is_clean:
            self._listen(self._coders.of(law).decode(payload), at_s, lost_s)

    def _arrive(self, data: bytes, source: tuple[str, int]) -> None:
        """A packet came out of a bad network; the judge has seen it before."""
        if self._agreed is None or source != self._agreed.remote:
            return
        try:
            packet = parse_rtp(data)
        except ValueError:
            return
        if packet.payload_type in self._agreed.codecs:
            self.earpiece.receive(packet)

    def _play(self, packet: RtpPacket, at_s: float, lost_s: float) -> None:
        if self._agreed is not None and packet.payload_type in self._agreed.codecs:
            law = self._coders.of(self._agreed.codecs[packet.payload_type])
            self._listen(law.decode(packet.payload), at_s, lost_s)

    def _listen(self, pcm: Pcm, at_s: float, lost_s: float) -> None:
        self.heard.add(pcm, RATE, at_s, lost_s)
        if len(pcm) and np.abs(pcm).max() > LOUD:
            self.last_loud_heard_at = at_s + FRAME_S
