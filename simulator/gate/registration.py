"""The gate registers to the gateway: with a password, again before the time is over, and off."""

import asyncio
from collections import deque
from collections.abc import Callable

from .dialog import CallerDialog
from .digest import Responder, best_challenge
from .judge import Findings, Violation
from .judge_digest import judge_challenge
from .party import NoAnswer
from .transaction import TIMEOUT_S, ClientTransaction, Watch
from .wire import RawMessage, normal, parameter, uri_of

KEPT = 256
REFRESH_AT = 0.5
"""RFC 3261 10.2.4 leaves the moment to the client; half the time leaves room for resends."""


class RegistrationRefused(RuntimeError):
    """The gateway gave a REGISTER a final answer other than 2xx."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"registration refused: {status} {reason}")
        self.status = status


class Registration:
    """One address of record of the gate at the gateway; keeps itself up until `off()`."""

    def __init__(
        self,
        dialog: CallerDialog,
        start: Callable[["Registration", bytes], ClientTransaction],
        responder: Responder | None,
        findings: Findings,
        watch: Watch,
        *,
        expires_s: int,
    ) -> None:
        self.dialog = dialog
        self.expires_s = expires_s
        self.granted_s = 0
        """What the gateway granted last; 0 for nothing."""
        self.granted_at: deque[float] = deque(maxlen=KEPT)
        self.statuses: deque[int] = deque(maxlen=KEPT)
        """The final status of each REGISTER."""
        self.refreshes = True
        """Whether it refreshes itself; set it to False to let it lapse."""
        self._start = start
        self._responder = responder
        self._findings = findings
        self._watch = watch
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._transaction: ClientTransaction | None = None
        self._asking_s = expires_s
        self._challenges = 0
        self._refused: RawMessage | None = None
        self._done = False

    @property
    def is_up(self) -> bool:
        """Whether the gateway holds the binding still, as far as it has said."""
        up_to = self.granted_at[-1] + self.granted_s if self.granted_at else 0.0
        return self.granted_s > 0 and self._loop.time() < up_to

    async def on(self, within_s: float = TIMEOUT_S + 1) -> None:
        """Register; raises RegistrationRefused or NoAnswer."""
        await self._ask(self.expires_s, within_s)

    async def off(self, within_s: float = TIMEOUT_S + 1) -> None:
        """Take the binding away (RFC 3261 10.2.2)."""
        await self._ask(0, within_s)

    async def leave(self, *, failing: bool) -> None:
        """The end of `async with`: take the binding away."""
        if failing or not self.is_up:
            self.stop()
        else:
            await self.off()

    def stop(self) -> None:
        """Refresh no more; what the gateway holds lapses."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _ask(self, seconds: int, within_s: float) -> None:
        self._begin(seconds)
        await self._watch.until(lambda: self._done, within_s)
        if self._refused is not None:
            raise RegistrationRefused(self._refused.status, self._refused.reason)
        if not self._done:
            raise NoAnswer(f"no answer to REGISTER from {self.dialog.gateway}")

    def _begin(self, seconds: int) -> None:
        self.stop()
        self._asking_s, self._challenges = seconds, 0
        self._refused, self._done = None, False
        self._send()

    def _refresh(self) -> None:
        if self.refreshes:
            self._begin(self.expires_s)

    def _send(self, *headers: str) -> None:
        lines = (f"Expires: {self._asking_s}", *headers)
        self._transaction = self._start(self, self.dialog.request("REGISTER", headers=lines))

    def on_response(self, transaction: ClientTransaction, response: RawMessage) -> None:
        """Take an answer: a challenge, a longer time, or the end of it."""
        if response.status < 200 or len(transaction.finals_at) > 1:
            return
        self.statuses.append(response.status)
        if response.status in (401, 407) and self._answer_challenge(transaction, response):
            return
        if response.status == 423 and self._ask_longer(response):
            return
        if response.status < 300:
            self._granted(transaction.request, response)
        else:
            self._refused = response
            self.granted_s = 0
        self._done = True
        self._watch.changed()

    def _answer_challenge(self, transaction: ClientTransaction, response: RawMessage) -> bool:
        self._findings.add(*judge_challenge(response))
        asked, answered = "www-authenticate", "Authorization"
        if response.status == 407:
            asked, answered = "proxy-authenticate", "Proxy-Authorization"
        challenge = best_challenge(response.all(asked))
        if self._responder is None or challenge is None or self._challenges >= 2:
            return False
        if self._challenges and not challenge.stale:
            return False  # RFC 3261 22.1: the same password again would be refused again
        self._challenges += 1
        value = self._responder.answer(challenge, "REGISTER", transaction.request.request_uri)
        self._send(f"{answered}: {value}")
        return True

    def _ask_longer(self, response: RawMessage) -> bool:
        """RFC 3261 10.2.8: 423 names the shortest time; ask for that."""
        value = (response.get("min-expires") or "").strip()
        if not value.isdecimal() or int(value) <= self._asking_s:
            text = f"423 with Min-Expires {value!r} to Expires: {self._asking_s}"
            self._findings.add(Violation("min-expires", "RFC 3261 20.23", text))
            return False
        self.expires_s = self._asking_s = int(value)
        self._challenges = 0
        self._send()
        return True

    def _granted(self, request: RawMessage, response: RawMessage) -> None:
        """RFC 3261 10.3 step 8: the 200 lists all bindings, each with its time."""
        own = normal(uri_of(request.many("contact")[0]))
        listed = [each for each in response.many("contact") if normal(uri_of(each)) == own]
        for contact in response.many("contact"):
            if parameter(contact.rpartition(">")[2], "expires") is None:
                text = f"Contact {contact!r} without expires"
                self._findings.add(Violation("register-expires", "RFC 3261 10.3", text))
        if bool(listed) != bool(self._asking_s):
            text = f"{self._asking_s} s asked for {own!r}, listed: {response.many('contact')}"
            self._findings.add(Violation("register-contact", "RFC 3261 10.3", text))
        value = parameter(listed[0].rpartition(">")[2], "expires") if listed else None
        seconds = int(value) if value and value.isdecimal() else self._asking_s
        if seconds > self._asking_s:
            text = f"{seconds} s granted, {self._asking_s} s asked for"
            self._findings.add(Violation("register-expires", "RFC 3261 10.2.1.1/10.3", text))
        self.granted_s = seconds if self._asking_s else 0
        self.granted_at.append(self._loop.time())
        if self.granted_s:
            self._timer = self._loop.call_later(seconds * REFRESH_AT, self._refresh)


def registration_dialog(dialog: CallerDialog, user: str) -> CallerDialog:
    """RFC 3261 10.2: To and From are the address of record, the Request-URI is its domain."""
    address = f"sip:{user}@{dialog.gateway}"
    dialog.request_uri = f"sip:{dialog.gateway}"
    dialog.own_value = dialog.to_value = f"<{address}>"
    dialog.caller = user
    return dialog
