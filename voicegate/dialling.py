"""Calls that we make: by order (the operator's, the command line's) or because a REFER asked."""

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from voicegate.endings import HangupReason
from voicegate.logs import get_logger
from voicegate.sip.address import Address
from voicegate.sip.digest import Credentials
from voicegate.sip.headers import SipUri, user_of
from voicegate.sip.login import Login
from voicegate.sip.outgoing import Destination, OutgoingCall
from voicegate.story import Event, Happening
from voicegate.trunk import CannotListen, address_of

if TYPE_CHECKING:
    from voicegate.call import Call
    from voicegate.gateway import Gateway

log = get_logger(__name__)

NUMBER = re.compile(r"[0-9A-Za-z+*#._-]{1,64}")
"""What may be dialled; nothing in it can become a part of a URI of its own."""
ACCEPTED, DECLINED, UNAVAILABLE = 202, 603, 503
ANSWERED = "answered"


class NotDialled(Exception):
    """A call that could not even be tried; the text says why."""


class Busy(NotDialled):
    """No room for one more call now; later there may be."""


def dialled_uri(number: str, place: str) -> str:
    """The URI of that number at a gate; raises NotDialled for what is no number."""
    if NUMBER.fullmatch(number) is None:
        raise NotDialled("a number has 1 to 64 of 0-9 A-Z a-z + * # . _ -")
    return f"sip:{number.replace('#', '%23')}@{place}"


class Dialling:
    """Begins calls of ours in their gateway."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self._settings = gateway.config.sip
        self._outbound: tuple[str, Address] | None = None

    async def dial(self, number: str) -> tuple[int, "Call"]:
        """Begin a call to that number by sip.outbound, or to the gate that has registered with us
        under that name; raises NotDialled."""
        bound = self._gateway.agent.binding(number)
        if bound is not None:
            # no login: our account is another gate's
            there = self._destination(bound.contact, bound.flow.peer)
            return self._begin(replace(there, login=None))
        place, peer = await self._route()
        return self._begin(self._destination(dialled_uri(number, place), peer))

    def referred(self, call: "Call", target: str) -> int:
        """Answer the REFER of a call: where it is to be followed, call whom it names.

        By the gate that asks, whatever host it names: only the number is taken, so that nobody can
        have us call, and send sound to, a stranger.
        """
        if self._settings.refer == "decline":
            return DECLINED
        peer = call.dialog.source
        try:
            uri = dialled_uri(user_of(target), str(peer))
            number, made = self._begin(self._destination(uri, peer))
        except NotDialled as error:
            log.info("transfer not followed", why=str(error))
            return UNAVAILABLE
        log.info("transfer followed", call=number)
        _tell(call, made)
        return ACCEPTED

    def _begin(self, destination: Destination) -> tuple[int, "Call"]:
        if not self._gateway.takes_calls:
            raise Busy("no more calls are taken now")
        leg = self._gateway.agent.outgoing(destination)
        if leg is None:
            raise NotDialled(f"no way to {destination.peer}: not listening by its transport")
        return self._gateway.begin(leg)

    def _destination(self, uri: str, peer: Address) -> Destination:
        settings = self._settings
        caller = settings.caller_id or settings.username or "voicegate"
        login = None
        if settings.username:
            secret = settings.password.get_secret_value()
            login = Login(Credentials(settings.username, secret), self._gateway.random)
        own = SipUri.parse(uri)
        ours = dialled_uri(caller, _place(own))
        return Destination(uri, ours, peer, login, self._settings.ring_limit_s)

    async def _route(self) -> tuple[str, Address]:
        """Host and port as sip.outbound says them, and their address."""
        target = self._settings.outbound or self._settings.registrar
        if not target:
            raise NotDialled("sip.outbound is not set: nobody to call by")
        if self._outbound is None:
            uri = SipUri.parse(target)
            try:
                address = await address_of(uri, "sip.outbound")
            except CannotListen as error:
                raise NotDialled(str(error)) from error
            self._gateway.hear_from(address.host)
            self._outbound = _place(uri), address
        return self._outbound


def _place(uri: SipUri) -> str:
    """Host and port as a URI has them: an IPv6 host in brackets."""
    host = f"[{uri.host}]" if ":" in uri.host else uri.host
    return host if uri.port is None else f"{host}:{uri.port}"


async def outcome(call: "Call") -> str:
    """Wait until a call of ours is answered, or has ended without: ANSWERED, or why not."""
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def heed(event: Event) -> None:
        if not told.done() and event.what is Happening.ANSWERED:
            told.set_result(ANSWERED)
        elif not told.done() and event.what is Happening.ENDED:
            told.set_result(str(event.fields["reason"]))

    call.story.listen(heed)
    return await told


def _tell(referrer: "Call", made: "Call") -> None:
    """Tell who asked for a call how it goes; answered, it takes the place of theirs."""
    leg = made.dialog
    if not isinstance(leg, OutgoingCall):
        raise TypeError("a followed transfer is a call of ours")

    def progress(status: int) -> None:
        referrer.dialog.tell_transfer(status)
        if 200 <= status < 300:
            referrer.end(HangupReason.TRANSFERRED)

    def heed(event: Event) -> None:
        if event.what is Happening.ENDED and leg.status is None:
            # it never came to a final answer: no port, no voice, nobody in time
            referrer.dialog.tell_transfer(UNAVAILABLE)

    leg.on_progress = progress
    made.story.listen(heed)
