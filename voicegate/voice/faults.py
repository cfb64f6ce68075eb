"""What can go wrong with the service: in plain words, and what to do about it as a table. Pure."""

import socket
import ssl
from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import StrEnum

from google.genai.errors import APIError
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from voicegate.logs import PeerError


class Unreadable(PeerError):
    """The service sends what cannot be read, again and again."""


FAULTS = (APIError, WebSocketException, OSError, Unreadable)
"""All that the service and the network do to us; `TimeoutError` and `SSLError` are OSErrors."""


class Action(StrEnum):
    """What to do about a fault. After the first try of a row there is always a wait."""

    RESUME = "resume"
    """Connect at once and go on with the newest handle; anew where there is none."""
    FRESH = "fresh"
    """Connect at once and begin anew, with what was said so far: never the same payload."""
    RENEW = "renew"
    """As FRESH, because we were asked to."""
    BACK_OFF = "back_off"
    """Wait, then go on with the newest handle."""
    LONG_BACK_OFF = "long_back_off"
    """Wait long, then go on with the newest handle."""
    GIVE_UP = "give_up"
    """The same would happen again: a matter of key, model or set-up."""


class Moment(StrEnum):
    """When a fault happened: a column of the table."""

    RUNNING = "running"
    """In mid-conversation."""
    RESUMING = "resuming"
    """The set-up with a handle was refused."""
    STARTING = "starting"
    """The set-up without one was refused."""


Code = int | str
"""A close code, an HTTP status, or the name of what happened below both."""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of fault, and what to do about it."""

    name: str
    """What it is called in logs and settings."""
    codes: Container[Code]
    """Its close codes or HTTP statuses."""
    words: tuple[str, ...]
    """One of these is in its reason; none for any reason."""
    running: Action
    resuming: Action
    starting: Action


_RESUME, _FRESH, _WAIT = Action.RESUME, Action.FRESH, Action.BACK_OFF
_LONG, _END = Action.LONG_BACK_OFF, Action.GIVE_UP
_OVER = ("deadline expired", "operation was aborted")
_WHERE = ("auth token", "location is not supported")
TABLE = (
    # of two rows that fit, the first counts
    #   name               codes                words              running  resuming starting
    Row("life over", (1008, 1011), _OVER, _RESUME, _WAIT, _WAIT),
    Row("quota", (429, 1008, 1011), ("quota",), _LONG, _LONG, _LONG),
    Row("quota", (429,), (), _LONG, _LONG, _LONG),
    Row("no such model", (1008,), ("is not found for",), _END, _END, _END),
    Row("no such call", (1008,), ("requested entity was not found",), _RESUME, _FRESH, _END),
    Row("policy", (1008,), (), _FRESH, _FRESH, _END),
    Row("no access", (1007,), _WHERE, _END, _END, _END),
    Row("invalid argument", (1007,), (), _FRESH, _FRESH, _END),
    Row("ended", (1000, 1001), (), _RESUME, _WAIT, _WAIT),
    Row("cut", (1006,), (), _RESUME, _WAIT, _WAIT),
    Row("message too large", (1009,), (), _RESUME, _WAIT, _WAIT),
    Row("slow pong", ("pong",), (), _RESUME, _WAIT, _WAIT),
    Row("internal", (1011,), (), _WAIT, _WAIT, _WAIT),
    Row("restarting", (1012, 1013, 1014), (), _WAIT, _WAIT, _WAIT),
    Row("unreadable", ("unreadable",), (), _FRESH, _FRESH, _WAIT),
    Row("http wait", (408, 425), (), _WAIT, _WAIT, _WAIT),
    Row("http refused", range(400, 500), (), _END, _END, _END),
    Row("http failed", range(500, 600), (), _WAIT, _WAIT, _WAIT),
    Row("name", ("dns",), (), _WAIT, _WAIT, _WAIT),
    Row("certificate", ("tls",), (), _WAIT, _WAIT, _WAIT),
    Row("no answer", ("timeout",), (), _RESUME, _WAIT, _WAIT),
    Row("unreachable", ("network",), (), _RESUME, _WAIT, _WAIT),
)
OTHER = Row("other", (), (), _WAIT, _WAIT, _WAIT)
"""What nobody has seen yet."""


def row_of(error: BaseException) -> Row:
    """Find the row of a fault."""
    code, reason = _code_and_reason(error)
    said = reason.lower()
    for row in TABLE:
        if code in row.codes and (not row.words or any(word in said for word in row.words)):
            return row
    return OTHER


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why there is no connection, and what to do about it."""

    why: str
    """In plain words."""
    action: Action
    """From the table, or as we decided ourselves."""
    refused: bool = False
    """The service itself has just refused to go on with the handle."""


Chosen = Mapping[str, Action]
"""By settings: a row's name, and the action in place of its own."""


def judge(error: BaseException, moment: Moment, chosen: Chosen) -> Verdict:
    """Say what happened and what to do about it."""
    row = row_of(error)
    action: Action = getattr(row, moment.value)
    code, _ = _code_and_reason(error)
    # 1006 is the network's: no close frame came
    refused = moment is Moment.RESUMING and isinstance(code, int) and code >= 1000 and code != 1006
    return Verdict(describe(error), chosen.get(row.name, action), refused)


def _code_and_reason(error: BaseException) -> tuple[Code, str]:
    match error:
        case InvalidStatus():
            return error.response.status_code, ""
        case APIError():
            return error.code or 0, _reason(error)
        case ConnectionClosed():
            return _closed(error)
        case Unreadable():
            return "unreadable", ""
        case socket.gaierror():
            return "dns", ""
        case ssl.SSLError():
            return "tls", ""
        case TimeoutError():
            return "timeout", ""
        case _:
            return "network", ""


def _closed(error: ConnectionClosed) -> tuple[Code, str]:
    if error.rcvd is not None:
        return error.rcvd.code, error.rcvd.reason
    # websockets closes by itself with 1011 where its ping is not answered in time
    if error.sent is not None and "ping timeout" in error.sent.reason:
        return "pong", error.sent.reason
    if error.sent is not None and error.sent.code == 1009:
        return 1009, error.sent.reason
    return 1006, "the connection broke"


def describe(error: BaseException) -> str:
    """Say what happened and, where it is known, what to mend."""
    match error:
        case InvalidStatus():
            status = error.response.status_code
            return f"Gemini refused the connection: HTTP {status}{_hint(status)}"
        case APIError() | ConnectionClosed():
            code, reason = _code_and_reason(error)
            if code == "pong":
                return "Gemini did not answer our pings"
            return f"Gemini closed the conversation: {code} {reason}".rstrip()
        case Unreadable():
            return str(error)
        case TimeoutError():
            return "Gemini did not answer in time"
        case _:
            return f"Gemini cannot be reached: {type(error).__name__}: {error}"


def _reason(error: APIError) -> str:
    details = error.details
    return details if isinstance(details, str) else str(error.message or "")


def _hint(status: int) -> str:
    hints = {
        401: ": check gemini.api_key",
        403: ": check gemini.api_key and that the Live API is allowed for it",
        404: ": check gemini.base_url and gemini.api_version",
        429: ": the quota is used up",
    }
    return hints.get(status, "")
