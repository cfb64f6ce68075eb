import pytest

from simulator.gate.judge_request import DialogFacts, belongs, judge_in_dialog, judge_stray
from tests.simulator.gate.messages import BYE, message


def facts(record_route: str = "<sip:127.0.0.1:5071;lr>") -> DialogFacts:
    return DialogFacts(
        call_id="abc@127.0.0.1",
        local_tag="gate",
        local_uri="sip:100@127.0.0.1:5070",
        remote_uri="sip:1000@127.0.0.1:5060",
        contact_uri="sip:100@127.0.0.1:5070",
        record_route=[record_route] if record_route else [],
        remote_tag="gw1",
    )


def test_a_correct_bye_is_not_blamed() -> None:
    bye = message(BYE)
    assert belongs(bye, facts())
    assert judge_in_dialog(bye, facts()) == []


@pytest.mark.parametrize("number", [0, 1, 999])
def test_any_first_number_is_right(number: int) -> None:
    assert judge_in_dialog(message(BYE, ("CSeq: 1", f"CSeq: {number}")), facts()) == []


SINS = [
    ("from-uri", ("From: <sip:1000@", "From: <sip:1001@")),
    ("to-uri", ("<sip:100@127.0.0.1:5070>;tag", "<sip:101@127.0.0.1:5070>;tag")),
    ("request-uri", ("BYE sip:100@127.0.0.1:5070", "BYE sip:100@127.0.0.1:5999")),
    ("route-set", ("Route: <sip:127.0.0.1:5071;lr>\r\n", "")),
]


@pytest.mark.parametrize(("rule", "change"), SINS)
def test_one_sin_in_a_dialog_is_exactly_one_violation(rule: str, change: tuple[str, str]) -> None:
    found = judge_in_dialog(message(BYE, change), facts())
    assert [violation.rule for violation in found] == [rule]


def test_a_strict_router_stands_in_the_request_uri() -> None:
    strict = facts("<sip:127.0.0.1:5071>")
    due = message(
        BYE,
        ("BYE sip:100@127.0.0.1:5070", "BYE sip:127.0.0.1:5071"),
        ("Route: <sip:127.0.0.1:5071;lr>", "Route: <sip:100@127.0.0.1:5070>"),
    )
    assert judge_in_dialog(due, strict) == []
    loose = judge_in_dialog(message(BYE), facts("<sip:127.0.0.1:5071>"))
    assert [violation.rule for violation in loose] == ["request-uri", "route-set"]


def test_the_number_grows_and_a_branch_is_used_once() -> None:
    dialog = facts()
    assert judge_in_dialog(message(BYE, ("CSeq: 1", "CSeq: 999")), dialog) == []
    again = judge_in_dialog(message(BYE, ("CSeq: 1", "CSeq: 999"), ("bKbye", "bK2")), dialog)
    assert [violation.rule for violation in again] == ["cseq-growth"]
    reused = judge_in_dialog(message(BYE, ("CSeq: 1", "CSeq: 1000")), dialog)
    assert [violation.rule for violation in reused] == ["branch-reused"]


def test_a_request_of_no_dialog_is_named_by_its_sin() -> None:
    swapped = message(BYE, ("tag=gw1", "tag=x"), ("tag=gate", "tag=gw1"), ("tag=x", "tag=gate"))
    assert not belongs(swapped, facts())
    assert judge_stray(swapped, facts()).rule == "tags-by-role"
    for old in ("tag=gw1", "tag=gate"):
        stranger = message(BYE, (old, "tag=other"))
        assert not belongs(stranger, facts())
        assert judge_stray(stranger, facts()).rule == "wrong-tag"
    assert judge_stray(message(BYE, ("abc@", "old@")), None).rule == "unknown-dialog"
