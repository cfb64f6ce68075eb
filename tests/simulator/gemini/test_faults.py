"""Close reasons fit into a close frame; violations explain themselves."""

from simulator.gemini.faults import ServiceRulesBroken, Violation, cut_reason


def test_a_reason_is_cut_between_characters() -> None:
    assert cut_reason("short") == "short"
    cut = cut_reason("ж" * 80)
    assert cut == "ж" * 61
    assert len(cut_reason("x" * 300)) == 123


def test_the_error_lists_what_was_wrong() -> None:
    error = ServiceRulesBroken([Violation("F4", "1007 setup", 2, 1.0)])
    assert "session 2: F4: 1007 setup" in str(error)
