import pytest

from simulator.gate.judge_invite import (
    contact_rules,
    invite_advice,
    judge_ack,
    judge_cancel,
    judge_invite,
)
from tests.simulator.gate.messages import INVITE, message

SECTION = "RFC 3261 9.1"
HEAD = INVITE.partition("Contact")[0]
CANCEL = (HEAD + "Call-ID: abc@127.0.0.1\r\nCSeq: 102 CANCEL\r\n\r\n").replace("INVITE", "CANCEL")
ACK = CANCEL.replace("CANCEL", "ACK").replace("5060>\r\n", "5060>;tag=gw1\r\n")


def rules_of(found: object) -> list[str]:
    return [violation.rule for violation in found]  # type: ignore[attr-defined]


def test_a_correct_caller_is_not_blamed() -> None:
    invite = message(INVITE)
    assert judge_invite(invite) == []
    assert judge_cancel(invite, message(CANCEL), provisional=True) == []
    assert judge_ack(invite, message(ACK), 486) == []
    assert judge_ack(invite, message(ACK, ("z9hG4bKinv", "z9hG4bKack")), 200) == []
    offerless = message(INVITE.partition("Content-Type")[0] + "\r\n")
    assert judge_invite(offerless) == []


@pytest.mark.parametrize(
    ("due", "old", "new"),
    [
        ("from-tag-missing", ";tag=gate", ""),
        ("to-tag-early", "To: <sip:1000@127.0.0.1:5060>", "To: <sip:1000@h>;tag=x"),
        ("via-sent-by", "UDP 127.0.0.1:5070", "UDP 0.0.0.0:5070"),
        ("contact-missing", "Contact: <sip:100@127.0.0.1:5070>\r\n", ""),
        ("contact-unusable", "Contact: <sip:100@127.0.0.1", "Contact: <sip:100@0.0.0.0"),
        ("sdp-missing", "application/sdp", "text/plain"),
        ("sdp-port", "m=audio 10000", "m=audio 10001"),
        ("sdp-address", "c=IN IP4 127.0.0.1", "c=IN IP4 224.0.0.1"),
        ("sdp-codec", "RTP/AVP 8 0 101", "RTP/AVP 18 101"),
        ("sdp-rtpmap", "a=rtpmap:101", "a=rtpmap:102"),
        ("sdp-media", "m=audio", "m=video"),
    ],
)
def test_one_sin_of_an_invite(due: str, old: str, new: str) -> None:
    assert rules_of(judge_invite(message(INVITE, (old, new)))) == [due]


@pytest.mark.parametrize(
    ("due", "status", "old", "new"),
    [
        ("ack-branch", 200, "", ""),
        ("ack-cseq", 486, "CSeq: 102", "CSeq: 103"),
        ("ack-branch", 486, "z9hG4bKinv", "z9hG4bKnew"),
        ("ack-uri", 486, "ACK sip:1000@", "ACK sip:gw@"),
        ("ack-via", 486, ";rport", ";rport;x=1"),
        ("route-set", 486, "Max-Forwards", "Route: <sip:p;lr>\r\nMax-Forwards"),
        ("from-uri", 486, ";tag=gate", ";tag=other"),
        ("ack-credentials", 200, "Max-Forwards", "Authorization: Digest a=1\r\nMax-Forwards"),
    ],
)
def test_one_sin_of_an_ack(due: str, status: int, old: str, new: str) -> None:
    ack = message(ACK, (old, new))
    if due == "ack-credentials":
        ack = message(ACK, (old, new), ("z9hG4bKinv", "z9hG4bKack"))
    found = judge_ack(message(INVITE), ack, status)
    assert rules_of(found) == [due]
    assert "13.2.2.4" in found[0].rfc or "17.1.1.3" in found[0].rfc


@pytest.mark.parametrize(
    ("due", "old", "new"),
    [
        ("cancel-branch", "z9hG4bKinv", "z9hG4bKx"),
        ("cancel-uri", "CANCEL sip:1000@", "CANCEL sip:1001@"),
        ("cancel-cseq", "CSeq: 102", "CSeq: 103"),
        ("cancel-to", "5060>\r\n", "5060>;tag=gw1\r\n"),
        ("cancel-require", "Max-Forwards", "Require: x\r\nMax-Forwards"),
        ("route-set", "Max-Forwards", "Route: <sip:p;lr>\r\nMax-Forwards"),
    ],
)
def test_one_sin_of_a_cancel(due: str, old: str, new: str) -> None:
    found = judge_cancel(message(INVITE), message(CANCEL, (old, new)), provisional=True)
    assert [(violation.rule, violation.rfc) for violation in found] == [(due, SECTION)]


def test_a_cancel_waits_for_a_provisional_response() -> None:
    found = judge_cancel(message(INVITE), message(CANCEL), provisional=False)
    assert rules_of(found) == ["cancel-early"]


def test_advice_and_the_contact_of_a_refresh() -> None:
    assert len(invite_advice(message(INVITE))) == 2
    assert len(invite_advice(message(INVITE, ("Max-Forwards: 70", "Max-Forwards: 9")))) == 3
    assert rules_of(contact_rules(message(INVITE))) == []
