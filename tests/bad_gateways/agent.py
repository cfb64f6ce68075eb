"""The SIP side of the gateways in this folder: a user agent that is called (RFC 3261), over UDP."""

import asyncio
import random
from collections import OrderedDict
from typing import TYPE_CHECKING, cast

from tests.bad_gateways.dialogs import GIVE_UP_S, Dialog
from tests.bad_gateways.messages import ALLOW, Message, Peer, parse, write_response

if TYPE_CHECKING:
    from tests.bad_gateways.base import BaseGateway


class Agent(asyncio.DatagramProtocol):
    """The SIP socket: transactions by branch, dialogs by their tags."""

    def __init__(self, gateway: "BaseGateway", dice: random.Random) -> None:
        self.gateway = gateway
        self.dialogs: OrderedDict[tuple[str, str, str], Dialog] = OrderedDict()
        self._answers: OrderedDict[tuple[str, str, str], tuple[float, bytes]] = OrderedDict()
        self._dice = dice
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket stands."""
        self.transport = cast("asyncio.DatagramTransport", transport)
        self.address: Peer = transport.get_extra_info("sockname")[:2]

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""

    def error_received(self, exc: Exception) -> None:
        """An ICMP error of an earlier datagram: nothing to do about it."""

    def token(self) -> str:
        """A tag or the rest of a branch."""
        return f"{self._dice.getrandbits(48):012x}"

    def send(self, data: bytes, peer: Peer) -> None:
        """One datagram."""
        if not self.transport.is_closing():
            self.transport.sendto(data, peer)

    def response(
        self,
        request: Message,
        source: Peer,
        status: int,
        more: list[tuple[str, str]],
        body: bytes = b"",
    ) -> bytes:
        """Write a response and remember it for requests that come again (RFC 3261 17.2)."""
        data = write_response(request, source, status, more, body)
        self.remember(request, data)
        return data

    def remember(self, request: Message, data: bytes) -> None:
        """The answer to this request, for 32 s."""
        now = self._loop.time()
        self._answers[*request.transaction, request.method] = now, data
        while next(iter(self._answers.values()))[0] < now - GIVE_UP_S:
            self._answers.popitem(last=False)

    def respond(
        self, request: Message, source: Peer, status: int, more: list[tuple[str, str]]
    ) -> None:
        """Send a response without a body."""
        self.send(self.response(request, source, status, more), source)

    def datagram_received(self, data: bytes, addr: Peer) -> None:
        """Match the message, then act on it."""
        message, source = parse(data), addr[:2]
        if message is None:
            return
        if message.status:
            for dialog in list(self.dialogs.values()):
                dialog.responded(message)
            return
        if message.method == "ACK":
            if message.dialog in self.dialogs:
                self.dialogs[message.dialog].acknowledged()
            return
        known = self._answers.get((*message.transaction, message.method))
        if known is not None:
            self.send(known[1], source)
            return
        self._act(message, source)

    def _act(self, message: Message, source: Peer) -> None:
        dialog = self.dialogs.get(message.dialog)
        if message.method == "INVITE" and not message.tag("to"):
            self._call(message, source)
        elif message.method == "CANCEL":
            self._cancel(message, source)
        elif message.method == "BYE":
            self._bye(message, source)
        elif message.tag("to") and (dialog is None or dialog.state != "up"):
            self._refuse(message, source, 481)
        elif message.method == "INVITE" and dialog is not None:
            self._reinvite(message, source, dialog)
        elif message.method == "OPTIONS":
            more = [("Allow", ALLOW), ("Accept", "application/sdp"), ("Supported", "")]
            self.respond(message, source, 200, [self._to(message), *more])
        else:
            self._refuse(message, source, 405)

    def _to(self, message: Message) -> tuple[str, str]:
        tag = "" if message.tag("to") else f";tag={self.token()}"
        return "To", message.get("to") + tag

    def _refuse(self, message: Message, source: Peer, status: int) -> None:
        self.respond(message, source, status, [self._to(message), ("Allow", ALLOW)])

    def _call(self, invite: Message, source: Peer) -> None:
        self.respond(invite, source, 100, [("To", invite.get("to"))])
        for key in [key for key, dialog in self.dialogs.items() if dialog.settled]:
            del self.dialogs[key]
        dialog = Dialog(self, invite, source, self.token(), self._dice.randrange(1, 900))
        self.dialogs[dialog.key] = dialog
        self.gateway.called(dialog)

    def _reinvite(self, message: Message, source: Peer, dialog: Dialog) -> None:
        sdp = dialog.answer_sdp(message.body)
        if sdp is None:
            self._refuse(message, source, 488)
            return
        more = [self._to(message), dialog.contact, ("Allow", ALLOW), ("Supported", "")]
        more.append(("Content-Type", "application/sdp"))
        self.send(self.response(message, source, 200, more, sdp), source)

    def _cancel(self, message: Message, source: Peer) -> None:
        """RFC 3261 9.2: it goes with the INVITE of the same transaction."""
        calls = [d for d in self.dialogs.values() if d.invite.transaction == message.transaction]
        if not calls:
            self._refuse(message, source, 481)
            return
        self.respond(message, source, 200, [("To", f"{message.get('to')};tag={calls[0].tag}")])
        calls[0].reject(487)

    def _bye(self, message: Message, source: Peer) -> None:
        dialog = self.gateway.dialog_of_bye(message, source)
        if dialog is None or dialog.state != "up":
            self._refuse(message, source, 481)
            return
        data = self.gateway.write_bye_answer(message, source)
        self.remember(message, data)
        self.send(data, source)
        dialog.ended_by_peer()
