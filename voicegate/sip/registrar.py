"""A small registrar (RFC 3261 10.3): gates with changing addresses tell us where they are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from voicegate.sip.address import Address, Flow
from voicegate.sip.core import UaCore
from voicegate.sip.headers import NameAddr, SipUri, param, user_of
from voicegate.sip.message import Headers, Received

MAX_BINDINGS = 256
MAX_BINDINGS_A_USER = 4
MIN_EXPIRES_S = 30
MAX_EXPIRES_S = 3600

_SECONDS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a user of ours can be called."""

    user: str
    contact: str
    """The URI to call."""
    flow: Flow
    """The way to it: back whence the REGISTER came, whatever the contact says."""
    until: float
    call_id: str
    cseq: int


class Registrar:
    """Keeps bindings until they are over; every REGISTER has shown its user's password."""

    def __init__(self, core: UaCore) -> None:
        self._core = core
        self._bindings: dict[tuple[str, str], Binding] = {}

    def binding(self, user: str, now: float) -> Binding | None:
        """The newest one of that user, None where there is none."""
        found = [each for each in self._live(now) if each.user == user]
        return max(found, key=lambda each: each.until, default=None)

    def needs(self, peer: Address) -> bool:
        """Whether that connection is the way to a user of ours."""
        return any(each.flow.peer == peer for each in self._bindings.values())

    def receive(self, got: Received, user: str, now: float) -> None:
        """A REGISTER of that user."""
        status, headers = self._answer(got, user, now)
        self._core.answer(got, status, now, headers=headers)

    def _live(self, now: float) -> list[Binding]:
        self._bindings = {key: one for key, one in self._bindings.items() if one.until > now}
        return list(self._bindings.values())

    def _answer(self, got: Received, user: str, now: float) -> tuple[int, Headers]:
        request = got.request
        if user_of(request.to.uri) != user:
            # who knows one password is no other user
            return 403, ()
        contacts = request.listed("Contact")
        if contacts == ["*"]:
            if (request.header("Expires") or "").strip() != "0":
                return 400, ()
            self._bindings = {k: one for k, one in self._bindings.items() if k[0] != user}
            return 200, ()
        try:
            wanted = {_contact_uri(each): _expires_s(got, each) for each in contacts}
        except ValueError:
            return 400, ()
        if any(0 < seconds < MIN_EXPIRES_S for seconds in wanted.values()):
            return 423, (("Min-Expires", str(MIN_EXPIRES_S)),)
        return self._bind(got, user, wanted, now)

    def _bind(
        self, got: Received, user: str, wanted: dict[str, int], now: float
    ) -> tuple[int, Headers]:
        request = got.request
        known = self._live(now)
        for uri, seconds in wanted.items():
            old = self._bindings.pop((user, uri), None)
            if old and old.call_id == request.call_id and old.cseq >= request.cseq.number:
                # RFC 3261 10.3: out of order, the newer one stands
                self._bindings[user, uri] = old
                return 500, ()
            own = sum(key[0] == user for key in self._bindings)
            if seconds and (own >= MAX_BINDINGS_A_USER or len(self._bindings) >= MAX_BINDINGS):
                self._core.counters["dropped_bindings"] += 1
                self._bindings = {(one.user, one.contact): one for one in known}
                return 503, (("Retry-After", str(MIN_EXPIRES_S)),)
            if seconds:
                self._bindings[user, uri] = Binding(
                    user,
                    uri,
                    Flow(got.local, got.source),
                    now + min(seconds, MAX_EXPIRES_S),
                    request.call_id,
                    request.cseq.number,
                )
        # RFC 3261 10.3 step 8: all of this user's bindings, each with its time
        own_lines = [
            ("Contact", f"<{one.contact}>;expires={round(one.until - now)}")
            for one in self._bindings.values()
            if one.user == user
        ]
        return 200, tuple(own_lines)


def _contact_uri(value: str) -> str:
    uri = NameAddr.parse(value).uri.partition("?")[0]
    SipUri.parse(uri)
    return uri


def _expires_s(got: Received, contact: str) -> int:
    """RFC 3261 10.2.1.1: the Contact's own, else the header's, else an hour."""
    own = param(NameAddr.parse(contact).params, "expires")
    text = (own or got.request.header("Expires") or str(MAX_EXPIRES_S)).strip()
    return int(text) if _SECONDS.fullmatch(text) else MAX_EXPIRES_S
