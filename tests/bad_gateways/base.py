"""A small correct gateway, written from the RFCs: each sin of this folder overrides one method.

It shares no line with voicegate and none with the simulator: that the scenarios are green with it
shows that they are about gateways.
"""

import asyncio
import random
import threading
from types import TracebackType
from typing import Any, Self

import psutil
from google import genai
from google.genai import types

from tests.bad_gateways.agent import Agent
from tests.bad_gateways.calls import Call
from tests.bad_gateways.dialogs import Dialog, write_request
from tests.bad_gateways.messages import Message, Peer, write_response
from tests.bad_gateways.offers import Offer, Refused
from tests.bad_gateways.sounds import SILENCE, Convert, Rate, encode
from tests.bad_gateways.streams import Ports, Stream, pack

CLOSING_S, STEP_S = 2.0, 0.02
SOCKET = {
    "ping_interval": 20,
    "ping_timeout": 60,
    "close_timeout": 1,
    "open_timeout": 5,
    "max_size": 16 << 20,
    "compression": None,
    "proxy": None,
}
"""What google-genai passes on to websockets."""


class BaseGateway:
    """`async with BaseGateway() as gateway:` serves on `gateway.address`.

    The model is where GOOGLE_GEMINI_BASE_URL says, with SSL_CERT_FILE and GEMINI_API_KEY.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, *, rtp_ports: tuple[int, int] = (30000, 30398)
    ) -> None:
        self.ports = Ports(*rtp_ports)
        self.calls: list[Call] = []
        """Those that are not over."""
        self.dialled = 0
        self._dice = random.Random(1)
        self._where = (host, port)
        self._tasks: dict[asyncio.Task[None], Call] = {}

    async def __aenter__(self) -> Self:
        self._client: genai.Client | None = genai.Client(
            http_options=types.HttpOptions(api_version="v1beta", async_client_args=SOCKET)
        )
        self.live = self._client.aio.live
        loop = asyncio.get_running_loop()
        _, self.agent = await loop.create_datagram_endpoint(
            lambda: Agent(self, self._dice), local_addr=self._where
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for call in list(self.calls):
            call.dialog.hang_up()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._settle()
        self.agent.transport.close()
        await self.repent()
        client, self._client = self._client, None
        if client is not None:
            await client.aio.aclose()
        # A client that outlives its loop bears a task in the next one.
        del client, self.live
        await asyncio.sleep(0)

    async def _settle(self) -> None:
        """Our BYEs get two seconds to be answered."""
        dialogs = self.agent.dialogs.values()
        for _ in range(round(CLOSING_S / STEP_S)):
            if all(dialog.settled for dialog in dialogs):
                break
            await asyncio.sleep(STEP_S)
        for dialog in dialogs:
            dialog.drop()

    async def repent(self) -> None:
        """Undo what a sin left behind on purpose, once it was judged."""

    @property
    def address(self) -> Peer:
        """Where to dial."""
        return self.agent.address

    async def resources(self) -> dict[str, Any]:
        """What the process holds, in the names of the contract."""
        process = psutil.Process()
        return {
            "calls": len(self.calls),
            "gemini_sessions": len(self.calls),
            "threads": sorted(thread.name for thread in threading.enumerate()),
            "tasks": sorted(t.get_name() for t in asyncio.all_tasks() - {asyncio.current_task()}),
            "sockets": len(process.net_connections("inet")),
            "files": len(process.open_files()),
            "rtp_ports": {
                "lent": self.ports.lent,
                "resting": self.ports.resting(asyncio.get_running_loop().time()),
            },
        }

    # --- calls -------------------------------------------------------------------------------

    def called(self, dialog: Dialog) -> None:
        """An INVITE came: a task of ours carries the call."""
        self.dialled += 1
        call = Call(self, self.dialled, dialog)
        self.calls.append(call)
        task = asyncio.create_task(self._carry(call), name=call.name)
        self._tasks[task] = call
        task.add_done_callback(self._tasks.pop)

    async def _carry(self, call: Call) -> None:
        try:
            await call.run()
        finally:
            self.calls.remove(call)
            self.call_over(call)

    def call_answered(self, call: Call) -> None:
        """The 200 is out."""

    def call_over(self, call: Call) -> None:
        """Nothing of the call is left."""

    # --- SIP ---------------------------------------------------------------------------------

    def write_request(self, dialog: Dialog, method: str) -> bytes:
        """A request of ours inside the dialog: BYE or OPTIONS."""
        number, branch = self.next_cseq(dialog), dialog.agent.token()
        return write_request(dialog, method, number, self.from_and_to(dialog, method), branch)

    def from_and_to(self, dialog: Dialog, method: str) -> tuple[str, str]:
        """RFC 3261 12.2.1.1: From is the sender, that is us."""
        return dialog.to[1], dialog.invite.get("from")

    def next_cseq(self, dialog: Dialog) -> int:
        """RFC 3261 12.2.1.1: the number grows by one with each request."""
        dialog.cseq += 1
        return dialog.cseq

    def dialog_of_bye(self, message: Message, source: Peer) -> Dialog | None:
        """RFC 3261 12.2.2: Call-ID and both tags say which call a BYE ends."""
        return self.agent.dialogs.get(message.dialog)

    def write_bye_answer(self, message: Message, source: Peer) -> bytes:
        """RFC 3261 8.2.6.2: the 200 repeats Via, From, To, Call-ID and CSeq."""
        return write_response(message, source, 200, [("To", message.get("to"))])

    # --- RTP ---------------------------------------------------------------------------------

    def accept(self, offer: Offer, source: Peer) -> None:
        """RTP goes to nobody but the gate that calls."""
        if offer.host != source[0]:
            raise Refused(f"{source[0]} wants RTP sent to {offer.host}")

    async def open_stream(self, call: Call, offer: Offer) -> Stream:
        """Lend a port and open the one socket on it; LookupError when there is none."""
        loop = asyncio.get_running_loop()
        port = self.lend_port(loop.time())
        _, stream = await loop.create_datagram_endpoint(
            lambda: Stream(self, call, offer, self._dice), local_addr=(self._where[0], port)
        )
        return stream

    def close_stream(self, call: Call, stream: Stream) -> None:
        """The call is over: no packet more, and the port rests."""
        stream.stop()
        self.give_port_back(stream.address[1], asyncio.get_running_loop().time())

    def lend_port(self, now: float) -> int:
        """The port that has rested longest; LookupError when none has rested."""
        return self.ports.lend(now)

    def give_port_back(self, port: int, now: float) -> None:
        """It rests for 5 s: what the last caller still sends finds nobody."""
        self.ports.give_back(port, now)

    def send_frame(self, stream: Stream, frame: bytes | None) -> None:
        """Each 20 ms; None when the model says nothing: silence is sent then."""
        stream.send(encode(stream.offer.law, frame or SILENCE))

    def rtp_packet(self, stream: Stream, payload: bytes) -> bytes:
        """RFC 3550 5.1: one SSRC, the sequence grows by one, the timestamp by 160."""
        marker = stream.sent == 0
        return pack(stream.numbers, stream.offer.payload_type, payload, marker=marker)

    def rtp_error(self, stream: Stream, error: Exception) -> None:
        """An ICMP error (WinError 10054 on Windows) means nothing: carry on."""

    # --- the model ---------------------------------------------------------------------------

    def new_rate(self, from_hz: int, to_hz: int) -> Convert:
        """A change of rate with a memory of its own: for each call, for each direction."""
        return Rate(from_hz, to_hz)

    def caller_spoke(self, call: Call, pcm8: bytes) -> None:
        """20 ms of the caller at 8 kHz, for the model of this call."""
        call.tell_model(pcm8)

    def model_spoke(self, call: Call, pcm8: bytes) -> None:
        """The model's voice, at 8 kHz, for the caller of this call."""
        if call.stream is not None:
            call.stream.playout.put(pcm8)

    def caller_interrupts(self, call: Call) -> None:
        """The caller speaks over the model: what is not yet played is void."""
        if call.stream is not None:
            call.stream.playout.flush()

    async def model_lost(self, call: Call) -> None:
        """The model is gone in mid-call: on return the call is hung up."""

    def silence_starts_at(self, call: Call, answered_at: float) -> float:
        """When the 15 s begin: with the answer."""
        return answered_at

    def farewell_is_over(self, call: Call) -> bool:
        """After goodbye: when all of it was heard."""
        heard = call.stream is None or call.stream.playout.empty
        return call.farewell_at is not None and call.generation_over and heard


if __name__ == "__main__":
    from tests.bad_gateways.process import serve

    serve(BaseGateway)
