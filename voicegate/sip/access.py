"""Who is heard: hosts on the allow-list, peers of calls that are up, and who knows a password."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from voicegate.sip.core import UaCore
from voicegate.sip.digest import Guard, Verdict
from voicegate.sip.message import Received

STRANGERS_PER_S = 100
"""So many strangers are answered a second; a flood is not answered with a flood."""


class Bucket:
    """A bound on how often something is done."""

    def __init__(self, per_s: int) -> None:
        self._per_s = per_s
        self._left = float(per_s)
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Whether it may be done once more now."""
        self._left = min(self._per_s, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Access:
    """Judges requests that belong to nothing we know. What it answers needs no memory."""

    def __init__(
        self,
        core: UaCore,
        allow: Callable[[str], bool],
        guard: Guard | None,
        counters: Counter[str],
    ) -> None:
        self.allow = allow
        """Whether a host is on the allow-list: it may call without a password."""
        self.guard = guard
        self._core = core
        self._counters = counters
        self._answers = Bucket(STRANGERS_PER_S)

    def may_ask(self, got: Received, now: float) -> bool:
        """Whether a request outside of any call is carried out; if not, it is answered here."""
        if self.allow(got.source.host):
            return True
        if got.request.method == "ACK":
            # RFC 3261 17.1.1.3: never answered, not even with a no
            self._counters["refused_sources"] += 1
            return False
        return self.user_of(got, now) is not None

    def user_of(self, got: Received, now: float) -> str | None:
        """The user whose password the request proves; None, and an answer, where it does not."""
        verdict, user = Verdict.WRONG, ""
        if self.guard is not None:
            lines = got.request.header_lines("Authorization")
            verdict, user = self.guard.judge(lines, got.request.method, now)
        if verdict is Verdict.RIGHT:
            return user
        self._counters["refused_sources"] += 1
        if not self._answers.take(now):
            self._counters["unanswered_strangers"] += 1
        elif self.guard is None or verdict is Verdict.WRONG or got.request.method == "CANCEL":
            # RFC 3261 22.1 lets us ask again, a CANCEL never; a no ends what guesses
            self._core.answer_stateless(got, 403)
        else:
            asked = self.guard.challenges(now, stale=verdict is Verdict.STALE)
            self._core.answer_stateless(got, 401, [("WWW-Authenticate", each) for each in asked])
        return None
