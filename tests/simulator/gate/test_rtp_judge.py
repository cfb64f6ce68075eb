from typing import Any

import pytest

from simulator.gate.agreement import Negotiated
from simulator.gate.judge import Findings
from simulator.gate.rtp import FRAME_S, RtpPacket
from simulator.gate.rtp_judge import RtpReceiver
from simulator.gate.wire import Address

REMOTE = Address("127.0.0.1", 20000)
AGREED = Negotiated(REMOTE, {8: "PCMA"}, telephone_event=101)
START = 100.0


class Ear:
    """A receiver on a clock of its own, with a stream that is right unless told otherwise."""

    def __init__(self, *, exact: bool = True) -> None:
        self.findings = Findings()
        self.heard: list[tuple[bytes, str, float, float]] = []
        self.receiver = RtpReceiver(self.findings, lambda *got: self.heard.append(got), exact=exact)

    @property
    def rules(self) -> list[str]:
        return [violation.rule for violation in self.findings.violations]

    def packet(self, number: int, at_s: float | None = None, source: Address = REMOTE,
               **changes: int | bytes) -> None:  # fmt: skip
        fields = {
            "payload_type": 8,
            "sequence": (65530 + number) % 65536,
            "timestamp": (2**32 - 320 + number * 160) % 2**32,
            "ssrc": 7,
            "payload": b"\xd5" * 160,
        }
        data = RtpPacket(**{**fields, **changes}).serialise()  # type: ignore[arg-type]
        self.receiver.receive(data, source, START + number * FRAME_S if at_s is None else at_s)

    def stream(self, first: int, count: int) -> None:
        for number in range(first, first + count):
            self.packet(number)


def answered_ear(*, exact: bool = True) -> Ear:
    ear = Ear(exact=exact)
    ear.receiver.answered(AGREED, START)
    return ear


def test_a_correct_stream_is_heard_and_not_blamed() -> None:
    ear = answered_ear()
    ear.stream(0, 50)
    ear.receiver.ended(START + 1.0)
    assert ear.rules == []
    assert len(ear.heard) == ear.receiver.stats.packets == 50
    assert ear.heard[1] == (b"\xd5" * 160, "PCMA", START + FRAME_S, 0.0)
    assert ear.receiver.stats.mean_interval_s == pytest.approx(FRAME_S)
    assert ear.receiver.stats.first_packet_after_s == 0.0


def test_a_shared_ticker_may_send_the_second_packet_early() -> None:
    ear = answered_ear()
    ear.packet(0)
    for number in range(1, 20):
        ear.packet(number, START + number * FRAME_S - 0.013)
    ear.receiver.ended(START + 0.385)
    assert ear.rules == []


@pytest.mark.parametrize(
    ("rule", "number", "changes"),
    [
        ("rtp-sequence", 12, {}),
        ("rtp-sequence", 9, {}),
        ("rtp-timestamp", 10, {"timestamp": 5}),
        ("rtp-ssrc", 10, {"ssrc": 8}),
        ("rtp-payload-type", 10, {"payload_type": 0}),
        ("rtp-payload-size", 10, {"payload": b"\xd5" * 80}),
    ],
)
def test_one_sin_of_a_packet_is_exactly_one_violation(
    rule: str, number: int, changes: dict[str, Any]
) -> None:
    ear = answered_ear()
    ear.stream(0, 10)
    ear.packet(number, START + 10 * FRAME_S, **changes)
    assert ear.rules == [rule]
    assert ear.receiver.stats.faults[rule] == 1


def test_a_doubled_packet_is_not_heard_twice_and_the_next_one_is_right() -> None:
    ear = answered_ear()
    ear.stream(0, 10)
    ear.packet(9)
    ear.packet(8)
    ear.stream(10, 5)
    assert ear.rules == ["rtp-sequence"]
    assert ear.receiver.stats.faults["rtp-sequence"] == 2
    assert len(ear.heard) == 15
    assert {lost for _, _, _, lost in ear.heard} == {0.0}


def test_a_lost_packet_leaves_a_hole_of_its_length() -> None:
    ear = answered_ear()
    ear.stream(0, 3)
    ear.packet(5)
    assert ear.rules == ["rtp-sequence"]
    assert ear.heard[-1][3] == pytest.approx(2 * FRAME_S)
    assert ear.receiver.stats.lost == 2


def test_a_stranger_is_not_heard() -> None:
    ear = answered_ear()
    ear.packet(0, source=Address("127.0.0.1", 20002))
    assert ear.rules == ["rtp-source"]
    assert ear.heard == []


def test_what_is_no_rtp_is_named() -> None:
    ear = answered_ear()
    ear.receiver.receive(b"\x00\x01stun", REMOTE, START)
    assert ear.rules == ["rtp-header"]


def test_digits_of_the_gateway_are_counted_and_not_heard() -> None:
    ear = answered_ear()
    ear.packet(0)
    ear.packet(1, payload_type=101, payload=b"\x01\x0a\x00\xa0")
    ear.packet(2, timestamp=(2**32 - 320 + 320) % 2**32)
    assert ear.rules == []
    assert ear.receiver.stats.events == 1
    assert len(ear.heard) == 2


def test_rtp_may_be_read_just_before_its_200_but_not_come_long_before_it() -> None:
    ear = Ear()
    ear.packet(0, START - 0.001)
    ear.receiver.answered(AGREED, START)
    assert ear.rules == []
    for exact, early_s, due in ((True, 0.03, True), (False, 0.2, False), (False, 0.3, True)):
        early = Ear(exact=exact)
        early.packet(0, START - early_s)
        early.receiver.answered(AGREED, START)
        assert early.rules == (["rtp-before-answer"] if due else [])


def test_a_stream_that_pauses_has_a_gap() -> None:
    for exact, gap_s, due in (
        (True, 0.04, ["rtp-gap"]),
        (False, 0.2, []),
        (False, 0.3, ["rtp-gap"]),
    ):
        ear = answered_ear(exact=exact)
        ear.packet(0)
        ear.packet(1, START + gap_s)
        ear.receiver.ended(START + gap_s + FRAME_S)
        assert ear.rules == due
        assert ear.receiver.stats.longest_gap_s == pytest.approx(gap_s)


def test_a_stream_that_never_comes_or_stops_has_a_gap() -> None:
    silent = answered_ear()
    silent.receiver.ended(START + 5)
    assert silent.rules == ["rtp-gap"]
    stopped = answered_ear()
    stopped.stream(0, 10)
    stopped.receiver.ended(START + 5)
    assert stopped.rules == ["rtp-gap"]


def test_packets_that_come_too_fast_are_uneven() -> None:
    ear = answered_ear()
    for number in range(10):
        ear.packet(number, START + number * 0.01)
    ear.receiver.ended(START + 0.1)
    assert ear.rules == ["rtp-spacing"]


def test_in_real_time_the_mean_decides() -> None:
    for step_s, due in ((0.0201, []), (0.0204, ["rtp-spacing"])):
        ear = answered_ear(exact=False)
        for number in range(300):
            ear.packet(number, START + number * step_s)
        ear.receiver.ended(START + 300 * step_s)
        assert ear.rules == due


def test_nothing_is_due_where_the_gateway_only_receives() -> None:
    ear = Ear()
    ear.receiver.answered(Negotiated(REMOTE, {8: "PCMA"}, receives=False), START)
    ear.receiver.ended(START + 5)
    assert ear.rules == []


def test_rtp_stops_within_one_tick_of_the_end() -> None:
    for exact, late_s, due in (
        (True, 0.02, []),
        (True, 0.04, ["rtp-after-end"]),
        (False, 0.25, []),
        (False, 0.3, ["rtp-after-end"]),
    ):
        ear = answered_ear(exact=exact)
        ear.packet(0)
        ear.receiver.ended(START + FRAME_S)
        ear.packet(1, START + FRAME_S + late_s)
        assert ear.rules == due
        assert ear.receiver.stats.last_after_end_s == pytest.approx(late_s)
        assert len(ear.heard) == 1


def event(ear: Ear, number: int, digit: int, started: int, at_s: float | None = None) -> None:
    payload = bytes([digit, 10, 0, 160])
    ear.packet(number, at_s, payload_type=101, timestamp=started, payload=payload)


def test_keys_of_the_gateway_are_read_once_each() -> None:
    ear = answered_ear()
    ear.stream(0, 10)
    for number in range(10, 20):
        event(ear, number, 5 if number < 15 else 11, 1000 if number < 15 else 2000)
    ear.stream(20, 30)
    ear.receiver.ended(START + 1.0)
    assert ear.rules == []
    assert (ear.receiver.stats.digits, ear.receiver.stats.events) == ("5#", 10)
    ear = answered_ear()
    ear.packet(0, payload_type=101, payload=b"\5")
    assert ear.rules == ["rtp-event-size"]


def test_a_hold_forbids_packets_and_a_resume_may_bring_a_new_stream() -> None:
    ear = answered_ear()
    ear.stream(0, 50)
    held = Negotiated(REMOTE, {8: "PCMA"}, 101, receives=False, silent=True)
    ear.receiver.answered(held, START + 1.0)
    ear.packet(50, START + 1.01)  # it was under way
    assert ear.rules == []
    ear.packet(51, START + 1.5)
    assert ear.rules == ["rtp-on-hold"]
    ear.receiver.answered(AGREED, START + 2.0)
    for number in range(52, 102):
        ear.packet(number, START + 2.0 + (number - 52) * FRAME_S, ssrc=8)
    ear.receiver.ended(START + 3.0)
    assert ear.rules == ["rtp-on-hold"]
    ear.packet(300, START + 3.01, ssrc=9)


def test_another_address_or_codec_may_be_late_but_not_for_long() -> None:
    ear = answered_ear()
    ear.stream(0, 50)
    moved = Negotiated(Address("127.0.0.1", 20002), {0: "PCMU"}, 101)
    ear.receiver.answered(moved, START + 1.0)
    ear.packet(50, START + 1.0)
    for number in range(51, 60):
        at_s = START + 1.0 + (number - 50) * FRAME_S
        ear.packet(number, at_s, moved.remote, payload_type=0, ssrc=8)
    assert ear.rules == []
    ear.packet(60, START + 1.2)
    assert ear.rules == ["rtp-source"]


def test_early_media_is_heard_and_not_due() -> None:
    ear = Ear()
    ear.receiver.expect(AGREED, START - 2.0)
    ear.packet(0, START - 1.5)
    assert len(ear.heard) == 1
    ear.receiver.answered(AGREED, START)
    ear.stream(1, 49)
    ear.receiver.ended(START + 1.0)
    assert ear.rules == []
