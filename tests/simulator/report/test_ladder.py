from simulator.gate.wire import Address, read
from simulator.pcap import Tape
from simulator.report.ladder import ROWS_MAX, SipIndex, readable

GATE = ("127.0.0.1", 5060)
GATEWAY = Address("127.0.0.2", 5070)


def message(start: str, call_id: str, cseq: str = "1 INVITE") -> bytes:
    return f"{start}\r\nCall-ID: {call_id}\r\nCSeq: {cseq}\r\n\r\n".encode()


INVITE = message("INVITE sip:x SIP/2.0", "a@gate")
OK = message("SIP/2.0 200 OK", "a@gate")


def test_a_calls_messages_are_picked_from_the_tape() -> None:
    tape = Tape()
    index = SipIndex(tape)
    tape.record(10.0, GATE, GATEWAY, INVITE)
    tape.record(10.001, GATE, GATEWAY, message("INVITE sip:x SIP/2.0", "b@gate"))
    tape.record(10.002, GATEWAY, GATE, b"\x80\x08" + bytes(170))
    tape.record(10.003, GATEWAY, GATE, b"\r\n\r\n")
    index.update()
    tape.record(10.5, GATE, GATEWAY, INVITE)
    tape.record(10.6, GATEWAY, GATE, OK)
    index.update()

    rows = index.rows("a@gate", GATEWAY, zero_s=10.0)

    assert [(row.summary, row.from_gateway, row.repeated) for row in rows] == [
        ("INVITE", False, False),
        ("INVITE", False, True),
        ("200 OK (INVITE)", True, False),
    ]
    assert [round(row.at_s, 3) for row in rows] == [0.0, 0.5, 0.6]
    assert (rows[0].source, rows[0].destination) == ("127.0.0.1:5060", "127.0.0.2:5070")
    assert rows[2].text.startswith("SIP/2.0 200 OK\nCall-ID: a@gate")
    assert index.rows("nobody", GATEWAY, 0.0) == ()


def test_each_packet_is_read_once_and_what_went_unread_is_counted() -> None:
    tape = Tape(limit=4)
    index = SipIndex(tape)
    tape.record(1.0, GATE, GATEWAY, INVITE)
    index.update()
    index.update()
    for n in range(6):
        tape.record(2.0 + n, GATEWAY, GATE, OK)
    index.update()

    assert len(index.rows("a@gate", GATEWAY, 0.0)) == 1 + 4
    assert index.dropped == 2


def test_a_call_of_endless_messages_is_bounded() -> None:
    tape = Tape()
    index = SipIndex(tape)
    for n in range(ROWS_MAX + 5):
        tape.record(float(n), GATE, GATEWAY, INVITE)
    index.update()

    assert len(index.rows("a@gate", GATEWAY, 0.0)) == ROWS_MAX
    assert index.dropped_of("a@gate") == 5


def test_answers_to_a_challenge_are_not_shown() -> None:
    data = b'INVITE sip:x SIP/2.0\r\nAuthorization: Digest response="5ecret"\r\nFrom: a\r\n\r\n'

    text = readable(read(data))

    assert "5ecret" not in text
    assert "Authorization: (hidden)" in text
    assert "From: a" in text
