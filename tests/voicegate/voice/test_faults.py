"""The service's errors in plain words."""

import socket

import pytest
from google.genai.errors import APIError
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response

from voicegate.voice.faults import describe, is_permanent


def http(status: int) -> InvalidStatus:
    return InvalidStatus(Response(status, "x", Headers()))


@pytest.mark.parametrize("status", [401, 403, 404])
def test_http_refusals_are_permanent_and_name_the_setting(status: int) -> None:
    assert is_permanent(http(status))
    assert f"HTTP {status}: check gemini." in describe(http(status))


@pytest.mark.parametrize("error", [http(429), http(503), ConnectionRefusedError(), TimeoutError()])
def test_what_may_pass_is_worth_another_try(error: Exception) -> None:
    assert not is_permanent(error)


@pytest.mark.parametrize(
    ("code", "permanent"), [(1007, True), (1008, True), (1011, False), (1006, False)]
)
def test_close_codes_at_set_up(code: int, permanent: bool) -> None:
    error = APIError(code, "Request contains an invalid argument.", None)
    assert is_permanent(error) is permanent
    assert f"{code} Request contains an invalid argument." in describe(error)


def test_a_close_in_mid_call_is_told_with_code_and_reason() -> None:
    closed = ConnectionClosedError(Close(1011, "Internal error encountered."), None)
    assert describe(closed) == "Gemini closed the conversation: 1011 Internal error encountered."
    assert "1006" in describe(ConnectionClosedError(None, None))


def test_network_errors_name_themselves() -> None:
    error = socket.gaierror(-2, "Name or service not known")
    assert describe(error).startswith("Gemini cannot be reached: gaierror:")
    assert describe(TimeoutError()) == "Gemini did not answer in time"
