"""How the attacker ends what its cases begin."""

from ci.torture_job.attacker import closing, status_of

GATEWAY = ("127.0.0.1", 15070)
OK = (
    b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa;received=127.0.0.77\r\n"
    b"Via: SIP/2.0/UDP other\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\n"
    b"CSeq: 7 INVITE\r\nServer: s\r\n\r\n"
)


def test_an_answered_invite_is_acknowledged_and_hung_up() -> None:
    ack, bye = closing(OK, 3, GATEWAY)
    assert ack.startswith(b"ACK sip:127.0.0.1:15070 SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa;")
    assert b"\r\nCSeq: 7 ACK\r\n" in ack
    assert ack.count(b"Via:") == 1
    assert bye.startswith(b"BYE ")
    assert b"\r\nTo: <sip:c@d>;tag=2\r\n" in bye
    assert b"\r\nCSeq: 8 BYE\r\n" in bye


def test_a_refused_invite_is_acknowledged_only() -> None:
    (ack,) = closing(OK.replace(b"200 OK", b"488 Not Acceptable Here"), 3, GATEWAY)
    assert ack.startswith(b"ACK ")


def test_what_needs_no_end_gets_none() -> None:
    assert closing(OK.replace(b"200 OK", b"100 Trying"), 3, GATEWAY) == []
    assert closing(OK.replace(b"7 INVITE", b"7 OPTIONS"), 3, GATEWAY) == []
    assert closing(OK.replace(b"CSeq: 7 INVITE\r\n", b""), 3, GATEWAY) == []
    assert closing(b"ACK sip:x SIP/2.0\r\nVia: v\r\n\r\n", 3, GATEWAY) == []


def test_a_request_of_the_gateway_is_answered() -> None:
    (answer,) = closing(b"BYE sip:x SIP/2.0\r\nVia: v\r\nCSeq: 1 BYE\r\nX: y\r\n\r\n", 3, GATEWAY)
    assert answer == b"SIP/2.0 200 OK\r\nVia: v\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"


def test_only_a_response_has_a_status() -> None:
    assert status_of(OK) == 200
    assert status_of(b"BYE sip:x SIP/2.0\r\n") == 0
