"""We register at a gate or trunk (RFC 3261 10.2), and stay so: refreshed, tried again when lost.

TRYING --200--> UP --refresh, half-time or a minute before the end--> UP
   +--refusal, or none in 32 s--> LOST --back-off--> TRYING          any --stop--> OFF
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import quote

from voicegate.sip.address import Address, Flow
from voicegate.sip.core import UaCore
from voicegate.sip.digest import ANSWERS
from voicegate.sip.headers import NameAddr, SipUri, param
from voicegate.sip.login import Login
from voicegate.sip.message import Headers, Request, Response
from voicegate.sip.timers import Timer

MAX_ATTEMPTS = 5
"""A proxy's password, a registrar's, a stale nonce, a longer time: then it is a refusal."""
MIN_BACKOFF_S = 5.0
MAX_BACKOFF_S = 600.0
REFRESH_EARLY_S = 60.0


class RegistrationState(Enum):
    TRYING = "trying"
    UP = "up"
    LOST = "lost"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Account:
    """One registrar and who we are there."""

    registrar: SipUri
    username: str
    flow: Flow
    """The way to it."""
    login: Login = field(repr=False)
    expires_s: int = 300
    """What we ask for."""


Tell = Callable[[Account, RegistrationState, int], None]
"""Told of each new state, with the status of the refusal where there was one."""


class Registration:
    """One account, kept registered from `start` to `stop`."""

    def __init__(self, core: UaCore, account: Account, tell: Tell) -> None:
        self.account = account
        self.state = RegistrationState.OFF
        self._core = core
        self._on_change = tell
        self._call_id = core.new_call_id()
        self._tag = core.new_tag()
        self._number = core.random.randint(1, 9999)
        self._expires_s = account.expires_s
        self._attempts = 0
        self._failures = 0
        self._timer: Timer | None = None
        self._stops = False
        self._request: Request | None = None

    def start(self, now: float) -> None:
        """Register, and from now on see to it that it stays so."""
        self._tell(RegistrationState.TRYING)
        self._begin(now)

    def stop(self, now: float) -> None:
        """Take our binding away (RFC 3261 10.2.2), and do nothing more."""
        was_up, self._stops = self.state is RegistrationState.UP, True
        self._cancel_timer()
        self._tell(RegistrationState.OFF)
        if was_up:
            self._expires_s = 0
            self._begin(now)

    def lose(self, peer: Address, now: float) -> None:
        """The connection it stands on is gone: the registrar reaches us by a new one only."""
        if peer == self.account.flow.peer and self.state is RegistrationState.UP:
            self._fail(now, 0)

    def _begin(self, now: float) -> None:
        self._cancel_timer()
        self._attempts = 0
        self._send(now)

    def _send(self, now: float, credentials: Headers = ()) -> None:
        account, core = self.account, self._core
        self._attempts += 1
        self._number += 1
        server = SipUri(
            account.registrar.scheme, "", account.registrar.host, account.registrar.port
        )
        user = quote(account.username, safe="-_.!~*'()&=+$,;?/")
        party = SipUri(server.scheme, user, server.host, server.port)
        local = account.flow.local
        contact = local.uri.replace("sip:", f"sip:{user}@", 1)
        request = Request(
            "REGISTER",
            str(server),
            (
                ("Via", f"SIP/2.0/UDP {local};branch={core.new_branch()};rport"),
                ("Max-Forwards", "70"),
                ("From", f"<{party}>;tag={self._tag}"),
                ("To", f"<{party}>"),
                ("Call-ID", self._call_id),
                ("CSeq", f"{self._number} REGISTER"),
                ("Contact", f"<{contact}>"),
                ("Expires", str(self._expires_s)),
                *credentials,
                ("User-Agent", core.product),
            ),
        )
        self._request = request
        core.layer.start(
            request, account.flow, now, lambda got, now: self._answered(request, got, now)
        )

    def _answered(self, request: Request, response: Response | None, now: float) -> None:
        if request is not self._request:
            # an older one: overtaken by a stop, or by a connection that was lost
            return
        if response is None:
            self._fail(now, 408)
        elif 200 <= response.status < 300:
            self._granted(request, response, now)
        elif response.status >= 300 and not self._asks_again(request, response, now):
            self._fail(now, response.status, _seconds(response.header("Retry-After")))

    def _asks_again(self, request: Request, response: Response, now: float) -> bool:
        """Send it once more, with what was asked for; False where nothing we have was."""
        if self._attempts >= MAX_ATTEMPTS:
            return False
        if response.status in ANSWERS:
            credentials = self.account.login.answer(request, response)
            if credentials is not None:
                self._send(now, credentials)
            return credentials is not None
        shortest_s = _seconds(response.header("Min-Expires"))
        if response.status != 423 or shortest_s <= self._expires_s or self._stops:
            return False
        # RFC 3261 10.2.8
        self._expires_s = shortest_s
        self._send(now)
        return True

    def _granted(self, request: Request, response: Response, now: float) -> None:
        if self._stops:
            return
        self._failures = 0
        granted_s = _granted_s(request, response) or self._expires_s
        refresh_s = max(granted_s / 2, granted_s - REFRESH_EARLY_S)
        self._timer = self._core.layer.timers.at(now + refresh_s, self._begin)
        self._tell(RegistrationState.UP)

    def _fail(self, now: float, status: int, after_s: int = 0) -> None:
        if self._stops:
            return
        self._request = None
        self._cancel_timer()
        self._failures += 1
        backoff_s = min(MAX_BACKOFF_S, MIN_BACKOFF_S * 2 ** min(self._failures - 1, 10))
        # a restarted registrar must not be met by all its gateways in one instant
        wait_s = max(min(after_s, MAX_BACKOFF_S), backoff_s * self._core.random.uniform(0.5, 1.0))
        self._timer = self._core.layer.timers.at(now + wait_s, self._begin)
        self._core.counters["failed_registrations"] += 1
        self._tell(RegistrationState.LOST, status)

    def _tell(self, state: RegistrationState, status: int = 0) -> None:
        if state is not self.state:
            self.state = state
            self._on_change(self.account, state, status)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _seconds(text: str | None) -> int:
    """A number of seconds, before whatever comment; 0 where there is none."""
    digits = (text or "").partition(";")[0].partition("(")[0].strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 8 else 0


def _granted_s(request: Request, response: Response) -> int:
    """RFC 3261 10.2.4: what our own Contact says in the answer, else its Expires."""
    own = NameAddr.parse(request.header("Contact") or "").uri
    for value in response.listed("Contact"):
        try:
            contact = NameAddr.parse(value)
        except ValueError:
            continue
        if contact.uri == own:
            return _seconds(param(contact.params, "expires"))
    return _seconds(response.header("Expires"))
