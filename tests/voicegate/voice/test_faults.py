"""The table of the service's errors, row by row, and each in plain words."""

import socket
import ssl

import pytest
from google.genai.errors import APIError
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response

from voicegate.voice.faults import (
    OTHER,
    TABLE,
    Action,
    Moment,
    Unreadable,
    describe,
    judge,
    row_of,
)

RESUME, FRESH, WAIT = Action.RESUME, Action.FRESH, Action.BACK_OFF
LONG, END = Action.LONG_BACK_OFF, Action.GIVE_UP
PING_TIMEOUT = Close(1011, "keepalive ping timeout")


def http(status: int) -> InvalidStatus:
    return InvalidStatus(Response(status, "x", Headers()))


def closed(code: int, reason: str = "") -> APIError:
    return APIError(code, reason, None)


ROWS = [
    # fault, row, and what to do in mid-conversation, at a set-up with a handle, at one without
    (closed(1000), "ended", RESUME, WAIT, WAIT),
    (closed(1001), "ended", RESUME, WAIT, WAIT),
    (closed(1006, "abnormal closure [internal]"), "cut", RESUME, WAIT, WAIT),
    (ConnectionClosedError(None, None), "cut", RESUME, WAIT, WAIT),
    (ConnectionClosedError(None, PING_TIMEOUT, None), "slow pong", RESUME, WAIT, WAIT),
    (ConnectionClosedError(None, Close(1009, "x"), None), "message too large", RESUME, WAIT, WAIT),
    (closed(1007, "Request contains an invalid argument."), "invalid argument", FRESH, FRESH, END),
    (closed(1007, "Missing or malformed auth token"), "no access", END, END, END),
    (closed(1007, "User location is not supported"), "no access", END, END, END),
    (closed(1008, "The operation was aborted."), "life over", RESUME, WAIT, WAIT),
    (closed(1008, "Requested entity was not found."), "no such call", RESUME, FRESH, END),
    (closed(1008, "models/x is not found for API version"), "no such model", END, END, END),
    (closed(1008, "Operation is not implemented, or"), "policy", FRESH, FRESH, END),
    (closed(1008, "BidiGenerateContent session expired."), "policy", FRESH, FRESH, END),
    (closed(1011, "Internal error encountered."), "internal", WAIT, WAIT, WAIT),
    (closed(1011, "Deadline expired before operation"), "life over", RESUME, WAIT, WAIT),
    (closed(1011, "You exceeded your current quota, please"), "quota", LONG, LONG, LONG),
    (closed(1012), "restarting", WAIT, WAIT, WAIT),
    (closed(1013), "restarting", WAIT, WAIT, WAIT),
    (closed(1014), "restarting", WAIT, WAIT, WAIT),
    (closed(4999), "other", WAIT, WAIT, WAIT),
    (http(400), "http refused", END, END, END),
    (http(401), "http refused", END, END, END),
    (http(403), "http refused", END, END, END),
    (http(404), "http refused", END, END, END),
    (http(408), "http wait", WAIT, WAIT, WAIT),
    (http(429), "quota", LONG, LONG, LONG),
    (http(500), "http failed", WAIT, WAIT, WAIT),
    (http(503), "http failed", WAIT, WAIT, WAIT),
    (socket.gaierror(-2, "Name or service not known"), "name", WAIT, WAIT, WAIT),
    (ssl.SSLCertVerificationError(1, "self-signed"), "certificate", WAIT, WAIT, WAIT),
    (TimeoutError(), "no answer", RESUME, WAIT, WAIT),
    (ConnectionRefusedError(), "unreachable", RESUME, WAIT, WAIT),
    (Unreadable("no words"), "unreadable", FRESH, FRESH, WAIT),
]


@pytest.mark.parametrize(("error", "name", "running", "resuming", "starting"), ROWS, ids=repr)
def test_each_fault_has_its_row(
    error: Exception, name: str, running: Action, resuming: Action, starting: Action
) -> None:
    assert row_of(error).name == name
    actions = [judge(error, moment, {}).action for moment in Moment]
    assert actions == [running, resuming, starting]


def test_each_row_of_the_table_is_proven_here() -> None:
    assert {row.name for row in (*TABLE, OTHER)} == {name for _, name, *_ in ROWS}


@pytest.mark.parametrize("moment", Moment)
def test_what_is_in_doubt_is_decided_by_settings(moment: Moment) -> None:
    chosen = {"internal": Action.RESUME, "quota": Action.GIVE_UP}
    assert judge(closed(1011, "Internal error."), moment, chosen).action is Action.RESUME
    assert judge(closed(1011, "exceeded your current quota"), moment, chosen).action is END
    assert judge(http(429), moment, chosen).action is END


def test_only_the_service_itself_can_refuse_a_handle() -> None:
    assert judge(closed(1011), Moment.RESUMING, {}).refused
    assert not judge(closed(1011), Moment.STARTING, {}).refused
    assert not judge(closed(1006), Moment.RESUMING, {}).refused
    assert not judge(http(503), Moment.RESUMING, {}).refused
    assert not judge(TimeoutError(), Moment.RESUMING, {}).refused


@pytest.mark.parametrize("status", [401, 403, 404])
def test_http_refusals_name_the_setting(status: int) -> None:
    assert f"HTTP {status}: check gemini." in describe(http(status))


def test_a_close_is_told_with_code_and_reason() -> None:
    rejected = ConnectionClosedError(Close(1011, "Internal error encountered."), None)
    assert describe(rejected) == "Gemini closed the conversation: 1011 Internal error encountered."
    assert "1006" in describe(ConnectionClosedError(None, None))
    assert "1007 Invalid." in describe(closed(1007, "Invalid."))


def test_faults_below_the_service_name_themselves() -> None:
    error = socket.gaierror(-2, "Name or service not known")
    assert describe(error).startswith("Gemini cannot be reached: gaierror:")
    assert describe(TimeoutError()) == "Gemini did not answer in time"
    assert describe(ConnectionClosedError(None, PING_TIMEOUT, None)).endswith("our pings")
