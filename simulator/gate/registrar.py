"""The gate as registrar: takes the gateway's REGISTERs, keeps bindings, judges (RFC 3261 10)."""

import asyncio
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .authenticator import Authenticator, Verdict
from .called_dialog import user_of
from .judge import Findings, Violation
from .judge_response import usable
from .response import Reply, reply
from .transaction import Watch
from .wire import Address, RawMessage, parameter, uri_address, uri_of

BINDINGS_MAX = 1000
KEPT = 256


@dataclass(frozen=True)
class Binding:
    """Where somebody can be reached, and how long."""

    user: str
    "The address of record's user part."

    contact: str
    "The URI to call."

    source: Address
    "Where the REGISTER came from."

    expires_s: int
    "What was granted."

    until: float
    "Loop time of its end."

    call_id: str
    "Of the REGISTER that made it."


class Registrar:
    """`gate.accept_registrations({"gateway": "secret"})`; see `bindings` and `registered()`."""

    def __init__(
        self,
        users: dict[str, str],
        source: random.Random,
        findings: Findings,
        watch: Watch,
        *,
        min_expires_s: int = 0,
        max_expires_s: int = 3600,
        **asks: Any,
    ) -> None:
        """`asks` goes to Authenticator: realm, algorithms, nonce_s, status ..."""
        self.asks = Authenticator(users, source, **asks)
        self.min_expires_s = min_expires_s
        self.max_expires_s = max_expires_s
        self.statuses: deque[int] = deque(maxlen=KEPT)
        """What each REGISTER was answered."""
        self.granted_at: deque[float] = deque(maxlen=KEPT)
        """When each REGISTER was granted."""
        self.lapsed: deque[Binding] = deque(maxlen=KEPT)
        """Bindings that ended because no refresh came in time."""
        self._findings = findings
        self._watch = watch
        self._loop = asyncio.get_running_loop()
        self._bindings: dict[tuple[str, str], Binding] = {}
        self._planned: deque[Reply] = deque(maxlen=KEPT)
        self._numbers: dict[str, int] = {}

    @property
    def bindings(self) -> list[Binding]:
        """What is registered now."""
        now = self._loop.time()
        for key, binding in list(self._bindings.items()):
            if binding.until <= now:
                self.lapsed.append(self._bindings.pop(key))
        return list(self._bindings.values())

    def binding(self, user: str) -> Binding | None:
        """The newest binding of a user."""
        return next((each for each in reversed(self.bindings) if each.user == user), None)

    async def registered(self, user: str, within_s: float = 32.0) -> Binding:
        """Wait until the user is registered; AssertionError when it is not in time."""
        await self._watch.until(lambda: self.binding(user) is not None, within_s)
        found = self.binding(user)
        if found is None:
            heard = f"REGISTERs so far were answered {list(self.statuses)}"
            raise AssertionError(f"{user!r} has not registered within {within_s:.0f} s: {heard}")
        return found

    async def unregistered(self, user: str, within_s: float = 32.0) -> None:
        """Wait until the user is gone; AssertionError when it is not in time."""
        if not await self._watch.until(lambda: self.binding(user) is None, within_s):
            raise AssertionError(f"{user!r} is still registered after {within_s:.0f} s")

    def answer_next(self, status: int, *headers: str) -> None:
        """Answer the next REGISTER with this, whatever it says."""
        self._planned.append(reply(status, *headers))

    def forget(self, user: str) -> None:
        """Lose a user's bindings, as a restarted gate does."""
        for key in [key for key in self._bindings if key[0] == user]:
            del self._bindings[key]
        self._watch.changed()

    # --- a REGISTER -------------------------------------------------------------------------

    def on_register(self, request: RawMessage, source: Address) -> Reply:
        """Judge it, ask for the password, bind."""
        self._findings.add(*self._judge(request))
        self._numbers[request.call_id] = request.cseq[0]
        answer = self._answer(request, source)
        self.statuses.append(answer.status)
        self._watch.changed()
        return answer

    def _answer(self, request: RawMessage, source: Address) -> Reply:
        if self._planned:
            return self._planned.popleft()
        now = self._loop.time()
        verdict, username, found = self.asks.check(request, now)
        self._findings.add(*found)
        if verdict in (Verdict.MISSING, Verdict.STALE):
            return self.asks.challenge(now, stale=verdict is Verdict.STALE)
        if verdict is Verdict.WRONG:
            # RFC 3261 22.1 lets a server ask again; a gate that knows the user says no.
            return reply(403)
        user = user_of(uri_of(request.get("to") or "")) or username
        if user != username:
            return reply(403)
        return self._bind(request, user, source, now)

    def _bind(self, request: RawMessage, user: str, source: Address, now: float) -> Reply:
        """RFC 3261 10.3 steps 6 to 8."""
        contacts = request.many("contact")
        if contacts == ["*"]:
            self.forget(user)
            return self._granted(user, now)
        for contact in contacts:
            asked_s = _expires_s(request, contact)
            if 0 < asked_s < self.min_expires_s:
                return reply(423, f"Min-Expires: {self.min_expires_s}", contact="")
        for contact in contacts:
            seconds = min(_expires_s(request, contact), self.max_expires_s)
            self._bindings.pop((user, uri_of(contact)), None)
            if seconds > 0 and len(self._bindings) < BINDINGS_MAX:
                uri = uri_of(contact)
                binding = Binding(user, uri, source, seconds, now + seconds, request.call_id)
                self._bindings[user, uri] = binding
        return self._granted(user, now)

    def _granted(self, user: str, now: float) -> Reply:
        self.granted_at.append(now)
        own = [each for each in self.bindings if each.user == user]
        lines = ", ".join(f"<{each.contact}>;expires={round(each.until - now)}" for each in own)
        return reply(200, contact=lines)

    def _judge(self, request: RawMessage) -> Iterator[Violation]:
        if "@" in request.request_uri:
            text = f"REGISTER to {request.request_uri!r}: a registrar's URI has no user"
            yield Violation("register-uri", "RFC 3261 10.2", text)
        if not request.tag("from"):
            yield Violation("from-tag-missing", "RFC 3261 8.1.1.3", f"From {request.get('from')!r}")
        if request.tag("to") is not None:
            yield Violation("to-tag-early", "RFC 3261 8.1.1.2", f"To {request.get('to')!r}")
        last = self._numbers.get(request.call_id)
        if last is not None and request.cseq[0] != last + 1:
            text = f"REGISTER with CSeq {request.cseq[0]} after {last}, due {last + 1}"
            yield Violation("register-cseq", "RFC 3261 10.2", text)
        for contact in request.many("contact"):
            if contact == "*":
                if (request.get("expires") or "").strip() != "0":
                    text = "Contact: * without Expires: 0"
                    yield Violation("register-star", "RFC 3261 10.2.2", text)
            elif not usable(uri_address(uri_of(contact))):
                yield Violation("contact-unusable", "RFC 3261 8.1.1.8", f"Contact {contact!r}")


def _expires_s(request: RawMessage, contact: str) -> int:
    """RFC 3261 10.2.1.1: the Contact's own expires, else the header, else an hour."""
    value = parameter(contact.rpartition(">")[2], "expires") or request.get("expires") or ""
    return int(value) if value.strip().isdecimal() else 3600
