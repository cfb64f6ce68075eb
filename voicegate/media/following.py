"""The part of a session that follows offers and answers: hold and resume, port, codec, length."""

import asyncio
from collections.abc import Callable

from voicegate.media.answer import Answer, Target
from voicegate.media.control import Control
from voicegate.media.incoming import Incoming
from voicegate.media.offer import Agreement
from voicegate.media.outgoing import Outgoing


class Following:
    """What was agreed on holds for both directions from the next packet on."""

    def __init__(
        self, agreement: Agreement, incoming: Incoming, outgoing: Outgoing, control: Control
    ) -> None:
        self._agreement = agreement
        self._answer = agreement.now
        self._in, self._out = incoming, outgoing
        self.control = control
        """The RTCP side."""
        self._remote: Target | None = agreement.now.remote
        self._loop = asyncio.get_running_loop()
        self._stopped = False
        self._parked_until: float | None = None
        self.on_parked: Callable[[bool], None] = lambda _parked: None
        """Told when a hold begins and when it ends."""

    @property
    def local_sdp(self) -> bytes:
        """Our description, as it stands."""
        return self._agreement.now.body

    @property
    def codec_name(self) -> str:
        """`PCMU` or `PCMA`."""
        return self._answer.codec.name

    def renegotiate(self, body: bytes) -> bytes | None:
        """Answer another offer and follow it (RFC 3264 8): hold, port, codec, packet length.

        None where it cannot be taken (488): then all is as before.
        """
        answer = None if self._stopped else self._agreement.renegotiate(body)
        self._follow(answer)
        return answer.body if answer else None

    def offer(self) -> bytes | None:
        """What we can do, for a caller that asks for our offer; `agree` takes the answer."""
        return None if self._stopped else self._agreement.offer()

    def agree(self, body: bytes) -> bool:
        """Take the answer to our offer; False where it is none that we can take."""
        answer = None if self._stopped else self._agreement.agree(body)
        self._follow(answer)
        return answer is not None

    def _follow(self, answer: Answer | None) -> None:
        if answer is None or answer.agrees_with(self._answer):
            return
        was_parked, now = self.parked, self._loop.time()
        self._answer, self._remote = answer, answer.remote
        self._out.follow(answer)
        self._in.follow(answer)
        self.control.follow(answer)
        self._in.due(parked=self.parked, now=now)
        if self.parked is not was_parked:
            self._parked_until = now
            self.on_parked(self.parked)

    @property
    def parked(self) -> bool:
        """Whether the caller has put us on hold: nothing comes, or nothing may be sent."""
        return not (self._out.sends and self._in.receives)

    @property
    def last_parked_at(self) -> float | None:
        """Loop time at which the caller had us on hold last; None before any hold."""
        return self._loop.time() if self.parked else self._parked_until
