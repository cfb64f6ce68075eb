"""Opening the media of a call: a lent port, one socket, and the answer to the offer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from random import Random

from voicegate.aio import beside
from voicegate.ear import Ear
from voicegate.media.answer import Answer, Target, make_answer
from voicegate.media.clock import Ticker
from voicegate.media.lent import LentSocket, RtpProtocol
from voicegate.media.offer import Agreement, make_offer, unanswered
from voicegate.media.ports import PortPool
from voicegate.media.rules import MediaRules
from voicegate.media.sdp import parse_offer
from voicegate.media.session import MediaSession
from voicegate.windows import fine_timer

_DATAGRAM_MAX = 2048
"""asyncio allocates its largest datagram for every receive: 256 KiB unless told. No RTP packet is
longer than this (a signalling socket must not do it)."""
AS_USUAL = MediaRules()


class _Line:
    """The socket of a session, or the one that took its place."""

    def __init__(self, session: MediaSession, lent: LentSocket, local_host: str) -> None:
        self._session = session
        self._lent = lent
        self._local = (local_host, lent.port)
        self._ear = Ear(session.hearing, lent.port)
        self._transport: asyncio.DatagramTransport
        self._protocol: RtpProtocol

    async def open(self) -> None:
        self._transport, self._protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: RtpProtocol(self._session, self._ear), sock=self._lent.sock
        )
        self._transport.max_size = _DATAGRAM_MAX  # type: ignore[attr-defined]
        if self._lent.is_open:
            self._session.attach(self._transport, self._local, self._lent.close)
        else:  # the call has ended meanwhile
            self._transport.abort()

    async def keep_hearing(self) -> None:
        """Reopen the socket where it has gone deaf. On hold the caller owes us nothing."""
        await self._ear.keep(self._reopen, expects=lambda: not self._session.parked)

    async def _reopen(self) -> None:
        self._session.attach(None, self._local, self._lent.close)
        self._transport.abort()
        await self._protocol.closed
        self._lent.rebind()
        await self.open()

    async def closed(self) -> None:
        await self._protocol.closed


@asynccontextmanager
async def open_media(
    offer: bytes,
    *,
    pool: PortPool,
    ticker: Ticker,
    local_host: str,
    bind_host: str,
    codecs: tuple[str, ...],
    signalling_host: str,
    allowed: Callable[[str], bool],
    random: Random,
    own_addresses: Collection[Target] = (),
    rules: MediaRules = AS_USUAL,
) -> AsyncIterator[MediaSession]:
    """Open the media that the offer asks for, or, where it is empty, media that we offer; at the
    end of the block nothing of it is left.

    `local_host` goes into the answer, `bind_host` is what the socket binds to. `own_addresses` are
    sockets of ours (the SIP port) that no offer may name. Raises OfferRefused or NoPortFree.
    """
    loop = asyncio.get_running_loop()
    if offer:
        parse_offer(offer)  # what is no offer costs no port
    session_id = random.getrandbits(48)

    def answer(body: bytes, version: int, current: Answer | None = None) -> Answer:
        return make_answer(
            parse_offer(body),
            local_host=rules.advertised_address or local_host,
            local_port=lent.port,
            codecs=codecs,
            signalling_host=signalling_host,
            allowed=allowed,
            session_id=session_id,
            version=version,
            own_addresses=own,
            current=current,
        )

    def own_offer(version: int) -> bytes:
        return make_offer(local_host, lent.port, codecs, session_id, version)

    lent = LentSocket(pool, bind_host, loop)
    own = (*own_addresses, (local_host, lent.port), (local_host, lent.port + 1))
    try:
        first = answer(offer, 1) if offer else unanswered(own_offer(1), codecs[0])
        session = MediaSession(Agreement(first, answer, own_offer), ticker, random, rules, own)
        line = _Line(session, lent, local_host)
        async with _controlled(session, lent):
            await line.open()
            try:
                lent.advertised = True
                with fine_timer():
                    async with beside(line.keep_hearing(), f"rtp-ear-{lent.port}"):
                        yield session
            finally:
                session.stop()
                await line.closed()
    finally:
        lent.close()


@asynccontextmanager
async def _controlled(session: MediaSession, lent: LentSocket) -> AsyncIterator[None]:
    """Let the session's RTCP have its socket."""
    transport, control = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: session.control, sock=lent.control
    )
    transport.max_size = _DATAGRAM_MAX  # type: ignore[attr-defined]
    try:
        yield
    finally:
        transport.abort()
        await control.closed
