"""Session timers (RFC 4028): a call whose other end has silently gone ends all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from voicegate.sip.headers import param, parse_params
from voicegate.sip.message import Headers, Request, Response
from voicegate.sip.timers import Timer, Timers

MIN_SE_S = 90
"""RFC 4028 5: nobody may ask for less."""
TIMER = "timer"
"""The option tag."""


@dataclass(frozen=True, slots=True)
class SessionExpires:
    """What the header of that name says."""

    interval_s: int
    refresher: str = ""
    """`uac` or `uas`, by the roles in that one transaction; "" where it is left open."""


def session_expires(message: Request | Response) -> SessionExpires | None:
    """Read it; None where there is none that could be read."""
    seconds, _, params = (message.header("Session-Expires") or "").partition(";")
    interval_s = _seconds(seconds)
    if interval_s is None:
        return None
    refresher = (param(parse_params(params), "refresher") or "").lower()
    return SessionExpires(interval_s, refresher if refresher in ("uac", "uas") else "")


def is_too_short(request: Request) -> bool:
    """RFC 4028 9: such a request is answered 422, if its sender knows what that is."""
    asked = session_expires(request)
    return asked is not None and asked.interval_s < MIN_SE_S and _knows_timers(request)


class SessionTimer:
    """The clock of one call. It runs from one 2xx with Session-Expires to the next."""

    def __init__(
        self,
        timers: Timers,
        *,
        wish_s: int,
        refresh: Callable[[float], None],
        expire: Callable[[float], None],
    ) -> None:
        """`wish_s` is what we ask for; 0 asks for nothing."""
        self._timers = timers
        self._interval_s = wish_s
        self._min_se_s = MIN_SE_S
        self._refresh, self._expire = refresh, expire
        self._running: tuple[Timer, ...] = ()

    def asked(self, *, refresher: str = "") -> Headers:
        """What a request of ours says."""
        if not self._interval_s:
            return ()
        named = f";refresher={refresher}" if refresher else ""
        headers = (("Session-Expires", f"{self._interval_s}{named}"),)
        if self._min_se_s > MIN_SE_S:
            # RFC 4028 7.4: once a 422 has raised it, it is named
            return (*headers, ("Min-SE", str(self._min_se_s)))
        return headers

    def raise_to(self, refusal: Response) -> bool:
        """After a 422: ask for as much as it wants; False where it does not say or did before."""
        wanted_s = _seconds(refusal.header("Min-SE") or "")
        if refusal.status != 422 or wanted_s is None or wanted_s <= self._min_se_s:
            return False
        self._min_se_s = wanted_s
        self._interval_s = max(self._interval_s, wanted_s)
        return True

    def granted(self, response: Response, now: float) -> None:
        """A 2xx to a request of ours: it alone says whether and how the clock runs on."""
        given = session_expires(response)
        if given is None:
            self.stop()
        else:
            # RFC 4028 7.2: where the answer names nobody, it is the one who asked
            self._run(given.interval_s, given.refresher != "uas", now)

    def grant(self, request: Request, now: float) -> Headers:
        """What our 2xx to the peer's request says; from here on the clock runs as it says."""
        asked = session_expires(request)
        if asked is None:
            self.stop()
            return ()
        # RFC 4028 9, table 2: who knows no timers cannot refresh; who names a refresher knows them
        refresher = asked.refresher or ("uac" if _knows_timers(request) else "uas")
        self._run(asked.interval_s, refresher == "uas", now)
        header = ("Session-Expires", f"{asked.interval_s};refresher={refresher}")
        return (header, ("Require", TIMER)) if refresher == "uac" else (header,)

    def stop(self) -> None:
        """No more refresh, no expiry; harmless twice."""
        for timer in self._running:
            timer.cancel()
        self._running = ()

    def _run(self, interval_s: int, we_refresh: bool, now: float) -> None:
        self.stop()
        self._interval_s = interval_s
        # RFC 4028 10: a little before the end, so that the BYE comes before the peer forgets us
        end = now + interval_s - min(32.0, interval_s / 3)
        self._running = (self._timers.at(end, self._expire),)
        if we_refresh:
            half = self._timers.at(now + interval_s / 2, self._refresh)
            self._running = (*self._running, half)


def _knows_timers(request: Request) -> bool:
    return TIMER in [tag.lower() for tag in request.listed("Supported")]


def _seconds(text: str) -> int | None:
    digits = text.partition(";")[0].strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
