import pytest

from simulator.gate.judge_response import TransactionJudge, advice, judge_response
from simulator.gate.wire import Address, RawMessage
from tests.simulator.gate.messages import ANSWER, GATE, GATEWAY, INVITE, OK, TRYING, message

REFUSED = TRYING.replace("100 Trying", "480 Busy").replace("5060>\r\n", "5060>;tag=gw1\r\n")


def rules(response: RawMessage, request: str = INVITE, source: Address = GATEWAY) -> list[str]:
    found = judge_response(message(request), response, source=source, sent_from=GATE)
    return [violation.rule for violation in found]


@pytest.mark.parametrize("text", [OK, TRYING, REFUSED])
def test_correct_responses_are_not_blamed(text: str) -> None:
    assert rules(message(text)) == []


def test_a_uas_that_knows_nothing_of_rport_is_not_blamed() -> None:
    # RFC 3581 is an extension: a plain RFC 3261 UAS echoes the empty rport.
    assert rules(message(OK, (";received=127.0.0.1;rport=5070", ";rport"))) == []


def test_folds_and_spaces_of_the_gate_may_come_back_unfolded() -> None:
    asked = INVITE.replace(";branch", "\r\n ;branch").replace(">;tag=gate", "> ; tag=gate")
    assert rules(message(OK), asked) == []


def test_a_stack_of_vias_comes_back_in_order() -> None:
    second = "Via: SIP/2.0/UDP 192.0.2.3:5062;branch=z9hG4bK2;received=192.0.2.9;rport=1\r\n"
    asked = INVITE.replace("Max-Forwards", second + "Max-Forwards")
    given = message(OK, ("Record-Route", second + "Record-Route"))
    assert rules(given, asked) == []
    assert rules(message(OK), asked) == ["via-echoed"]
    joined = message(OK, ("rport=5070\r\n", "rport=5070, " + second[5:]))
    assert rules(joined, asked) == []


SINS = [
    ("via-echoed", ("z9hG4bKinv", "z9hG4bKxxx")),
    ("received-missing", (";received=127.0.0.1", "")),
    ("received-wrong", ("received=127.0.0.1", "received=127.0.0.9")),
    ("rport-wrong", ("rport=5070", "rport=5060")),
    ("from-echoed", (";tag=gate", ";tag=other")),
    ("from-echoed", ("J\u00fcrgen", "Jurgen")),
    ("to-echoed", ("<sip:1000@", "<sip:1001@")),
    ("to-tag-missing", (";tag=gw1", "")),
    ("call-id-echoed", ("abc@127", "abd@127")),
    ("cseq-echoed", ("102 INVITE", "999 INVITE")),
    ("contact-missing", ("Contact: <sip:voicegate@127.0.0.1:5060>\r\n", "")),
    (
        "contact-missing",
        ("127.0.0.1:5060>\r\nAllow", "127.0.0.1:5060>, <sip:b@127.0.0.1>\r\nAllow"),
    ),
    ("contact-unusable", ("voicegate@127.0.0.1:5060", "voicegate@0.0.0.0:5060")),
    ("contact-unusable", ("voicegate@127.0.0.1:5060", "voicegate@127.0.0.1:0")),
    ("record-route-copied", ("Record-Route: <sip:127.0.0.1:5071;lr>\r\n", "")),
    ("sdp-missing", ("application/sdp", "text/plain")),
    ("refusal-header", ("200 OK", "405 Method Not Allowed")),
    ("grammar", ("<sip:voicegate@127.0.0.1:5060>", "<sip:voice gate@127.0.0.1:5060>")),
]


@pytest.mark.parametrize(("rule", "change"), SINS)
def test_one_sin_of_a_response_is_exactly_one_violation(rule: str, change: tuple[str, str]) -> None:
    changes = [change]
    if rule == "refusal-header":
        changes.append(("Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n", ""))
    assert rules(message(OK, *changes)) == [rule]


def test_an_offer_needs_an_answer() -> None:
    bare = message(OK, (ANSWER, ""), (f"Length: {len(ANSWER)}", "Length: 0"))
    assert rules(bare) == ["sdp-missing"]


def test_an_answer_from_another_port_breaks_the_rport_rule() -> None:
    assert rules(message(OK), source=Address("127.0.0.1", 5999)) == ["response-source"]


def test_a_via_that_names_another_host_needs_received() -> None:
    asked = INVITE.replace("UDP 127.0.0.1:5070", "UDP 192.0.2.1:5070").replace(";rport", "")
    given = OK.replace("UDP 127.0.0.1:5070", "UDP 192.0.2.1:5070").replace(";rport=5070", "")
    assert rules(message(given), asked) == []
    assert rules(message(given, (";received=127.0.0.1", "")), asked) == ["received-missing"]


@pytest.mark.parametrize(
    ("status", "header"),
    [
        (401, 'WWW-Authenticate: Digest realm="a", nonce="b"'),
        (407, 'Proxy-Authenticate: Digest realm="a", nonce="b"'),
        (415, "Accept: application/sdp"),
        (420, "Unsupported: x"),
    ],
)
def test_a_refusal_brings_what_its_asker_needs(status: int, header: str) -> None:
    assert rules(message(REFUSED, ("480 Busy", f"{status} No"))) == ["refusal-header"]
    whole = message(REFUSED, ("480 Busy", f"{status} No"), ("CSeq", f"{header}\r\nCSeq"))
    assert rules(whole) == []


def test_what_the_rfc_only_recommends_is_advice() -> None:
    assert advice(message(INVITE), message(OK)) == []
    poor = message(OK, ("Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\nSupported: \r\n", ""))
    assert len(advice(message(INVITE), poor)) == 2
    assert rules(poor) == []


def test_the_tag_stays_and_the_first_final_answer_too() -> None:
    judge = TransactionJudge()
    assert judge.judge(message(TRYING)) == []
    assert judge.judge(message(REFUSED)) == []
    assert judge.judge(message(REFUSED)) == []
    other = judge.judge(message(REFUSED, ("tag=gw1", "tag=gw2")))
    assert [violation.rule for violation in other] == ["to-tag-stable"]
    assert judge.judge(message(REFUSED, ("tag=gw1", "tag=gw2"))) == []
    second = judge.judge(message(OK))
    assert [violation.rule for violation in second] == ["one-final-answer"]
    late = judge.judge(message(TRYING))
    assert [violation.rule for violation in late] == ["provisional-after-final"]
