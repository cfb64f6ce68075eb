from simulator.report.call import Finding
from simulator.report.lane import Response
from tests.simulator.report.sample import good_call


def test_a_response_is_the_time_between() -> None:
    call = good_call(responses=(Response(1.0, 1.82), Response(4.0, 4.9)))

    assert call.response_ms == (820.0, 900.0)


def test_a_call_that_was_not_answered_has_no_duration() -> None:
    assert good_call().duration_s == 3.0
    assert good_call(answered_at_s=None).duration_s is None
    assert good_call(ended_at_s=None).duration_s is None


def test_a_finding_says_what_and_where() -> None:
    assert str(Finding("gate", "cseq", "RFC 3261 8", "CSeq 999")) == "cseq (RFC 3261 8): CSeq 999"
    assert str(Finding("model", "F6", "", "odd octets")) == "F6: odd octets"
