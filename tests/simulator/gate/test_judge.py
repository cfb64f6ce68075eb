import pytest

from simulator.gate.judge import VIOLATIONS_MAX, Findings, Violation, judge_message
from simulator.gate.judge_response import ECHOED
from tests.simulator.gate.messages import ANSWER, BYE, INVITE, OK, TRYING, message


@pytest.mark.parametrize("text", [OK, TRYING, BYE, INVITE])
def test_correct_messages_are_not_blamed(text: str) -> None:
    assert judge_message(message(text)) == []


def test_legal_forms_that_look_odd_are_not_blamed() -> None:
    odd = message(
        BYE,
        ("CSeq: 1", "CSeq:1"),
        ("To: ", "t:  "),
        ("Max-Forwards: ", "MAX-FORWARDS :"),
        (";branch", "\r\n ;branch"),
        ("User-Agent: voicegate", "User-Agent: voicegate/1.0 (a; b)"),
        ("Content-Length: 0\r\n", ""),
    )
    assert judge_message(odd) == []


@pytest.mark.parametrize("host", ["pbx2", "pbx2:5070", "gw1.lan2", "pbx-2", "a1.b2.", "[::1]:5070"])
def test_a_host_whose_last_label_has_a_digit_is_right(host: str) -> None:
    """RFC 3261 25.1: toplabel = ALPHA / ALPHA *( alphanum / "-" ) alphanum."""
    named = message(
        BYE,
        ("UDP 127.0.0.1:5060", f"UDP {host}"),
        ("From: <sip:1000@127.0.0.1:5060>", f"From: <sip:1000@{host};x=y>"),
        ("BYE sip:100@127.0.0.1:5070", f"BYE sip:100@{host}"),
        ("Call-ID", f"Contact: <sip:{host}?Replaces=1%40h>\r\nCall-ID"),
    )
    assert judge_message(named) == []


@pytest.mark.parametrize("host", ["pbx_2", "2pbx.2", "-pbx2", "pbx2-", "pbx..2", "gw.2x"])
def test_a_host_that_is_none_is_still_wrong(host: str) -> None:
    found = judge_message(
        message(BYE, ("From: <sip:1000@127.0.0.1:5060>", f"From: <sip:1@{host}>"))
    )
    assert [violation.rule for violation in found] == ["grammar"]


SINS_OF_A_REQUEST = [
    ("line-ending", ("User-Agent: voicegate\r\n", "User-Agent: voicegate\n")),
    ("leading-crlf", ("BYE sip", "\r\nBYE sip")),
    ("start-line", ("SIP/2.0\r\n", "SIP/2.0 \r\n")),
    ("header-line", ("User-Agent:", "User Agent:")),
    ("mandatory-header", ("Max-Forwards: 70\r\n", "")),
    ("mandatory-header", ("Call-ID: abc@127.0.0.1\r\n", "")),
    ("mandatory-header", ("CSeq: 1 BYE\r\n", "")),
    ("single-header", ("Call-ID:", "Call-ID: x@y\r\nCall-ID:")),
    ("single-header", ("Content-Length: 0", "Content-Length: 0\r\nl: 0")),
    ("cseq-number", ("CSeq: 1 ", "CSeq: 2147483648 ")),
    ("cseq-number", ("CSeq: 1 ", "CSeq: one ")),
    ("cseq-method", ("1 BYE", "1 INVITE")),
    ("max-forwards", ("Max-Forwards: 70", "Max-Forwards: 256")),
    ("max-forwards", ("Max-Forwards: 70", "Max-Forwards: many")),
    ("branch-cookie", ("z9hG4bKbye", "bye")),
    ("content-length", ("Content-Length: 0", "Content-Length: 5")),
    ("content-length", ("Content-Length: 0", "Content-Length: none")),
    ("grammar", ("<sip:1000@127.0.0.1:5060>", "<sip:10 00@127.0.0.1:5060>")),
    ("grammar", ("SIP/2.0/UDP 127.0.0.1:5060;", "SIP/2.0/UDP 127.0.0.1:5060;;")),
    ("grammar", ("BYE sip:100@127.0.0.1:5070", "BYE sip:*31#100@127.0.0.1")),
    ("grammar", ("<sip:127.0.0.1:5071;lr>", "<sip:127.0.0.1:5071;lr")),
]


@pytest.mark.parametrize(("rule", "change"), SINS_OF_A_REQUEST)
def test_one_sin_of_a_request_is_exactly_one_violation(rule: str, change: tuple[str, str]) -> None:
    found = judge_message(message(BYE, change))
    assert [violation.rule for violation in found] == [rule]
    assert found[0].rfc.startswith("RFC 3261 ")


def test_a_body_shorter_than_its_length_or_without_type() -> None:
    short = judge_message(message(OK, (ANSWER, ANSWER[:-2])))
    assert [violation.rule for violation in short] == ["content-length"]
    untyped = judge_message(message(OK, ("Content-Type: application/sdp\r\n", "")))
    assert [violation.rule for violation in untyped] == ["content-type"]


def test_the_answer_of_the_old_agent_lacks_every_header() -> None:
    found = judge_message(message("SIP/2.0 200 OK\r\n\r\n"))
    assert [violation.rule for violation in found] == ["mandatory-header"] * 5


def test_bare_lf_all_through_is_named_once() -> None:
    found = judge_message(message(BYE.replace("\r\n", "\n")))
    assert [violation.rule for violation in found] == ["line-ending"]


def test_what_only_echoes_the_gate_is_not_held_against_the_sender() -> None:
    echo = message(TRYING, ('"J\u00fcrgen" <sip:100@', "<sip:*31#100@"))
    assert [violation.rule for violation in judge_message(echo)] == ["grammar"]
    assert judge_message(echo, ECHOED) == []


def test_findings_are_bounded_and_reach_the_parent() -> None:
    parent = Findings()
    own = Findings(parent=parent)
    for number in range(VIOLATIONS_MAX + 3):
        own.add(Violation("rule", "RFC 3261 7", str(number)))
    assert len(own.violations) == len(parent.violations) == VIOLATIONS_MAX
    assert own.dropped == parent.dropped == 3
    with pytest.raises(AssertionError, match=r"gate: 503 violations(.|\n)*and 463 more"):
        parent.check("gate")


def test_a_clean_check_says_nothing() -> None:
    Findings().check("gate")


def test_the_first_line_of_a_check_names_a_rule() -> None:
    """The acceptance list shows one line for each row: "1 violations" told nobody what to mend."""
    findings = Findings()
    findings.add(Violation("rtp-gap", "RFC 3551 4.2", "90 ms"))
    with pytest.raises(
        AssertionError, match=r"^gate: 1 violation: rtp-gap \(RFC 3551 4\.2\): 90 ms"
    ):
        findings.check("gate")

    findings.add(Violation("bye", "RFC 3261 15", "none"))
    with pytest.raises(
        AssertionError, match=r"^gate: 2 violations, the first: rtp-gap .*: 90 ms\n"
    ):
        findings.check("gate")
