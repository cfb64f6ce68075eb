import pytest

from simulator.gate.session_timer import (
    SessionTimer,
    judge_timer_answer,
    judge_timer_request,
    session_timer,
)
from simulator.gate.wire import RawMessage
from tests.simulator.gate.messages import INVITE, OK, message


def asking(*lines: str) -> RawMessage:
    return message(INVITE, ("Max-Forwards", "\r\n".join([*lines, "Max-Forwards"])))


def answering(*lines: str) -> RawMessage:
    return message(OK, ("Server", "\r\n".join([*lines, "Server"])))


def test_a_timer_is_read() -> None:
    assert session_timer(message(INVITE)) is None
    assert session_timer(asking("Session-Expires: 90")) == SessionTimer(90)
    assert session_timer(asking("x: 90 ; refresher = UAS")) == SessionTimer(90, "uas")
    assert session_timer(asking("Session-Expires: soon")) is None


@pytest.mark.parametrize(
    ("lines", "due"),
    [
        ((), []),
        (("Session-Expires: 1800", "Supported: timer"), []),
        (("Session-Expires: 1800",), ["session-supported"]),
        (("Session-Expires: 60", "Supported: timer"), ["session-expires"]),
        (("Session-Expires: 100", "Min-SE: 200", "Supported: timer"), ["session-expires"]),
        (("Session-Expires: 90;refresher=me", "Supported: timer"), ["session-refresher"]),
    ],
)
def test_requests(lines: tuple[str, ...], due: list[str]) -> None:
    assert [violation.rule for violation in judge_timer_request(asking(*lines))] == due


@pytest.mark.parametrize(
    ("asked", "given", "due"),
    [
        ("1800", (), []),
        ("1800", ("Session-Expires: 1800;refresher=uas",), []),
        ("1800", ("Session-Expires: 900;refresher=uac", "Require: timer"), []),
        ("1800", ("Session-Expires: 900;refresher=uac",), ["session-require"]),
        ("1800", ("Session-Expires: 1800",), ["session-refresher"]),
        ("1800;refresher=uac", ("Session-Expires: 1800;refresher=uas",), ["session-refresher"]),
        ("1800", ("Session-Expires: 1801;refresher=uas",), ["session-expires"]),
        ("1800", ("Session-Expires: 60;refresher=uas",), ["session-expires"]),
    ],
)
def test_answers(asked: str, given: tuple[str, ...], due: list[str]) -> None:
    request = asking(f"Session-Expires: {asked}", "Supported: timer")
    found = judge_timer_answer(request, answering(*given))
    assert [violation.rule for violation in found] == due
