"""Session timers as data: who refreshes, how often, and what is wrong with saying so (RFC 4028)."""

from collections.abc import Iterator
from dataclasses import dataclass

from .judge import Violation
from .wire import RawMessage, parameter

MIN_SE_S = 90
"""RFC 4028 5: the smallest interval anybody may ask for, unless Min-SE says more."""


@dataclass(frozen=True)
class SessionTimer:
    """What a Session-Expires header says."""

    expires_s: int
    "The session ends unless it is refreshed within that time."

    refresher: str | None = None
    "uac, uas, or None where the header does not say."


def session_timer(message: RawMessage) -> SessionTimer | None:
    """Read Session-Expires (or its compact form x); None when there is none to read."""
    value = message.get("session-expires") or message.get("x") or ""
    digits = value.split(";")[0].strip()
    if not digits.isdecimal():
        return None
    return SessionTimer(int(digits), (parameter(value, "refresher") or "").lower() or None)


def judge_timer_request(request: RawMessage) -> Iterator[Violation]:
    """RFC 4028 7.1: who asks for a timer supports it, and asks for 90 s or more."""
    timer = session_timer(request)
    if timer is None:
        return
    if timer.expires_s < max(MIN_SE_S, _min_se_s(request)):
        text = f"Session-Expires: {timer.expires_s}, due {max(MIN_SE_S, _min_se_s(request))} s"
        yield Violation("session-expires", "RFC 4028 4/5", text)
    if not _lists(request, "supported", "timer"):
        text = f"{request.method} with Session-Expires, but without Supported: timer"
        yield Violation("session-supported", "RFC 4028 7.1", text)
    if timer.refresher not in (None, "uac", "uas"):
        yield Violation("session-refresher", "RFC 4028 4", f"refresher={timer.refresher}")


def judge_timer_answer(request: RawMessage, response: RawMessage) -> Iterator[Violation]:
    """RFC 4028 9: the 2xx names the refresher, and asks for no longer time than was offered."""
    timer, asked = session_timer(response), session_timer(request)
    if timer is None:
        return
    if timer.refresher not in ("uac", "uas"):
        text = f"2xx with Session-Expires and refresher={timer.refresher}"
        yield Violation("session-refresher", "RFC 4028 9", text)
    elif asked is not None and asked.refresher not in (None, timer.refresher):
        text = f"refresher={asked.refresher} was asked for, {timer.refresher} came back"
        yield Violation("session-refresher", "RFC 4028 9", text)
    if timer.refresher == "uac" and not _lists(response, "require", "timer"):
        text = "the caller is to refresh, but Require: timer does not say so"
        yield Violation("session-require", "RFC 4028 9", text)
    if asked is not None and timer.expires_s > asked.expires_s:
        text = f"Session-Expires: {timer.expires_s} answers {asked.expires_s}"
        yield Violation("session-expires", "RFC 4028 9", text)
    elif timer.expires_s < max(MIN_SE_S, _min_se_s(request)):
        text = f"Session-Expires: {timer.expires_s}, due {max(MIN_SE_S, _min_se_s(request))} s"
        yield Violation("session-expires", "RFC 4028 9", text)


def _min_se_s(request: RawMessage) -> int:
    digits = (request.get("min-se") or "").split(";")[0].strip()
    return int(digits) if digits.isdecimal() else 0


def _lists(message: RawMessage, header: str, option: str) -> bool:
    return option in [item.strip().lower() for item in message.many(header)]
