"""The four machines, step by step and in time."""

from __future__ import annotations

import pytest

from voicegate.sip.message import Response
from voicegate.sip.timers import Timers
from voicegate.sip.transaction import (
    CLIENT_INVITE,
    CLIENT_NON_INVITE,
    SERVER_INVITE,
    SERVER_NON_INVITE,
    Input,
    LocalProtocolError,
    Machine,
    State,
    Transaction,
)


class Run:
    """One transaction and its time."""

    def __init__(self, machine: Machine, request: bytes = b"") -> None:
        self.now = 0.0
        self.timers = Timers()
        self.sent: list[tuple[float, bytes]] = []
        self.passed: list[Response | None] = []
        self.ended = 0
        self.transaction = Transaction(
            machine, self.timers, self._send, self._end, lambda got, _now: self.passed.append(got)
        )
        self.transaction.start(0.0, request)

    def _send(self, data: bytes) -> None:
        self.sent.append((self.now, data))

    def _end(self) -> None:
        self.ended += 1

    def until(self, end: float) -> list[float]:
        """Let time pass; when something was sent."""
        before = len(self.sent)
        while (due := self.timers.next_due()) is not None and due <= end:
            self.now = due
            self.timers.fire(due)
        self.now = end
        return [at for at, _ in self.sent[before:]]

    def feed(self, happened: Input, message: bytes | None = None) -> State:
        self.transaction.feed(happened, self.now, message)
        return self.transaction.state


def test_a_refused_invite_is_resent_by_timer_g_until_h() -> None:
    run = Run(SERVER_INVITE)
    run.feed(Input.SEND_1XX, b"100")
    assert run.feed(Input.SEND_FAILURE, b"486") is State.COMPLETED
    assert run.until(31.9) == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert run.ended == 0
    assert run.until(40.0) == []
    assert (run.ended, run.transaction.state) == (1, State.TERMINATED)
    assert run.timers.next_due() is None


def test_the_ack_of_a_refusal_stops_the_resends_and_lingers_for_timer_i() -> None:
    run = Run(SERVER_INVITE)
    run.feed(Input.SEND_FAILURE, b"486")
    run.until(0.7)
    assert run.feed(Input.ACK) is State.CONFIRMED
    assert run.feed(Input.REQUEST) is State.CONFIRMED
    assert run.feed(Input.ACK) is State.CONFIRMED
    assert run.until(5.6) == []
    assert run.ended == 0
    run.until(5.7)
    assert run.ended == 1


def test_a_repeated_invite_gets_the_last_response() -> None:
    run = Run(SERVER_INVITE)
    for happened, message in (
        (Input.SEND_1XX, b"100"),
        (Input.SEND_1XX, b"180"),
        (Input.SEND_2XX, b"200"),
    ):
        run.feed(happened, message)
        run.feed(Input.REQUEST)
    assert [data for _, data in run.sent] == [b"100", b"100", b"180", b"180", b"200", b"200"]


def test_the_accepted_state_lives_for_timer_l_and_leaves_the_resends_to_its_user() -> None:
    run = Run(SERVER_INVITE)
    assert run.feed(Input.SEND_2XX, b"200") is State.ACCEPTED
    assert run.feed(Input.ACK) is State.ACCEPTED
    assert run.until(31.9) == []
    assert run.feed(Input.SEND_2XX, b"200") is State.ACCEPTED
    run.until(32.0)
    assert run.ended == 1


def test_a_non_invite_answer_is_repeated_for_timer_j() -> None:
    run = Run(SERVER_NON_INVITE)
    assert run.feed(Input.REQUEST) is State.TRYING
    assert run.sent == []
    assert run.feed(Input.SEND_2XX, b"200") is State.COMPLETED
    run.until(31.9)
    run.feed(Input.REQUEST)
    assert len(run.sent) == 2
    run.until(32.0)
    assert run.ended == 1


def test_a_request_of_ours_is_resent_by_timer_e_until_f() -> None:
    run = Run(CLIENT_NON_INVITE, b"BYE")
    assert run.sent == [(0.0, b"BYE")]
    assert run.until(31.9) == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert run.until(60.0) == []
    assert run.passed == [None]
    assert run.ended == 1


def test_a_provisional_answer_slows_timer_e_and_leaves_f_alone() -> None:
    run = Run(CLIENT_NON_INVITE, b"BYE")
    run.until(0.6)
    assert run.feed(Input.GOT_1XX) is State.PROCEEDING
    assert run.until(31.9) == [1.5, 5.5, 9.5, 13.5, 17.5, 21.5, 25.5, 29.5]
    run.until(32.0)
    assert run.passed[-1] is None
    assert run.ended == 1


@pytest.mark.parametrize("final", [Input.GOT_2XX, Input.GOT_FAILURE])
def test_a_final_answer_ends_the_resends_and_is_passed_once(final: Input) -> None:
    run = Run(CLIENT_NON_INVITE, b"BYE")
    assert run.feed(final) is State.COMPLETED
    assert run.feed(final) is State.COMPLETED
    assert run.until(4.9) == []
    assert (len(run.passed), run.ended) == (1, 0)
    run.until(5.0)
    assert run.ended == 1


def test_an_invite_of_ours_is_resent_by_timer_a_until_b() -> None:
    run = Run(CLIENT_INVITE, b"INVITE")
    assert run.until(40.0) == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert run.passed == [None]


def test_an_invite_of_ours_refused_is_acknowledged_each_time() -> None:
    run = Run(CLIENT_INVITE, b"INVITE")
    run.feed(Input.GOT_1XX)
    assert run.until(100.0) == []
    run.transaction.ack = b"ACK"
    assert run.feed(Input.GOT_FAILURE) is State.COMPLETED
    assert run.feed(Input.GOT_FAILURE) is State.COMPLETED
    assert [data for _, data in run.sent[1:]] == [b"ACK", b"ACK"]
    assert len(run.passed) == 2
    run.until(132.0)
    assert run.ended == 1


def test_every_2xx_to_an_invite_of_ours_reaches_its_user() -> None:
    run = Run(CLIENT_INVITE, b"INVITE")
    assert run.feed(Input.GOT_2XX) is State.ACCEPTED
    run.feed(Input.GOT_2XX)
    assert len(run.passed) == 2
    run.until(32.0)
    assert run.ended == 1


def test_what_no_table_has_raises() -> None:
    run = Run(SERVER_NON_INVITE)
    run.feed(Input.SEND_2XX, b"200")
    with pytest.raises(LocalProtocolError, match="SEND_2XX in COMPLETED"):
        run.feed(Input.SEND_2XX, b"200")


@pytest.mark.parametrize(
    ("machine", "heard"),
    [
        (SERVER_INVITE, (Input.REQUEST, Input.ACK)),
        (SERVER_NON_INVITE, (Input.REQUEST,)),
        (CLIENT_INVITE, (Input.GOT_1XX, Input.GOT_2XX, Input.GOT_FAILURE)),
        (CLIENT_NON_INVITE, (Input.GOT_1XX, Input.GOT_2XX, Input.GOT_FAILURE)),
    ],
)
def test_the_tables_hold_all_that_the_network_and_the_timers_can_bring(
    machine: Machine, heard: tuple[Input, ...]
) -> None:
    states = {state for state, _ in machine.table}
    for state in states:
        assert all((state, happened) in machine.table for happened in heard)
        for timer in machine.timers.get(state, {}):
            assert (state, timer) in machine.table
    reachable = {step[0] for step in machine.table.values()} - {State.TERMINATED}
    assert reachable | {machine.first} == states
